"""What is to leave: enqueued with what caused it, claimed under a lease, finished or put off by whoever has the lease.

A claim moves `not_before` to the end of the lease, so that what a dead worker left is due again by itself.
"""

from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, exists, func, literal_column, null, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, named, page, select_shape
from app.store.tables import OutboxRow, table_of

TABLE = table_of(OutboxRow)


class StoredItem(NamedTuple):
    """An item. Status: `waiting`, then `done`, `dead` or `cancelled`."""

    tenant_id: str
    item_id: str
    target_id: str
    order_key: str
    kind: str
    dedupe_key: str
    payload: str
    status: str
    attempts: int
    not_before: datetime
    lease_until: datetime | None
    leased_by: str | None
    reason: str | None
    created_at: datetime
    finished_at: datetime | None


class Lease(NamedTuple):
    """Who has an item, and with which attempt: a worker that lost it changes nothing of it any more."""

    tenant_id: str
    item_id: str
    leased_by: str
    attempts: int


ONE = by_key(TABLE, "tenant_id", "item_id")
TARGET = by_key(TABLE, "tenant_id", "target_id")
# Spelled out, as in the partial index: a parameter would keep SQLite from using it.
WAITING = TABLE.c.status == literal_column("'waiting'")
UNDONE: ColumnElement[bool] = literal_column("status IN ('dead', 'cancelled')")
"""Said as in its partial index, beside the status that is asked for."""
WITHDRAWN = "#"
BEHIND_ALL = "~"
"""A cursor for the first page: SQLite takes that index only when asked for a part of it."""
BY_TIME = TABLE.c.attempts >= literal_column("0")
"""Always true; with it the index of what waits by its time may be used."""
NOW = named(TABLE, "not_before", "now")
IDLE = or_(TABLE.c.lease_until.is_(None), TABLE.c.lease_until <= NOW)
HELD = [*ONE, *by_key(TABLE, "leased_by", "attempts"), WAITING]
OLDER = TABLE.alias("older")
# A least value rather than a join that finds no older one: one probe of an index for each item, on both databases.
IS_FIRST = TABLE.c.item_id == (
    select(func.min(OLDER.c.item_id))
    .where(
        OLDER.c.tenant_id == TABLE.c.tenant_id,
        OLDER.c.target_id == TABLE.c.target_id,
        OLDER.c.order_key == TABLE.c.order_key,
        OLDER.c.status == literal_column("'waiting'"),
    )
    .scalar_subquery()
)
BUSY = TABLE.alias("busy")
# Somebody may be at a younger one: an older one was replayed meanwhile, or came from a replica whose clock is behind.
NOBODY_AT_ANY = ~exists().where(
    BUSY.c.tenant_id == TABLE.c.tenant_id,
    BUSY.c.target_id == TABLE.c.target_id,
    BUSY.c.order_key == TABLE.c.order_key,
    BUSY.c.lease_until > NOW,
)
INSERT = command(insert(TABLE).on_conflict_do_nothing(index_elements=[TABLE.c.tenant_id, TABLE.c.dedupe_key]))
READ = Query(select_shape(TABLE, StoredItem).where(*ONE), StoredItem._make)
COUNT_LEASED = Query(
    select(func.count()).select_from(TABLE).where(*TARGET, TABLE.c.lease_until > NOW, WAITING), tuple[int]
)
FIRST_DUE = Query(
    page(
        select_shape(TABLE, StoredItem)
        .where(*TARGET, WAITING, BY_TIME, TABLE.c.not_before <= NOW, IS_FIRST, NOBODY_AT_ANY)
        .order_by(TABLE.c.not_before, TABLE.c.item_id)
        .with_for_update(skip_locked=True)
    ),
    StoredItem._make,
)
LEASE = command(
    update(TABLE)
    .where(*ONE)
    .values(
        not_before=named(TABLE, "not_before", "until"),
        lease_until=named(TABLE, "lease_until", "until"),
        leased_by=named(TABLE, "leased_by", "owner"),
        attempts=TABLE.c.attempts + 1,
    )
)
RENEW = command(
    update(TABLE)
    .where(*HELD)
    .values(not_before=named(TABLE, "not_before", "until"), lease_until=named(TABLE, "lease_until", "until"))
)
_FREE = {"lease_until": null(), "leased_by": null()}
_OVER = {
    "status": named(TABLE, "status", "new_status"),
    "reason": named(TABLE, "reason", "new_reason"),
    "finished_at": named(TABLE, "finished_at", "at"),
}
FINISH = command(update(TABLE).where(*HELD).values({**_FREE, **_OVER}))
PUT_OFF = command(
    update(TABLE)
    .where(*HELD)
    .values(
        {
            **_FREE,
            "not_before": named(TABLE, "not_before", "until"),
            "reason": named(TABLE, "reason", "new_reason"),
            "attempts": named(TABLE, "attempts", "new_attempts"),
        }
    )
)
CANCEL = command(update(TABLE).where(*ONE, WAITING, IDLE).values({**_FREE, **_OVER}))
# The key is given free, so that the same may be enqueued once more; what was cancelled stays to be seen.
WITHDRAW = command(
    update(TABLE)
    .where(*by_key(TABLE, "tenant_id", "dedupe_key"), WAITING, IDLE)
    .values({**_FREE, **_OVER, "dedupe_key": TABLE.c.dedupe_key + WITHDRAWN + TABLE.c.item_id})
)
RELEASE = command(update(TABLE).where(*TARGET, WAITING, BY_TIME, IDLE).values(not_before=NOW))
CANCEL_ALL = command(update(TABLE).where(*TARGET, WAITING, BY_TIME, IDLE).values({**_FREE, **_OVER}))
REPLAY = command(
    update(TABLE)
    .where(*ONE, TABLE.c.status != literal_column("'waiting'"))
    .values(status=literal_column("'waiting'"), attempts=0, not_before=NOW, reason=null(), finished_at=null(), **_FREE)
)
KEY = tuple_(TABLE.c.tenant_id, TABLE.c.item_id)
FINISHED = select(TABLE.c.tenant_id, TABLE.c.item_id).where(
    TABLE.c.finished_at.is_not(None), TABLE.c.finished_at < named(TABLE, "finished_at", "before")
)
FORGET = command(delete(TABLE).where(KEY.in_(page(FINISHED.where(TABLE.c.status != literal_column("'dead'"))))))
FORGET_DEAD = command(delete(TABLE).where(KEY.in_(page(FINISHED))))


