"""Connections to CRM accounts: put, read, listed. Their secrets go in and never come out again."""

from datetime import datetime
from typing import Any, NamedTuple

from app.crm.connection import ConnectionSettings, readable
from app.crm.secrets import NoKey, encrypt
from app.services.connection_mapping import mapping_problems, with_types
from app.services.connection_settings import settings_of
from app.services.processes import Processes
from app.services.refusals import Refused
from app.store.connections import (
    StoredConnection,
    find_connection,
    list_connections,
    put_connection,
    read_connection,
)
from app.store.database import Database, Reader, Transaction


class Connection(NamedTuple):
    """A connection as it may be shown."""

    connection_id: str
    settings: ConnectionSettings
    created_at: datetime
    updated_at: datetime


class Wrong(NamedTuple):
    """Something in the settings that cannot be: where, a code, and what its text needs."""

    loc: tuple[str, ...]
    type: str
    ctx: dict[str, Any]


class WrongConnection(Refused):
    """The settings do not fit the processes, or the secret cannot be kept: `errors`, all of them."""

    kind = "invalid-request"

    def __init__(self, errors: list[Wrong]) -> None:
        super().__init__(count=len(errors))
        self.errors = errors


class ConnectionTaken(Refused):
    """The id belongs to somebody else: it stands in the address of the webhook, so it is unique over all tenants."""

    kind = "conflict"


class Change(NamedTuple):
    """What a caller puts. Without a secret the one that is stored stays."""

    connection_id: str
    settings: ConnectionSettings
    secret: str | None


async def put(
    db: Database, processes: Processes, tenant_id: str, change: Change, *, key: str | None, now: datetime
) -> tuple[Connection, bool]:
    """Store a connection in a transaction of its own."""
    return await db.transaction(lambda tx: put_in(tx, processes, tenant_id, change, key=key, now=now))


async def put_in(
    tx: Transaction, processes: Processes, tenant_id: str, change: Change, *, key: str | None, now: datetime
) -> tuple[Connection, bool]:
    """Store a connection, new or over an older one; True when it is new. Raises WrongConnection, ConnectionTaken."""
    stored = await find_connection(tx, change.connection_id)
    if stored is not None and stored.tenant_id != tenant_id:
        raise ConnectionTaken
    found = [Wrong(*one) for one in await mapping_problems(tx, processes, tenant_id, change.settings)]
    sealed, wrong = _sealed(change.secret, stored, key)
    if found or wrong:
        raise WrongConnection(found + wrong)
    settings = await with_types(tx, processes, tenant_id, change.settings)
    row = StoredConnection(
        tenant_id=tenant_id,
        connection_id=change.connection_id,
        kind=settings.crm,
        settings=settings.model_dump_json(),
        secret_ciphertext=sealed,
        created_at=stored.created_at if stored else now,
        updated_at=now,
        previous_ciphertext=stored.previous_ciphertext if stored else None,
        previous_until=stored.previous_until if stored else None,
        access_ciphertext=stored.access_ciphertext if stored else None,
    )
    await put_connection(tx, row)
    return _shown(row), stored is None


async def read(db: Reader, tenant_id: str, connection_id: str) -> Connection | None:
    """One connection of a tenant."""
    row = await read_connection(db, tenant_id, connection_id)
    return _shown(row) if row else None


async def list_all(db: Reader, tenant_id: str) -> list[Connection]:
    """Every connection of a tenant, by id."""
    return [_shown(row) for row in await list_connections(db, tenant_id)]


def document(connection: Connection) -> dict[str, Any]:
    """A connection in JSON; of its secret only that there is one."""
    return {
        "id": connection.connection_id,
        **readable(connection.settings),
        "secret_set": True,
        "webhook": f"/webhooks/{connection.connection_id}",
        "created_at": connection.created_at,
        "updated_at": connection.updated_at,
    }


def _sealed(secret: str | None, stored: StoredConnection | None, key: str | None) -> tuple[str, list[Wrong]]:
    """The secret as it is to be stored, or why it cannot be."""
    if secret is None:
        return (stored.secret_ciphertext, []) if stored else ("", [Wrong(("secret",), "missing", {})])
    try:
        return encrypt(key, secret), []
    except NoKey:
        return "", [Wrong(("secret",), "secret_without_key", {"variable": "STAGERAIL_ENCRYPTION_KEY"})]


def _shown(row: StoredConnection) -> Connection:
    return Connection(row.connection_id, settings_of(row), row.created_at, row.updated_at)
