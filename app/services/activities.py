"""Activities of a stored deal: logged once per id, and changed when what was planned has happened."""

from datetime import datetime
from typing import NamedTuple

from app.engine import Activity, Snapshot
from app.services.deals import activity_row, changed, write_deal
from app.services.refusals import ActivityConflict, UnknownActivity, UnknownDeal
from app.store.activities import put_activity
from app.store.database import Transaction
from app.store.deals import StoredDeal, read_deal_for_update


class LoggedActivity(NamedTuple):
    """The deal after it, and whether the activity is new."""

    deal: StoredDeal
    created: bool


async def log_activity(
    tx: Transaction, tenant_id: str, deal_id: str, activity: Activity, *, now: datetime
) -> LoggedActivity:
    """Log an activity. The same once more changes nothing; another content under a known id is refused."""
    row, snapshot = await _read(tx, tenant_id, deal_id)
    known = {one.id: one for one in snapshot.activities}.get(activity.id)
    if known is not None:
        if known != activity:
            raise ActivityConflict(activity=activity.id)
        return LoggedActivity(row, created=False)
    return LoggedActivity(
        await _store(tx, row, snapshot, (*snapshot.activities, activity), activity, now=now), created=True
    )


async def change_activity(
    tx: Transaction, tenant_id: str, deal_id: str, activity: Activity, *, now: datetime
) -> LoggedActivity:
    """Overwrite an activity that was logged before."""
    row, snapshot = await _read(tx, tenant_id, deal_id)
    if activity.id not in {one.id for one in snapshot.activities}:
        raise UnknownActivity(activity=activity.id, deal=deal_id)
    activities = tuple(activity if one.id == activity.id else one for one in snapshot.activities)
    if activities == snapshot.activities:
        return LoggedActivity(row, created=False)
    return LoggedActivity(await _store(tx, row, snapshot, activities, activity, now=now), created=False)


async def _read(tx: Transaction, tenant_id: str, deal_id: str) -> tuple[StoredDeal, Snapshot]:
    row = await read_deal_for_update(tx, tenant_id, deal_id)
    if row is None:
        raise UnknownDeal(deal=deal_id)
    return row, Snapshot.model_validate_json(row.snapshot)


async def _store(
    tx: Transaction,
    row: StoredDeal,
    snapshot: Snapshot,
    activities: tuple[Activity, ...],
    activity: Activity,
    *,
    now: datetime,
) -> StoredDeal:
    deal = changed(row, snapshot.model_copy(update={"activities": activities}), now)
    await write_deal(tx, deal, row, None)
    await put_activity(tx, activity_row(row.tenant_id, row.deal_id, activity))
    return deal
