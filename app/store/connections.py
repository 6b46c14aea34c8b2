"""Connections to CRM accounts, found by id before any tenant is known."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, update

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, named, select_shape, upsert
from app.store.tables import ConnectionRow, table_of

TABLE = table_of(ConnectionRow)


class StoredConnection(NamedTuple):
    """A connection, its secrets encrypted: the one that counts, older ones with their ends, the API's credentials."""

    tenant_id: str
    connection_id: str
    kind: str
    settings: str
    secret_ciphertext: str
    created_at: datetime
    updated_at: datetime
    previous_ciphertext: str | None = None
    previous_until: datetime | None = None
    access_ciphertext: str | None = None


PUT = upsert(TABLE, "created_at")
FIND = Query(select_shape(TABLE, StoredConnection).where(*by_key(TABLE, "connection_id")), StoredConnection._make)
LOCK = Query(
    select_shape(TABLE, StoredConnection).where(*by_key(TABLE, "connection_id")).with_for_update(),
    StoredConnection._make,
)
DELETE = command(delete(TABLE).where(*by_key(TABLE, "tenant_id", "connection_id")))
KEEP_ACCESS = command(
    update(TABLE)
    .where(*by_key(TABLE, "tenant_id", "connection_id"))
    .values(
        access_ciphertext=named(TABLE, "access_ciphertext", "new_access"), updated_at=named(TABLE, "updated_at", "now")
    )
)
READ = Query(
    select_shape(TABLE, StoredConnection).where(*by_key(TABLE, "tenant_id", "connection_id")), StoredConnection._make
)
LIST = Query(
    select_shape(TABLE, StoredConnection).where(*by_key(TABLE, "tenant_id")).order_by(TABLE.c.connection_id),
    StoredConnection._make,
)


async def put_connection(tx: Transaction, connection: StoredConnection) -> None:
    """Store a connection, over an older one of the same tenant; Conflict when another tenant has the id."""
    await tx.execute(PUT, connection._asdict())


async def lock_connection(tx: Transaction, connection_id: str) -> StoredConnection | None:
    """The connection of this id, of whatever tenant; nobody else changes it until this ends."""
    return await tx.fetch_one(LOCK, {"connection_id": connection_id})


async def delete_connection(tx: Transaction, tenant_id: str, connection_id: str) -> bool:
    """Forget a connection; False when there is none."""
    return await tx.execute(DELETE, {"tenant_id": tenant_id, "connection_id": connection_id}) == 1


async def keep_access(tx: Transaction, tenant_id: str, connection_id: str, sealed: str, now: datetime) -> None:
    """Overwrite the credentials for the CRM's API: they were renewed while they were used."""
    key = {"tenant_id": tenant_id, "connection_id": connection_id}
    await tx.execute(KEEP_ACCESS, {**key, "new_access": sealed, "now": now})


async def find_connection(db: Reader, connection_id: str) -> StoredConnection | None:
    """The connection of this id, of whatever tenant: only for a delivery, which proves itself by its signature."""
    return await db.fetch_one(FIND, {"connection_id": connection_id})


async def read_connection(db: Reader, tenant_id: str, connection_id: str) -> StoredConnection | None:
    """One connection of a tenant."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id, "connection_id": connection_id})


async def list_connections(db: Reader, tenant_id: str) -> list[StoredConnection]:
    """The connections of a tenant."""
    return await db.fetch_all(LIST, {"tenant_id": tenant_id})
