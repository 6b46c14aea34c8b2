"""Passes that any replica may run and one does: whoever moves a pass on has it."""

from datetime import datetime

from sqlalchemy import select, update

from app.store.database import Database, Query, Transaction, command
from app.store.statements import by_key, insert_new, named
from app.store.tables import ClockPassRow, table_of

TABLE = table_of(ClockPassRow)
INSERT = insert_new(TABLE)
NEXT = Query(select(TABLE.c.next_at).where(*by_key(TABLE, "name")), tuple[datetime])
MOVE_ON = command(
    update(TABLE)
    .where(*by_key(TABLE, "name"), TABLE.c.next_at <= named(TABLE, "next_at", "now"))
    .values(next_at=named(TABLE, "next_at", "next"), ran_at=named(TABLE, "ran_at", "now"))
)


async def take_pass(db: Database, name: str, *, now: datetime, following: datetime) -> bool:
    """Whether the pass is due and ours: nobody else has it before `following`."""
    known = await db.fetch_one(NEXT, {"name": name})
    if known is not None and known[0] > now:
        return False

    async def work(tx: Transaction) -> bool:
        await tx.execute(INSERT, {"name": name, "next_at": now, "ran_at": None})
        return await tx.execute(MOVE_ON, {"name": name, "now": now, "next": following}) == 1

    return await db.transaction(work)
