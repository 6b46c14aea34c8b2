"""How fast the outbox works, and how little one tenant's target that hangs costs the others.

A tenant's items come one after another while another tenant has nothing, and again while it has ten thousand queued for
a target that hangs; what is compared is the wait from the commit to the hands of the handler.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import uvloop
from sqlalchemy import text

from app import clock
from app.services.outbox import Item, Work, enqueue
from app.services.outbox_worker import OutboxWorker
from app.store.database import Database, Transaction, command, open_database
from app.store.migrate import migrate
from bench.report import Row
from tests.postgres import NoPostgres, execute, in_thread, postgres_server

QUEUED = 10_000
BATCH = 500
PROBES = 400
PAUSE = 0.01
HANGS = 30.0
TARGETS = 5

ANALYZE = command(text("ANALYZE"))
"""What PostgreSQL does by itself within a minute."""


def rows() -> Iterator[Row]:
    """Measure both on SQLite, then on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="stagerail-bench-") as folder:
        yield from _rows(f"sqlite:///{Path(folder) / 'bench.db'}", "SQLite")
    try:
        with postgres_server(durable=True) as url:
            in_thread(execute(url, "CREATE DATABASE stagerail"))
            yield from _rows(f"{url.rpartition('/')[0]}/stagerail", "PostgreSQL")
    except NoPostgres as error:
        yield Row(f"outbox, PostgreSQL: skipped, {error}", 0, "")


def _rows(url: str, name: str) -> Iterator[Row]:
    migrate(url)
    alone, crowded, rate = uvloop.run(_measure(url))
    yield Row(f"outbox, {name}: done", rate, "/s")
    yield Row(f"outbox, {name}: wait of others, p95", 1000 * alone, "ms")
    yield Row(f"outbox, {name}: the same beside a target that hangs", crowded / alone, "x", at_most=2)


async def _measure(url: str) -> tuple[float, float, float]:
    database = open_database(url)
    await database.start()
    hands = _Hands()
    worker = OutboxWorker(database, {"event": hands})
    await worker.start()
    await _waits(database, worker, hands, "warm")
    await database.transaction(lambda tx: tx.fetch_all(ANALYZE, {}))
    alone = await _waits(database, worker, hands, "alone")
    await _fill(database, "hanging", "hangs", QUEUED)
    await database.transaction(lambda tx: tx.fetch_all(ANALYZE, {}))
    worker.wake()
    await asyncio.sleep(1)
    crowded = await _waits(database, worker, hands, "crowded")
    await worker.stop()
    rate = await _drained(database)
    await database.stop()
    return _p95(alone), _p95(crowded), rate


class _Hands:
    """A handler that knows when each item came, and hangs where it is told to."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}

    async def __call__(self, work: Work) -> None:
        self.came[work.dedupe_key] = _now()
        if work.target_id.endswith("hangs"):
            await asyncio.sleep(HANGS)


def _now() -> float:
    return time.perf_counter()


def _p95(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=20)[18]


async def _waits(database: Database, worker: OutboxWorker, hands: _Hands, name: str) -> list[float]:
    """From the commit to the hands, of items that come one after another for three tenants."""
    sent = {}
    for number in range(PROBES):
        key, now = f"{name}-{number}", clock.now()
        item = Item(f"other-{number % 3}", "endpoint:well", key, "event", key, {}, now)
        await database.transaction(partial(enqueue, item=item, now=now))
        sent[key] = _now()
        worker.wake()
        await asyncio.sleep(PAUSE)
    while not sent.keys() <= hands.came.keys():  # noqa: ASYNC110 - of no event
        await asyncio.sleep(PAUSE)
    return [max(hands.came[key] - at, 0.0) for key, at in sent.items()]


async def _fill(database: Database, tenant: str, target: str, count: int) -> None:
    for start in range(0, count, BATCH):

        async def work(tx: Transaction, start: int = start) -> None:
            for number in range(start, start + BATCH):
                key, now = f"{target}-{number}", clock.now()
                await enqueue(tx, Item(tenant, f"endpoint:{target}", key, "event", key, {}, now), now)

        await database.transaction(work)


async def _drained(database: Database) -> float:
    """How many a second one worker does, over a few targets, when the handler takes no time."""
    done = 0
    finished = asyncio.Event()

    async def handler(work: Work) -> None:
        nonlocal done
        done += work.tenant_id == "draining"
        if done == QUEUED:
            finished.set()

    for number in range(TARGETS):
        await _fill(database, "draining", f"t{number}", QUEUED // TARGETS)
    worker = OutboxWorker(database, {"event": handler})
    begun = clock.now()
    await worker.start()
    await finished.wait()
    took = (clock.now() - begun) / timedelta(seconds=1)
    await worker.stop()
    return QUEUED / took
