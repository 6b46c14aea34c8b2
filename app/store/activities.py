"""Activities beside the snapshots that hold them too: for finding one by its id, and for questions across deals."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, select_shape, upsert
from app.store.tables import ActivityRow, table_of

TABLE = table_of(ActivityRow)


class StoredActivity(NamedTuple):
    """An activity as it is stored."""

    tenant_id: str
    deal_id: str
    activity_id: str
    activity: str
    at: datetime
    status: str
    outcome: str | None
    direction: str | None
    by_id: str | None
    contacts: str
    content_digest: str


UPSERT = upsert(TABLE)
FIND = Query(
    select_shape(TABLE, StoredActivity).where(*by_key(TABLE, "tenant_id", "deal_id", "activity_id")),
    StoredActivity._make,
)
LIST = Query(
    select_shape(TABLE, StoredActivity)
    .where(*by_key(TABLE, "tenant_id", "deal_id"))
    .order_by(TABLE.c.at, TABLE.c.activity_id),
    StoredActivity._make,
)
DIGESTS = Query(
    select(TABLE.c.activity_id, TABLE.c.content_digest).where(*by_key(TABLE, "tenant_id", "deal_id")), tuple
)
DELETE = command(delete(TABLE).where(*by_key(TABLE, "tenant_id", "deal_id", "activity_id")))


async def put_activity(tx: Transaction, activity: StoredActivity) -> None:
    """Store an activity, over an older one of the same id."""
    await tx.execute(UPSERT, activity._asdict())


async def find_activity(db: Reader, tenant_id: str, deal_id: str, activity_id: str) -> StoredActivity | None:
    """One activity; its `content_digest` tells whether the same was sent again."""
    return await db.fetch_one(FIND, {"tenant_id": tenant_id, "deal_id": deal_id, "activity_id": activity_id})


async def list_activities(db: Reader, tenant_id: str, deal_id: str) -> list[StoredActivity]:
    """The activities of a deal, oldest first."""
    return await db.fetch_all(LIST, {"tenant_id": tenant_id, "deal_id": deal_id})


async def replace_activities(tx: Transaction, tenant_id: str, deal_id: str, activities: list[StoredActivity]) -> None:
    """Make these the activities of a deal, writing only what differs."""
    deal = {"tenant_id": tenant_id, "deal_id": deal_id}
    known = {row[0]: row[1] for row in await tx.fetch_all(DIGESTS, deal)}
    for activity in activities:
        if known.pop(activity.activity_id, None) != activity.content_digest:
            await put_activity(tx, activity)
    for gone in known:
        await tx.execute(DELETE, {**deal, "activity_id": gone})
