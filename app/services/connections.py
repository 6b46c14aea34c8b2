"""Connections to CRM accounts: put, read, listed, deleted. Secrets and credentials go in and never come out again."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.connection import ConnectionSettings, readable
from app.crm.secrets import NoKey, WrongKey, decrypt, encrypt
from app.services.clients import has_access
from app.services.connection_mapping import mapping_problems, with_types
from app.services.connection_settings import settings_of
from app.services.processes import Processes
from app.services.refusals import Refused
from app.store.connections import (
    StoredConnection,
    delete_connection,
    list_connections,
    lock_connection,
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
    """The id belongs to somebody else: it stands in the address of the webhook, so it is unique over all tenants."""

    kind = "conflict"


KEEP: Mapping[str, str] = {}
"""In place of credentials: those that are stored stay."""
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
        raise ConnectionTaken
    found = [Wrong(*one) for one in await mapping_problems(tx, processes, tenant_id, change.settings)]
    sealed = _Sealed(stored, key)
    row = StoredConnection(
        tenant_id=tenant_id,
        connection_id=change.connection_id,
        kind=change.settings.crm,
        settings="",
        secret_ciphertext=sealed.secret(change.secret),
        created_at=stored.created_at if stored else now,
        updated_at=now,
        previous_ciphertext=stored.previous_ciphertext if stored else None,
        previous_until=stored.previous_until if stored else None,
        access_ciphertext=sealed.access(change.access),
    )
    found += [*sealed.wrong, *_unable(change.settings, row)]
    if found:
        raise WrongConnection(found)
    if stored is not None and change.secret is not None and not sealed.same(change.secret):
        row = row._replace(previous_ciphertext=stored.secret_ciphertext, previous_until=now + change.overlap)
    settings = await with_types(tx, processes, tenant_id, change.settings)
    row = row._replace(settings=settings.model_dump_json())
    await put_connection(tx, row)
    return _shown(row), stored is None


async def read(db: Reader, tenant_id: str, connection_id: str) -> Connection | None:
    """One connection of a tenant."""
    row = await read_connection(db, tenant_id, connection_id)
    return _shown(row) if row else None


async def list_all(db: Reader, tenant_id: str) -> list[Connection]:
    """Every connection of a tenant, by id."""
    return [_shown(row) for row in await list_connections(db, tenant_id)]


async def delete(tx: Transaction, tenant_id: str, connection_id: str) -> bool:
    """Forget a connection, its secrets with it; its deals stay. False when there is none."""
    return await delete_connection(tx, tenant_id, connection_id)


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


class _Sealed:
    """Secrets as they are to be stored, and why they cannot be."""

    def __init__(self, stored: StoredConnection | None, key: str | None) -> None:
        self._stored = stored
        self._key = key
        self.wrong: list[Wrong] = []

    def secret(self, secret: str | None) -> str:
        """The secret; without a new one, the one that is stored."""
        if secret is not None:
            return self._encrypted("secret", secret)
        if self._stored is None:
            self.wrong.append(Wrong(("secret",), "missing", {}))
            return ""
        return self._stored.secret_ciphertext

    def access(self, access: Mapping[str, str] | None) -> str | None:
        """The credentials for the CRM's API; None when there are none any more."""
        if access is KEEP:
            return self._stored.access_ciphertext if self._stored else None
        return None if access is None else self._encrypted("access", json.dumps(dict(access), ensure_ascii=False))

    def same(self, secret: str) -> bool:
        """Whether this is the secret that is stored already."""
        try:
            return self._stored is not None and decrypt(self._key, self._stored.secret_ciphertext) == secret
        except (NoKey, WrongKey):
            return False

    def _encrypted(self, name: str, text: str) -> str:
        try:
            return encrypt(self._key, text)
        except NoKey:
            self.wrong.append(Wrong((name,), "secret_without_key", {"variable": "STAGERAIL_ENCRYPTION_KEY"}))
            return ""


def _unable(settings: ConnectionSettings, row: StoredConnection) -> list[Wrong]:
    """What the connection is asked to do in the CRM and cannot, since it may not speak to it."""
    asked = [one for one in settings.remedy if one != "observe"]
    if not asked or has_access(row):
        return []
    return [Wrong(("remedy",), "remedy_without_access", {"remedy": ", ".join(f"`{one}`" for one in asked)})]


def _shown(row: StoredConnection) -> Connection:
    return Connection(
        row.connection_id,
        settings_of(row),
        row.created_at,
        row.updated_at,
        row.access_ciphertext is not None,
        row.previous_until,
    )
