"""What waits for the workers, of all tenants: how much, and since when the first of it has been due."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, func, null, select

from app.store import crm_records, deliveries, outbox
from app.store.database import Query, Reader
from app.store.statements import page


class Backlog(NamedTuple):
    """How much waits, counted no further than asked; `due_at` is None where nothing does, and for the outbox: there
    what is due may rightly wait behind another item, or for its target.
    """

    waiting: int
    due_at: datetime | None


def _query(table: Table, waiting: ColumnElement[bool], due: ColumnElement[Any]) -> Query[Backlog]:
    found = page(select(due.label("due")).select_from(table).where(waiting)).subquery()
    return Query(select(func.count(), func.min(found.c.due)).select_from(found), Backlog._make, long=True)


_QUEUES = {
    "deliveries": _query(deliveries.TABLE, deliveries.WAITING, deliveries.TABLE.c.not_before),
    "deals": _query(crm_records.TABLE, crm_records.TABLE.c.judge_at.is_not(None), crm_records.TABLE.c.judge_at),
    "outbox": _query(outbox.TABLE, outbox.WAITING, null()),
}


async def count_waiting(db: Reader, limit: int) -> dict[str, Backlog]:
    """Deliveries that came, deals that settle, and what is to leave."""
    counted = {name: await db.fetch_one(query, {"limit": limit}) for name, query in _QUEUES.items()}
    return {name: found or Backlog(0, None) for name, found in counted.items()}
