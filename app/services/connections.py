"""Connections to CRM accounts: put, read, listed, deleted. Secrets and credentials go in and never come out again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.connection import ConnectionSettings, readable
from app.services.clients import has_access
from app.services.connection_mapping import mapping_problems, with_types
from app.services.connection_secrets import KEEP, Sealing, access_problems
from app.services.connection_settings import settings_of
from app.services.outbox import reason
from app.services.processes import Processes
from app.services.refusals import Refused
from app.store.connection_states import delete_state, look_anew
from app.store.connections import (
    StoredConnection,
    delete_connection,
    list_connections,
    lock_connection,
    put_connection,
    read_connection,
)
from app.store.database import Database, Reader, Transaction
from app.store.outbox import cancel_items
from app.store.outbox_targets import CONNECTION


class Connection(NamedTuple):
    """A connection as it may be shown."""

    connection_id: str
    settings: ConnectionSettings
    created_at: datetime
    updated_at: datetime
    access_set: bool = False
    previous_until: datetime | None = None


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
    """Somebody else has the id, which stands in the address of the webhook, so there is one of all: `connection`."""

    kind = "connection-taken"


OVERLAP = timedelta(hours=24)


class Change(NamedTuple):
    """What a caller puts. Without a secret the one that is stored stays; a new one leaves the old one valid a while."""

    connection_id: str
    settings: ConnectionSettings
    secret: str | None
    access: Mapping[str, str] | None = KEEP
    overlap: timedelta = OVERLAP


async def put(
    db: Database, processes: Processes, tenant_id: str, change: Change, *, key: str | None, now: datetime
) -> tuple[Connection, bool]:
    """Store a connection in a transaction of its own."""
    return await db.transaction(lambda tx: put_in(tx, processes, tenant_id, change, key=key, now=now))


async def put_in(
    tx: Transaction, processes: Processes, tenant_id: str, change: Change, *, key: str | None, now: datetime
) -> tuple[Connection, bool]:
    """Store a connection, new or over an older one; True when it is new. Raises WrongConnection, ConnectionTaken."""
    stored = await lock_connection(tx, change.connection_id)
    if stored is not None and stored.tenant_id != tenant_id:
        raise ConnectionTaken(connection=change.connection_id)
    found = [Wrong(*one) for one in await mapping_problems(tx, processes, tenant_id, change.settings)]
    row, wrong = _sealed(stored or _empty(tenant_id, change, now), change, key, now)
    found += [*wrong, *_unable(change.settings, row), *_elsewhere(stored, change)]
    if found:
        raise WrongConnection(found)
    settings = await with_types(tx, processes, tenant_id, change.settings)
    row = row._replace(settings=settings.model_dump_json(), updated_at=now)
    await put_connection(tx, row)
    await look_anew(tx, tenant_id, change.connection_id, now)
    return _shown(row), stored is None


async def read(db: Reader, tenant_id: str, connection_id: str) -> Connection | None:
    """One connection of a tenant."""
    row = await read_connection(db, tenant_id, connection_id)
    return _shown(row) if row else None


async def list_all(db: Reader, tenant_id: str) -> list[Connection]:
    """Every connection of a tenant, by id."""
    return [_shown(row) for row in await list_connections(db, tenant_id)]


async def delete(tx: Transaction, tenant_id: str, connection_id: str, now: datetime) -> bool:
    """Forget a connection, its secrets and what waits for it; its deals stay. False when there is none."""
    if not await delete_connection(tx, tenant_id, connection_id):
        return False
    await delete_state(tx, tenant_id, connection_id)
    await cancel_items(tx, tenant_id, CONNECTION + connection_id, reason=reason("connection_gone"), now=now)
    return True


def document(connection: Connection) -> dict[str, Any]:
    """A connection in JSON; of its secret only that there is one."""
    return {
        "id": connection.connection_id,
        **readable(connection.settings),
        "secret_set": True,
        "previous_secret_until": connection.previous_until,
        "access_set": connection.access_set,
        "webhook": f"/webhooks/{connection.connection_id}",
        "created_at": connection.created_at,
        "updated_at": connection.updated_at,
    }


def _empty(tenant_id: str, change: Change, now: datetime) -> StoredConnection:
    """A connection before anything was put."""
    return StoredConnection(tenant_id, change.connection_id, change.settings.crm, "", "", now, now)


def _sealed(
    stored: StoredConnection, change: Change, key: str | None, now: datetime
) -> tuple[StoredConnection, list[Wrong]]:
    """The row with the secrets that are put, and why they cannot be."""
    sealing = Sealing(stored, key, now)
    if change.secret is not None:
        sealing.secret(change.secret, change.overlap)
    sealing.access(change.access)
    variable = {"variable": "STAGERAIL_ENCRYPTION_KEY"}
    wrong = [Wrong((name,), "secret_without_key", variable) for name in sealing.lacks_key]
    if change.access:
        wrong += [Wrong(*one) for one in access_problems(change.settings.crm, change.access)]
    if change.secret is None and not stored.secret_ciphertext:
        wrong.insert(0, Wrong(("secret",), "missing", {}))
    return sealing.row, wrong


def _unable(settings: ConnectionSettings, row: StoredConnection) -> list[Wrong]:
    """What the connection is asked to do in the CRM and cannot, since it may not speak to it."""
    asked = [one for one in settings.remedy if one != "observe"]
    if not asked or has_access(row):
        return []
    return [Wrong(("remedy",), "remedy_without_access", {"remedy": ", ".join(f"`{one}`" for one in asked)})]


def _elsewhere(stored: StoredConnection | None, change: Change) -> list[Wrong]:
    """What was given for one CRM, or for one address of it, is not handed on to another."""
    if stored is None:
        return []
    if stored.kind != change.settings.crm:
        return [Wrong(("crm",), "connection_of_another_crm", {"crm": stored.kind})]
    kept = change.access is KEEP and stored.access_ciphertext is not None
    if kept and _addresses(settings_of(stored)) != _addresses(change.settings):
        return [Wrong(("access",), "access_at_another_address", {})]
    return []


def _addresses(settings: ConnectionSettings) -> dict[str, Any]:
    """Where credentials are sent to."""
    return {name: getattr(settings, name) for name in type(settings).model_fields if name.endswith("_url")}


def _shown(row: StoredConnection) -> Connection:
    return Connection(
        row.connection_id,
        settings_of(row),
        row.created_at,
        row.updated_at,
        row.access_ciphertext is not None,
        row.previous_until,
    )
