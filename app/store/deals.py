"""Deals: each is read as one row, its whole snapshot a document beside the facts that lists need."""

from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import null, update

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, insert_into, named, page, select_shape
from app.store.tables import DealRow, table_of

TABLE = table_of(DealRow)


class StoredDeal(NamedTuple):
    """A deal as it is stored.

    `missing` names the facts that its CRM has not told whole, with spaces between; None where that is not known.
    """

    tenant_id: str
    deal_id: str
    process_key: str
    process_version: int
    stage: str
    owner: str | None
    revision: int
    snapshot: str
    connection_id: str | None
    created_at: datetime
    updated_at: datetime
    rots_at: datetime | None = None
    missing: str | None = None


ONE = by_key(TABLE, "tenant_id", "deal_id")
CHANGED = (
    "process_key", "process_version", "stage", "owner", "revision", "snapshot", "updated_at", "rots_at",
    "missing",
)  # fmt: skip
READ = Query(select_shape(TABLE, StoredDeal).where(*ONE), StoredDeal._make)
READ_FOR_UPDATE = Query(select_shape(TABLE, StoredDeal).where(*ONE).with_for_update(), StoredDeal._make)
INSERT = insert_into(TABLE)
UPDATE = command(
    update(TABLE)
    .where(*ONE, TABLE.c.revision == named(TABLE, "revision", "expected_revision"))
    .values({name: named(TABLE, name, f"new_{name}") for name in CHANGED})
)
ROTTEN = Query(
    page(
        select_shape(TABLE, StoredDeal)
        .where(TABLE.c.rots_at.is_not(None), TABLE.c.rots_at <= named(TABLE, "rots_at", "now"))
        .order_by(TABLE.c.rots_at)
        .with_for_update(skip_locked=True)
    ),
    StoredDeal._make,
)
TOLD = command(update(TABLE).where(*ONE).values(rots_at=null()))


async def read_deal(db: Reader, tenant_id: str, deal_id: str) -> StoredDeal | None:
    """One deal, one row."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id, "deal_id": deal_id})


async def read_deal_for_update(tx: Transaction, tenant_id: str, deal_id: str) -> StoredDeal | None:
    """One deal; whoever else wants to change it waits until this transaction ends."""
    return await tx.fetch_one(READ_FOR_UPDATE, {"tenant_id": tenant_id, "deal_id": deal_id})


async def insert_deal(tx: Transaction, deal: StoredDeal) -> None:
    """Store a new deal; Conflict when its id is taken."""
    await tx.execute(INSERT, deal._asdict())


async def update_deal(tx: Transaction, deal: StoredDeal, *, expected_revision: int) -> bool:
    """Overwrite a deal if it still has the expected revision; False when another was faster, and nothing is changed.

    What a deal was born with (`created_at`, `connection_id`) stays.
    """
    params = {f"new_{name}": getattr(deal, name) for name in CHANGED}
    params |= {"tenant_id": deal.tenant_id, "deal_id": deal.deal_id, "expected_revision": expected_revision}
    return await tx.execute(UPDATE, params) == 1


async def take_rotten(tx: Transaction, now: datetime, limit: int) -> list[StoredDeal]:
    """Deals of all tenants that have stayed too long in their stage; each is handed out once for each stay."""
    found = await tx.fetch_all(ROTTEN, {"now": now, "limit": limit})
    for deal in found:
        await tx.execute(TOLD, {"tenant_id": deal.tenant_id, "deal_id": deal.deal_id})
    return found


async def list_deals(
    db: Reader,
    tenant_id: str,
    *,
    limit: int,
    process_key: str | None = None,
    stage: str | None = None,
    cursor: str | None = None,
) -> list[StoredDeal]:
    """Deals by id, of one process or stage if asked for; the cursor is the last id of the page before."""
    wanted = {"process_key": process_key, "stage": stage, "cursor": cursor}
    given = {name: value for name, value in wanted.items() if value is not None}
    return await db.fetch_all(_list_query(tuple(given)), {**given, "tenant_id": tenant_id, "limit": limit})


@cache
def _list_query(given: tuple[str, ...]) -> Query[StoredDeal]:
    """One statement for each combination of filters: a condition that is switched off in SQL spoils the index."""
    statement = select_shape(TABLE, StoredDeal).where(*by_key(TABLE, "tenant_id")).order_by(TABLE.c.deal_id)
    for name in given:
        if name == "cursor":
            statement = statement.where(TABLE.c.deal_id > named(TABLE, "deal_id", "cursor"))
        else:
            statement = statement.where(*by_key(TABLE, name))
    return Query(page(statement), StoredDeal._make)
