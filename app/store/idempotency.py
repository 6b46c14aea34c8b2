"""The answers that were given to writes with an Idempotency-Key."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, insert_into, named, select_shape
from app.store.tables import IdempotencyKeyRow, table_of

TABLE = table_of(IdempotencyKeyRow)


class StoredAnswer(NamedTuple):
    """What was answered; the fingerprint tells whether the same write was sent again."""

    tenant_id: str
    idempotency_key: str
    fingerprint: str
    status: int
    headers: str
    body: bytes
    created_at: datetime


INSERT = insert_into(TABLE)
READ = Query(
    select_shape(TABLE, StoredAnswer).where(*by_key(TABLE, "tenant_id", "idempotency_key")), StoredAnswer._make
)
PURGE = command(
    delete(TABLE).where(*by_key(TABLE, "tenant_id"), TABLE.c.created_at < named(TABLE, "created_at", "before"))
)


async def read_answer(db: Reader, tenant_id: str, idempotency_key: str) -> StoredAnswer | None:
    """The answer that was given under this key."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id, "idempotency_key": idempotency_key})


async def insert_answer(tx: Transaction, answer: StoredAnswer) -> None:
    """Keep an answer in the transaction of the write itself; Conflict when the same key was faster."""
    await tx.execute(INSERT, answer._asdict())


async def purge_answers(tx: Transaction, tenant_id: str, before: datetime) -> int:
    """Forget what is older."""
    return await tx.execute(PURGE, {"tenant_id": tenant_id, "before": before})
