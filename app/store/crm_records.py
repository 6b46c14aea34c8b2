"""What a CRM has told about each of its deals: one document a deal, locked while somebody works on it.

`judge_at` says when the deal has settled and is to be judged. Who takes it up moves it on, as a lease: what a dead
worker left is due again by itself.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select, update

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, insert_new, named, page, select_shape
from app.store.tables import CrmRecordRow, table_of

TABLE = table_of(CrmRecordRow)


class StoredRecord(NamedTuple):
    """A record as it is stored; `attempts` counts the readings that failed since something new came."""

    tenant_id: str
    connection_id: str
    object_id: str
    document: str | None
    judge_at: datetime | None = None
    attempts: int = 0


KEY = by_key(TABLE, "tenant_id", "connection_id")
ONE = by_key(TABLE, "tenant_id", "connection_id", "object_id")
NOW = named(TABLE, "judge_at", "now")
DUE = (TABLE.c.judge_at.is_not(None), TABLE.c.judge_at <= NOW)
INSERT = insert_new(TABLE)
READ = Query(select_shape(TABLE, StoredRecord).where(*ONE), StoredRecord._make)
LOCK = Query(select_shape(TABLE, StoredRecord).where(*ONE).with_for_update(), StoredRecord._make)
WRITE = command(
    update(TABLE)
    .where(*ONE)
    .values(
        document=named(TABLE, "document", "new_document"),
        judge_at=named(TABLE, "judge_at", "new_judge_at"),
        attempts=named(TABLE, "attempts", "new_attempts"),
    )
)
ASK = command(
    update(TABLE)
    .where(*ONE, or_(TABLE.c.judge_at.is_(None), TABLE.c.judge_at > named(TABLE, "judge_at", "at")))
    .values(judge_at=named(TABLE, "judge_at", "at"), attempts=0)
)
CONNECTIONS_DUE = Query(
    select(TABLE.c.tenant_id, TABLE.c.connection_id)
    .where(*DUE)
    .group_by(TABLE.c.tenant_id, TABLE.c.connection_id)
    .order_by(func.min(TABLE.c.judge_at)),
    tuple,
)
FIRST_DUE = Query(
    page(
        select_shape(TABLE, StoredRecord)
        .where(*KEY, *DUE)
        .order_by(TABLE.c.judge_at, TABLE.c.object_id)
        .with_for_update(skip_locked=True)
    ),
    StoredRecord._make,
)
OBJECTS: Query[tuple[str]] = Query(
    page(select(TABLE.c.object_id).where(*KEY, TABLE.c.object_id > named(TABLE, "object_id", "after"))).order_by(
        TABLE.c.object_id
    ),
    tuple,
)
MOVE_ON = command(
    update(TABLE)
    .where(*ONE, TABLE.c.judge_at == named(TABLE, "judge_at", "lease"))
    .values(judge_at=named(TABLE, "judge_at", "until"), attempts=named(TABLE, "attempts", "new_attempts"))
)
LEASE = command(update(TABLE).where(*ONE).values(judge_at=named(TABLE, "judge_at", "until")))


async def read_record(db: Reader, tenant_id: str, connection_id: str, object_id: str) -> StoredRecord | None:
    """One record; None when nothing was ever told of the deal."""
    return await db.fetch_one(READ, _key(tenant_id, connection_id, object_id))


async def list_objects(db: Reader, tenant_id: str, connection_id: str, *, after: str, limit: int) -> list[str]:
    """The ids of a connection's deals, in their order."""
    key = {"tenant_id": tenant_id, "connection_id": connection_id, "after": after, "limit": limit}
    return [row[0] for row in await db.fetch_all(OBJECTS, key)]


async def lock_record(tx: Transaction, tenant_id: str, connection_id: str, object_id: str) -> StoredRecord:
    """The record of a deal, without a document when there is none yet; nobody else can work on it until this ends.

    The row is made first where there is none, so that two deliveries that bring the same new deal meet at it.
    """
    key = _key(tenant_id, connection_id, object_id)
    await tx.execute(INSERT, {**key, "document": None, "judge_at": None, "attempts": 0})
    return await tx.fetch_one(LOCK, key) or StoredRecord(tenant_id, connection_id, object_id, None)


async def write_record(tx: Transaction, record: StoredRecord) -> None:
    """Overwrite a record. INVARIANT: `lock_record` was called in this transaction."""
    changes = {
        "new_document": record.document,
        "new_judge_at": record.judge_at,
        "new_attempts": record.attempts,
    }
    await tx.execute(WRITE, {**_key(*record[:3]), **changes})


async def ask_to_judge(tx: Transaction, tenant_id: str, connection_id: str, object_id: str, at: datetime) -> None:
    """Have a deal read back and judged at a time, or earlier where that was asked already."""
    key = _key(tenant_id, connection_id, object_id)
    await tx.execute(INSERT, {**key, "document": None, "judge_at": at, "attempts": 0})
    await tx.execute(ASK, {**key, "at": at})


async def connections_due(db: Reader, now: datetime) -> list[tuple[Any, ...]]:
    """Tenant and connection of all deals that are to be judged by now, the longest waiting first."""
    return await db.fetch_all(CONNECTIONS_DUE, {"now": now})


async def lease_due(
    tx: Transaction, tenant_id: str, connection_id: str, *, now: datetime, until: datetime, limit: int
) -> list[StoredRecord]:
    """Deals of a connection that are to be judged by now and that nobody else is at; under a lease from here on."""
    key = {"tenant_id": tenant_id, "connection_id": connection_id}
    found = await tx.fetch_all(FIRST_DUE, {**key, "now": now, "limit": limit})
    for one in found:
        await tx.execute(LEASE, {**_key(*one[:3]), "until": until})
    return [one._replace(judge_at=until) for one in found]


async def put_off(tx: Transaction, record: StoredRecord, until: datetime | None) -> bool:
    """End the lease: due again at a time, or never; False when something new has come since and set its own time."""
    changes = {"lease": record.judge_at, "until": until, "new_attempts": record.attempts}
    return await tx.execute(MOVE_ON, {**_key(*record[:3]), **changes}) == 1


def _key(tenant_id: str, connection_id: str, object_id: str) -> dict[str, str]:
    return {"tenant_id": tenant_id, "connection_id": connection_id, "object_id": object_id}