def withdrawn(item_id: str) -> str:
    """What the key of an item ends with since it was withdrawn."""
    return WITHDRAWN + item_id


async def insert_item_if_new(tx: Transaction, item: StoredItem) -> bool:
    """Store an item; False when its tenant has one with the same dedupe key."""
    return await tx.execute(INSERT, item._asdict()) == 1


async def read_item(db: Reader, tenant_id: str, item_id: str) -> StoredItem | None:
    """One item."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id, "item_id": item_id})


async def count_leased(tx: Transaction, tenant_id: str, target_id: str, now: datetime) -> int:
    """How many items of a target are being worked on, by whomever."""
    found = await tx.fetch_one(COUNT_LEASED, {"tenant_id": tenant_id, "target_id": target_id, "now": now})
    return 0 if found is None else found[0]


async def lease_items(
    tx: Transaction, tenant_id: str, target_id: str, *, owner: str, now: datetime, until: datetime, limit: int
) -> list[StoredItem]:
    """The first items of a target that are due, each the oldest that waits of its order key; the worker's until then.

    Of an order key at which somebody is, none.

    INVARIANT: `lock_target` was called in this transaction, so that nobody else is choosing.
    """
    place = {"tenant_id": tenant_id, "target_id": target_id}
    found = await tx.fetch_all(FIRST_DUE, {**place, "now": now, "limit": limit})
    for item in found:
        await tx.execute(LEASE, {"tenant_id": tenant_id, "item_id": item.item_id, "until": until, "owner": owner})
    return [
        item._replace(lease_until=until, not_before=until, leased_by=owner, attempts=item.attempts + 1)
        for item in found
    ]


async def renew_lease(tx: Transaction, lease: Lease, until: datetime) -> bool:
    """A worker is still at an item; False when it has lost it."""
    return await tx.execute(RENEW, {**lease._asdict(), "until": until}) == 1


async def finish_item(tx: Transaction, lease: Lease, *, status: str, reason: str | None, at: datetime) -> bool:
    """It is over; False when the lease was lost."""
    params = {**lease._asdict(), "new_status": status, "new_reason": reason, "at": at}
    return await tx.execute(FINISH, params) == 1


async def put_off_item(tx: Transaction, lease: Lease, *, until: datetime, reason: str | None, attempts: int) -> bool:
    """It waits again, with so many attempts made; False when the lease was lost."""
    params = {**lease._asdict(), "until": until, "new_reason": reason, "new_attempts": attempts}
    return await tx.execute(PUT_OFF, params) == 1


async def cancel_item(tx: Transaction, tenant_id: str, item_id: str, *, reason: str, now: datetime) -> bool:
    """Never do it; False when it does not wait, or is being worked on."""
    params = {"tenant_id": tenant_id, "item_id": item_id, "new_status": "cancelled", "new_reason": reason}
    return await tx.execute(CANCEL, {**params, "at": now, "now": now}) == 1


async def withdraw_item(tx: Transaction, tenant_id: str, dedupe_key: str, *, reason: str, now: datetime) -> bool:
    """Never do it, but allow that the same is enqueued again; False when it does not wait, or is being worked on."""
    params = {"tenant_id": tenant_id, "dedupe_key": dedupe_key, "new_status": "cancelled", "new_reason": reason}
    return await tx.execute(WITHDRAW, {**params, "at": now, "now": now}) == 1


async def release_items(tx: Transaction, tenant_id: str, target_id: str, now: datetime) -> int:
    """What waits for a target is due now, whatever it waited for."""
    return await tx.execute(RELEASE, {"tenant_id": tenant_id, "target_id": target_id, "now": now})


async def cancel_items(tx: Transaction, tenant_id: str, target_id: str, *, reason: str, now: datetime) -> int:
    """Never do what waits for a target; how many there were."""
    params = {"tenant_id": tenant_id, "target_id": target_id, "new_status": "cancelled", "new_reason": reason}
    return await tx.execute(CANCEL_ALL, {**params, "at": now, "now": now})


async def replay_item(tx: Transaction, tenant_id: str, item_id: str, now: datetime) -> bool:
    """Do it again from the start; False when it waits already."""
    return await tx.execute(REPLAY, {"tenant_id": tenant_id, "item_id": item_id, "now": now}) == 1


async def forget_items(tx: Transaction, *, over: datetime, dead: datetime, limit: int) -> int:
    """Forget what was done or cancelled before one time, and what died before another; of all tenants, so many each."""
    forgotten = await tx.execute(FORGET, {"before": over, "limit": limit})
    return forgotten + await tx.execute(FORGET_DEAD, {"before": dead, "limit": limit})


async def list_items(
    db: Reader,
    tenant_id: str,
    *,
    limit: int,
    status: str | None = None,
    target_id: str | None = None,
    kind: str | None = None,
    cursor: str | None = None,
) -> list[StoredItem]:
    """Items, newest first; the cursor is the last id of the page before."""
    undone = status in ("dead", "cancelled")
    behind = cursor or (BEHIND_ALL if undone else None)
    wanted = {"status": status, "target_id": target_id, "kind": kind, "cursor": behind}
    given = {name: value for name, value in wanted.items() if value is not None}
    return await db.fetch_all(
        _list_query(tuple(given), undone=undone), {**given, "tenant_id": tenant_id, "limit": limit}
    )


@cache
def _list_query(given: tuple[str, ...], *, undone: bool) -> Query[StoredItem]:
    """One statement for each combination of filters: a condition that is switched off in SQL spoils the index.

    Those that find few among many look at many, and hold up nobody over it.
    """
    statement = select_shape(TABLE, StoredItem).where(*by_key(TABLE, "tenant_id")).order_by(TABLE.c.item_id.desc())
    if undone:
        statement = statement.where(UNDONE)
    for name in given:
        if name == "cursor":
            statement = statement.where(TABLE.c.item_id < named(TABLE, "item_id", "cursor"))
        else:
            statement = statement.where(*by_key(TABLE, name))
    return Query(page(statement), StoredItem._make, long=True)
