"""How fast the outbox works, and how little one tenant's target that hangs costs the others.

Three tenants' items come one after another, in turn to an outbox that is else empty and to one where another tenant has
ten thousand queued for a target that hangs; what is compared is the wait from the commit to the hands of the handler.
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

from app import clock
from app.services.outbox import Item, Work, enqueue
from app.services.outbox_worker import OutboxWorker
from app.store.database import Database, Transaction, open_database
from app.store.migrate import migrate
from bench.report import Row
from tests.postgres import NoPostgres, execute, in_thread, postgres_server

QUEUED = 10_000
BATCH = 500
PROBES = 400
PAUSE = 0.01
HANGS = 30.0
TARGETS = 5


def rows() -> Iterator[Row]:
    """Measure both on SQLite, then on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="stagerail-bench-") as folder:
        yield from _rows([f"sqlite:///{Path(folder) / name}.db" for name in ("quiet", "crowded")], "SQLite")
    try:
        with postgres_server(durable=True) as url:
            in_thread(execute(url, "CREATE DATABASE quiet", "CREATE DATABASE crowded"))
            yield from _rows([f"{url.rpartition('/')[0]}/{name}" for name in ("quiet", "crowded")], "PostgreSQL")
    except NoPostgres as error:
        yield Row(f"outbox, PostgreSQL: skipped, {error}", 0, "")


def _rows(urls: list[str], name: str) -> Iterator[Row]:
    for url in urls:
        migrate(url)
    alone, crowded, rate = uvloop.run(_measure(*urls))
    yield Row(f"outbox, {name}: done", rate, "/s")
    yield Row(f"outbox, {name}: wait of others, p95", 1000 * alone, "ms")
    yield Row(f"outbox, {name}: the same beside a target that hangs", crowded / alone, "x", at_most=2)


async def _measure(quiet_url: str, crowded_url: str) -> tuple[float, float, float]:
    quiet, crowded = _Place(quiet_url), _Place(crowded_url)
    for place in (quiet, crowded):
        await place.open()
    await _fill(crowded.database, "hanging", "hangs", QUEUED)
    for place in (quiet, crowded):
        await place.worker.start()
    await _probe(quiet, crowded, "warm")
    alone, beside = await _probe(quiet, crowded, "probe")
    await crowded.worker.stop()
    await quiet.worker.stop()
    rate = await _drained(quiet.database)
    await quiet.database.stop()
    await crowded.database.stop()
    return _p95(alone), _p95(beside), rate


class _Place:
    """A database with a worker of its own."""

    def __init__(self, url: str) -> None:
        self.database = open_database(url)
        self.hands = _Hands()
        self.worker = OutboxWorker(self.database, {"event": self.hands})

    async def open(self) -> None:
        """Open the database."""
        await self.database.start()

    async def send(self, number: int, key: str) -> float:
        """Enqueue one item for one of three tenants, and wake the worker; when that was."""
        now = clock.now()
        item = Item(f"other-{number % 3}", "endpoint:well", key, "event", key, {}, now)
        await self.database.transaction(partial(enqueue, item=item, now=now))
        at = _now()
        self.worker.wake()
        return at


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


async def _probe(quiet: _Place, crowded: _Place, name: str) -> tuple[list[float], list[float]]:
    """From the commit to the hands: one item here, one there, in turn, so that both see the same neighbours."""
    places = (quiet, crowded)
    sent: tuple[dict[str, float], ...] = ({}, {})
    for number in range(PROBES):
        for place, own in zip(places, sent, strict=True):
            key = f"{name}-{number}"
            own[key] = await place.send(number, key)
            await asyncio.sleep(PAUSE)
    for place, own in zip(places, sent, strict=True):
        while not own.keys() <= place.hands.came.keys():  # noqa: ASYNC110 - of no event
            await asyncio.sleep(PAUSE)
    alone, beside = (
        [max(place.hands.came[key] - at, 0.0) for key, at in own.items()]
        for place, own in zip(places, sent, strict=True)
    )
    return alone, beside


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
