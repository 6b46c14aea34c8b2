"""Passes that any replica may run and one does: whoever moves a pass on has it."""

from datetime import datetime

from sqlalchemy import or_, select, update

from app.store.database import Database, Query, Transaction, command
from app.store.statements import by_key, insert_new, named
from app.store.tables import ClockPassRow, table_of

TABLE = table_of(ClockPassRow)
INSERT = insert_new(TABLE)
NEXT = Query(select(TABLE.c.next_at).where(*by_key(TABLE, "name")), tuple[datetime])
MOVE_ON = command(
    update(TABLE)
    .where(
        *by_key(TABLE, "name"),
        or_(TABLE.c.next_at <= named(TABLE, "next_at", "now"), TABLE.c.next_at > named(TABLE, "next_at", "latest")),
    )
    .values(next_at=named(TABLE, "next_at", "next"), ran_at=named(TABLE, "ran_at", "now"))
)


async def take_pass(db: Database, name: str, *, now: datetime, following: datetime) -> bool:
    """Whether the pass is due and ours: nobody else has it before `following`.

    One that is to run far later than it could be was moved on by a clock that was wrong: it is due.
    """
    latest = following + (following - now)
    known = await db.fetch_one(NEXT, {"name": name})
    if known is not None and now < known[0] <= latest:
        return False

    async def work(tx: Transaction) -> bool:
        await tx.execute(INSERT, {"name": name, "next_at": now, "ran_at": None})
        return await tx.execute(MOVE_ON, {"name": name, "now": now, "latest": latest, "next": following}) == 1

    return await db.transaction(work)
