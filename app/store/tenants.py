"""Tenants."""

from datetime import datetime
from typing import NamedTuple

from app.store.database import Query, Reader, Transaction
from app.store.statements import by_key, insert_into, select_shape
from app.store.tables import TenantRow, table_of

TABLE = table_of(TenantRow)


class Tenant(NamedTuple):
    """A customer."""

    tenant_id: str
    name: str
    created_at: datetime


INSERT = insert_into(TABLE)
READ = Query(select_shape(TABLE, Tenant).where(*by_key(TABLE, "tenant_id")), Tenant._make)
LIST = Query(select_shape(TABLE, Tenant).order_by(TABLE.c.tenant_id), Tenant._make)


async def insert_tenant(tx: Transaction, tenant: Tenant) -> None:
    """Add a tenant; Conflict when the id is taken."""
    await tx.execute(INSERT, tenant._asdict())


async def read_tenant(db: Reader, tenant_id: str) -> Tenant | None:
    """One tenant."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id})


async def list_tenants(db: Reader) -> list[Tenant]:
    """All of them: for the operator's command line and for housekeeping, never for a caller."""
    return await db.fetch_all(LIST, {})
