"""API keys, found by their public id before any tenant is known."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import update

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, insert_into, named, select_shape
from app.store.tables import ApiKeyRow, table_of

TABLE = table_of(ApiKeyRow)


class ApiKey(NamedTuple):
    """An API key without its secret."""

    tenant_id: str
    key_id: str
    secret_hash: str
    scopes: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


INSERT = insert_into(TABLE)
FIND = Query(select_shape(TABLE, ApiKey).where(*by_key(TABLE, "key_id")), ApiKey._make)
LIST = Query(select_shape(TABLE, ApiKey).where(*by_key(TABLE, "tenant_id")).order_by(TABLE.c.key_id), ApiKey._make)
REVOKE = command(
    update(TABLE)
    .where(*by_key(TABLE, "tenant_id", "key_id"), TABLE.c.revoked_at.is_(None))
    .values(revoked_at=named(TABLE, "revoked_at", "at"))
)


async def add_key(tx: Transaction, key: ApiKey) -> None:
    """Store a key; Conflict when its id is taken, by whatever tenant."""
    await tx.execute(INSERT, key._asdict())


async def find_key(db: Reader, key_id: str) -> ApiKey | None:
    """The key of this id, of whatever tenant, revoked or not."""
    return await db.fetch_one(FIND, {"key_id": key_id})


async def list_keys(db: Reader, tenant_id: str) -> list[ApiKey]:
    """The keys of a tenant, revoked ones included."""
    return await db.fetch_all(LIST, {"tenant_id": tenant_id})


async def revoke_key(tx: Transaction, tenant_id: str, key_id: str, at: datetime) -> bool:
    """Revoke a key; False when there is none that is still good."""
    return await tx.execute(REVOKE, {"tenant_id": tenant_id, "key_id": key_id, "at": at}) == 1
