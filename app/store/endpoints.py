"""Endpoints: somebody's addresses that want to be told of our events, their secrets encrypted."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, update

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, named, page, select_shape, upsert
from app.store.tables import EndpointRow, table_of

TABLE = table_of(EndpointRow)


class StoredEndpoint(NamedTuple):
    """An endpoint. `events` are the types it wants, with spaces between; `*` for all."""

    tenant_id: str
    endpoint_id: str
    url: str
    events: str
    paused: bool
    secret_ciphertext: str
    previous_ciphertext: str | None
    previous_until: datetime | None
    created_at: datetime
    updated_at: datetime


ONE = by_key(TABLE, "tenant_id", "endpoint_id")
PUT = upsert(TABLE, "created_at")
READ = Query(select_shape(TABLE, StoredEndpoint).where(*ONE), StoredEndpoint._make)
LOCK = Query(select_shape(TABLE, StoredEndpoint).where(*ONE).with_for_update(), StoredEndpoint._make)
LIST = Query(
    page(
        select_shape(TABLE, StoredEndpoint)
        .where(*by_key(TABLE, "tenant_id"), TABLE.c.endpoint_id > named(TABLE, "endpoint_id", "after"))
        .order_by(TABLE.c.endpoint_id)
    ),
    StoredEndpoint._make,
)
DELETE = command(delete(TABLE).where(*ONE))
PAUSE = command(
    update(TABLE)
    .where(*ONE, *by_key(TABLE, "url"), TABLE.c.paused.is_(False))
    .values(paused=True, updated_at=named(TABLE, "updated_at", "at"))
)


async def put_endpoint(tx: Transaction, endpoint: StoredEndpoint) -> None:
    """Store an endpoint, new or over an older one."""
    await tx.execute(PUT, endpoint._asdict())


async def read_endpoint(db: Reader, tenant_id: str, endpoint_id: str) -> StoredEndpoint | None:
    """One endpoint."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id, "endpoint_id": endpoint_id})


async def lock_endpoint(tx: Transaction, tenant_id: str, endpoint_id: str) -> StoredEndpoint | None:
    """One endpoint; whoever else wants to change it waits until this transaction ends."""
    return await tx.fetch_one(LOCK, {"tenant_id": tenant_id, "endpoint_id": endpoint_id})


async def list_endpoints(db: Reader, tenant_id: str, *, limit: int, cursor: str | None = None) -> list[StoredEndpoint]:
    """Endpoints by id; the cursor is the last id of the page before."""
    return await db.fetch_all(LIST, {"tenant_id": tenant_id, "after": cursor or "", "limit": limit})


async def delete_endpoint(tx: Transaction, tenant_id: str, endpoint_id: str) -> bool:
    """Take an endpoint away; False when there is none."""
    return await tx.execute(DELETE, {"tenant_id": tenant_id, "endpoint_id": endpoint_id}) == 1


async def pause_endpoint(tx: Transaction, endpoint: StoredEndpoint, at: datetime) -> bool:
    """Send it nothing more; False when there is none, it is paused already, or it has another address by now."""
    key = {"tenant_id": endpoint.tenant_id, "endpoint_id": endpoint.endpoint_id, "url": endpoint.url}
    return await tx.execute(PAUSE, {**key, "at": at}) == 1
