"""Where things go: which targets have something due, and the circuit that keeps us from one that does not answer."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, exists, func, literal_column, null, or_, select, update

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, insert_new, named, select_shape
from app.store.tables import ConnectionRow, EndpointRow, OutboxRow, OutboxTargetRow, table_of

TABLE = table_of(OutboxTargetRow)
ITEMS = table_of(OutboxRow)
ENDPOINTS = table_of(EndpointRow)
CONNECTIONS = table_of(ConnectionRow)
ENDPOINT = "endpoint:"
CONNECTION = "connection:"
"""What opens a target's id, before that of the endpoint or connection that it is."""


class StoredTarget(NamedTuple):
    """A target. While `open_until` lies ahead nothing is sent there."""

    tenant_id: str
    target_id: str
    failures: int
    open_until: datetime | None


ONE = by_key(TABLE, "tenant_id", "target_id")
NOW = named(TABLE, "open_until", "now")
INSERT = insert_new(TABLE)
READ = Query(select_shape(TABLE, StoredTarget).where(*ONE), StoredTarget._make)
LOCK = Query(select_shape(TABLE, StoredTarget).where(*ONE).with_for_update(), StoredTarget._make)
TRY_LOCK = Query(select_shape(TABLE, StoredTarget).where(*ONE).with_for_update(skip_locked=True), StoredTarget._make)
# One probe of an index for each target, however much waits there: a least value is no join that could be planned badly.
WAITING = (
    ITEMS.c.tenant_id == TABLE.c.tenant_id,
    ITEMS.c.target_id == TABLE.c.target_id,
    ITEMS.c.status == literal_column("'waiting'"),
    ITEMS.c.attempts >= literal_column("0"),
)
FIRST = select(func.min(ITEMS.c.not_before)).where(*WAITING).scalar_subquery()
DUE = Query(
    select_shape(TABLE, StoredTarget)
    .where(or_(TABLE.c.open_until.is_(None), TABLE.c.open_until <= NOW), FIRST <= NOW)
    .order_by(TABLE.c.tenant_id, TABLE.c.target_id),
    StoredTarget._make,
)
FAILED = command(
    update(TABLE)
    .where(*ONE)
    .values(failures=named(TABLE, "failures", "new_failures"), open_until=named(TABLE, "open_until", "until"))
)
CLOSE = update(TABLE).where(*ONE, or_(TABLE.c.failures > 0, TABLE.c.open_until.is_not(None)))
ANSWERED = CLOSE.where(or_(TABLE.c.open_until.is_(None), TABLE.c.open_until <= NOW))
NOTE_ANSWER = command(ANSWERED.values(failures=0, open_until=null()))
BEGIN_ANEW = command(CLOSE.values(failures=0, open_until=null()))
FORGET = command(
    delete(TABLE).where(
        ~exists().where(
            ENDPOINTS.c.tenant_id == TABLE.c.tenant_id,
            literal_column(f"'{ENDPOINT}'") + ENDPOINTS.c.endpoint_id == TABLE.c.target_id,
        ),
        ~exists().where(
            CONNECTIONS.c.tenant_id == TABLE.c.tenant_id,
            literal_column(f"'{CONNECTION}'") + CONNECTIONS.c.connection_id == TABLE.c.target_id,
        ),
        ~exists().where(*WAITING),
    )
)


async def know_target(tx: Transaction, tenant_id: str, target_id: str) -> None:
    """See to it that the target is there to be found."""
    await tx.execute(INSERT, StoredTarget(tenant_id, target_id, 0, None)._asdict())


async def read_target(db: Reader, tenant_id: str, target_id: str) -> StoredTarget | None:
    """One target."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id, "target_id": target_id})


async def due_targets(db: Reader, now: datetime) -> list[StoredTarget]:
    """The targets of all tenants that may be sent to and have something due, by tenant."""
    return await db.fetch_all(DUE, {"now": now})


async def try_lock_target(tx: Transaction, tenant_id: str, target_id: str) -> StoredTarget | None:
    """One target, if nobody else is choosing among its items now; nobody else can until this transaction ends."""
    return await tx.fetch_one(TRY_LOCK, {"tenant_id": tenant_id, "target_id": target_id})


async def lock_target(tx: Transaction, tenant_id: str, target_id: str) -> StoredTarget | None:
    """One target; waits for whoever has it."""
    return await tx.fetch_one(LOCK, {"tenant_id": tenant_id, "target_id": target_id})


async def note_failure(tx: Transaction, target: StoredTarget) -> None:
    """Write how often it has failed in a row, and until when nothing is sent there."""
    key = {"tenant_id": target.tenant_id, "target_id": target.target_id}
    await tx.execute(FAILED, {**key, "new_failures": target.failures, "until": target.open_until})


async def note_answer(tx: Transaction, tenant_id: str, target_id: str, now: datetime) -> None:
    """It has answered: its failures are forgotten, its circuit closes.

    While that is open only what was under way before can answer, and tells nothing new: a pause asked for lasts.
    """
    await tx.execute(NOTE_ANSWER, {"tenant_id": tenant_id, "target_id": target_id, "now": now})


async def begin_anew(tx: Transaction, tenant_id: str, target_id: str) -> None:
    """It is another than it was: what was found of it does not hold any more."""
    await tx.execute(BEGIN_ANEW, {"tenant_id": tenant_id, "target_id": target_id})


async def forget_targets(tx: Transaction) -> int:
    """Forget those, of all tenants, that are gone and for which nothing waits; how many there were."""
    return await tx.execute(FORGET, {})
