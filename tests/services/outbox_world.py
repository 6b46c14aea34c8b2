"""An outbox with items in it, a worker that does them, and what is to be seen of them afterwards."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from app import clock
from app.services.outbox import Handler, Item, Work, enqueue
from app.services.outbox_worker import OutboxWorker
from app.store.database import Database
from app.store.outbox import StoredItem, list_items

TENANT = "acme"


def item(name: str = "1", **changes: Any) -> Item:
    """An item that is due."""
    now = clock.now()
    return Item(TENANT, "endpoint:e-1", name, "event", name, {"name": name}, now)._replace(**changes)


async def put(database: Database, *items: Item) -> list[str | None]:
    """Enqueue them in one transaction."""
    now = clock.now()

    async def work(tx: Any) -> list[str | None]:
        return [await enqueue(tx, one, now) for one in items]

    return await database.transaction(work)


@asynccontextmanager
async def working(database: Database, handler: Handler, **options: Any) -> AsyncIterator[OutboxWorker]:
    """A worker with this handler for events."""
    worker = OutboxWorker(database, {"event": handler}, **options)
    await worker.start()
    yield worker
    await worker.stop()


async def until(true: Callable[[], bool | Awaitable[bool]], seconds: float = 10.0) -> None:
    """Wait until something holds; fail when it never does."""
    async with asyncio.timeout(seconds):
        while not (found if isinstance(found := true(), bool) else await found):  # noqa: ASYNC110 - of no event
            await asyncio.sleep(0.01)


async def items(database: Database, tenant_id: str = TENANT) -> dict[str, StoredItem]:
    """Every item by its name."""
    found = await list_items(database, tenant_id, limit=10_000)
    return {json.loads(one.payload)["name"]: one for one in found}


async def statuses(database: Database) -> dict[str, str]:
    """The status of every item by its name."""
    return {name: one.status for name, one in (await items(database)).items()}


async def reach(database: Database, **wanted: str) -> None:
    """Wait until these items have these statuses."""

    async def reached() -> bool:
        found = await statuses(database)
        return all(found.get(name.removeprefix("_")) == status for name, status in wanted.items())

    await until(reached)


class Recorder:
    """A handler that does what it is told by item, and remembers what it did."""

    def __init__(self, **failures: Exception) -> None:
        self.failures = failures
        self.done: list[str] = []
        self.attempts: list[tuple[str, int]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.slow = timedelta()

    async def __call__(self, work: Work) -> None:
        """Do one item."""
        name = work.payload["name"]
        self.attempts.append((name, work.attempt))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.slow.total_seconds())
        finally:
            self.at_once -= 1
        failure = self.failures.get("_" + name)
        if failure is not None:
            raise failure
        self.done.append(name)
