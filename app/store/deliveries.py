"""Deliveries received from CRMs: stored before they are answered, worked on afterwards, one worker at a time each."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, literal_column, null, or_, select, tuple_, update

from app.store.database import Database, Query, Reader, Transaction, command
from app.store.statements import by_key, insert_into, insert_new, named, page, select_shape
from app.store.tables import DeliveryRow, WebhookEventRow, table_of

TABLE = table_of(DeliveryRow)
EVENTS = table_of(WebhookEventRow)


class StoredDelivery(NamedTuple):
    """A delivery. Status: `received`, then `processed` or `refused`."""

    tenant_id: str
    delivery_id: str
    connection_id: str
    received_at: datetime
    status: str
    reason: str | None
    body: bytes
    attempts: int
    not_before: datetime
    processed_at: datetime | None
    result: str | None
    erase_at: datetime | None = None


ONE = by_key(TABLE, "tenant_id", "delivery_id")
# Spelled out, as in the partial index: a parameter would keep SQLite from using it.
WAITING = TABLE.c.status == literal_column("'received'")
INSERT = insert_into(TABLE)
READ = Query(select_shape(TABLE, StoredDelivery).where(*ONE), StoredDelivery._make)
CLAIM = Query(
    page(
        select_shape(TABLE, StoredDelivery)
        .where(WAITING, TABLE.c.not_before <= named(TABLE, "not_before", "now"))
        .order_by(TABLE.c.received_at, TABLE.c.delivery_id)
        .with_for_update(skip_locked=True)
    ),
    StoredDelivery._make,
)
CLOSE = command(
    update(TABLE)
    .where(*ONE, WAITING)
    .values(
        status=named(TABLE, "status", "new_status"),
        reason=named(TABLE, "reason", "new_reason"),
        result=named(TABLE, "result", "new_result"),
        processed_at=named(TABLE, "processed_at", "at"),
        attempts=TABLE.c.attempts + 1,
    )
)
POSTPONE = command(
    update(TABLE)
    .where(*ONE, WAITING)
    .values(
        not_before=named(TABLE, "not_before", "until"),
        reason=named(TABLE, "reason", "new_reason"),
        attempts=TABLE.c.attempts + 1,
    )
)
KEY = tuple_(TABLE.c.tenant_id, TABLE.c.delivery_id)
ERASE = command(
    update(TABLE)
    .where(
        KEY.in_(
            page(
                select(TABLE.c.tenant_id, TABLE.c.delivery_id).where(
                    TABLE.c.erase_at.is_not(None),
                    TABLE.c.erase_at <= named(TABLE, "erase_at", "now"),
                    TABLE.c.status != literal_column("'received'"),
                )
            )
        )
    )
    .values(body=b"", erase_at=null())
)
INSERT_EVENT = insert_new(EVENTS)
EVENT_KEY = (EVENTS.c.tenant_id, EVENTS.c.connection_id, EVENTS.c.event_key)
# Without a time are those of a version that kept none: the records of the deals know these events as well.
LONG_SEEN = or_(EVENTS.c.seen_at.is_(None), EVENTS.c.seen_at < named(EVENTS, "seen_at", "before"))
FORGET_EVENTS = command(delete(EVENTS).where(tuple_(*EVENT_KEY).in_(page(select(*EVENT_KEY).where(LONG_SEEN)))))


async def append_delivery(db: Database, delivery: StoredDelivery) -> None:
    """Store a delivery durably; only then may it be answered."""
    await db.append(INSERT, delivery._asdict())


async def insert_delivery(tx: Transaction, delivery: StoredDelivery) -> None:
    """Store a delivery together with what it brought about."""
    await tx.execute(INSERT, delivery._asdict())


async def read_delivery(db: Reader, tenant_id: str, delivery_id: str) -> StoredDelivery | None:
    """One delivery."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id, "delivery_id": delivery_id})


async def claim_delivery(tx: Transaction, now: datetime) -> StoredDelivery | None:
    """The oldest delivery of all tenants that is due and that nobody else is at; this transaction's until it ends.

    It is worked on and finished in this very transaction: a worker that dies lets go of it by dying.
    """
    return await tx.fetch_one(CLAIM, {"now": now, "limit": 1})


async def finish_delivery(tx: Transaction, delivery: StoredDelivery, *, result: str, at: datetime) -> bool:
    """It has been worked on; False when it was no longer waiting."""
    return await _close(tx, delivery, {"new_status": "processed", "new_reason": None, "new_result": result, "at": at})


async def refuse_delivery(tx: Transaction, delivery: StoredDelivery, *, reason: str, at: datetime) -> bool:
    """It will never be worked on, and why; False when it was no longer waiting."""
    return await _close(tx, delivery, {"new_status": "refused", "new_reason": reason, "new_result": None, "at": at})


async def postpone_delivery(tx: Transaction, delivery: StoredDelivery, *, reason: str, until: datetime) -> bool:
    """It failed and is to be tried again later; False when it was no longer waiting."""
    params = {"new_reason": reason, "until": until}
    return await tx.execute(POSTPONE, {**_key(delivery), **params}) == 1


async def erase_bodies(tx: Transaction, now: datetime, limit: int) -> int:
    """Erase the bodies, of all tenants, whose time is over and that nobody needs any more; how many there were."""
    return await tx.execute(ERASE, {"now": now, "limit": limit})


async def insert_events_if_new(
    tx: Transaction, tenant_id: str, connection_id: str, event_keys: list[str], now: datetime
) -> set[str]:
    """Remember these events; those that were not known yet. In key order, so that two batches cannot deadlock."""
    new = set()
    for event_key in sorted(set(event_keys)):
        row = {"tenant_id": tenant_id, "connection_id": connection_id, "event_key": event_key, "seen_at": now}
        if await tx.execute(INSERT_EVENT, row) == 1:
            new.add(event_key)
    return new


async def forget_events(tx: Transaction, before: datetime, limit: int) -> int:
    """Forget the events, of all tenants, that were taken in before: nobody sends them again; how many there were."""
    return await tx.execute(FORGET_EVENTS, {"before": before, "limit": limit})


def _key(delivery: StoredDelivery) -> dict[str, str]:
    return {"tenant_id": delivery.tenant_id, "delivery_id": delivery.delivery_id}


async def _close(tx: Transaction, delivery: StoredDelivery, params: dict[str, object]) -> bool:
    return await tx.execute(CLOSE, {**_key(delivery), **params}) == 1
