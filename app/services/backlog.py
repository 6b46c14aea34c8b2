"""How much waits for the workers, of all tenants, and how late they are: for whoever watches the service."""

from datetime import datetime, timedelta
from typing import NamedTuple

from app.store.backlog import count_waiting
from app.store.database import Database, DatabaseDown

COUNT_TO = 100_000
FRESH = timedelta(seconds=10)
"""Counted anew after so long, however often somebody asks."""


class Waiting(NamedTuple):
    """What waits in one queue; `late` are the seconds that the first of it has been due for, where that tells."""

    queue: str
    waiting: int
    late: float | None


class Backlogs:
    """The queues behind one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted: tuple[Waiting, ...] = ()
        self._counted_at: datetime | None = None

    async def read(self, now: datetime) -> tuple[Waiting, ...]:
        """Every queue; none while the database does not answer."""
        if self._counted_at is not None and abs(now - self._counted_at) < FRESH:
            return self._counted
        try:
            found = await count_waiting(self._database, COUNT_TO)
        except DatabaseDown:
            return ()
        self._counted_at = now
        self._counted = tuple(
            Waiting(name, one.waiting, None if name == "outbox" else _late(one.due_at, now))
            for name, one in found.items()
        )
        return self._counted


def _late(due_at: datetime | None, now: datetime) -> float:
    return 0.0 if due_at is None else max(0.0, (now - due_at).total_seconds())
