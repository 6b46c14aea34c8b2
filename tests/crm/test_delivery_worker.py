"""The worker: takes what comes and what was left behind, survives a delivery that fails, and is doubled by nobody."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from app.engine import CompiledProcess
from app.services import delivery_worker
from app.services.delivery_report import document
from app.services.delivery_worker import DeliveryWorker
from app.services.processes import Processes
from app.store.database import Database, Reader, open_database
from app.store.deliveries import read_delivery
from tests.crm.builders import NOON, body_of, change, stage_change
from tests.crm.world import deliver, log_of

A, B = "appointmentscheduled", "qualifiedtobuy"


class Broken(Processes):
    """Processes that cannot be had for one deal's sake: `sales` fails as long as it is broken."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = True

    async def compiled(
        self, db: Reader, tenant_id: str, key: str, version: int | None = None
    ) -> CompiledProcess | None:
        if self.broken:
            raise ZeroDivisionError
        return await super().compiled(db, tenant_id, key, version)


@asynccontextmanager
async def _working(*databases: Database, processes: Processes | None = None) -> AsyncIterator[list[DeliveryWorker]]:
    workers = [DeliveryWorker(database, processes or Processes()) for database in databases]
    for worker in workers:
        await worker.start()
    yield workers
    for worker in workers:
        await worker.stop()


async def _status(database: Database, delivery_id: str, wanted: Callable[[str], bool]) -> str:
    """The status, once it is as wanted; at the latest after some seconds as it then is."""
    status = ""
    for _ in range(400):
        row = await read_delivery(database, "acme", delivery_id)
        assert row is not None
        status = row.status
        if wanted(status):
            break
        await asyncio.sleep(0.02)
    return status


async def test_what_was_left_waiting_is_taken_at_the_start_and_what_comes_later_too(database: Database) -> None:
    before = await deliver(database, body_of(stage_change(A)))
    async with _working(database) as (worker,):
        assert await _status(database, before, "processed".__eq__) == "processed"
        later = await deliver(database, body_of(stage_change("w", at=NOON.replace(minute=9))))
        worker.wake()
        assert await _status(database, later, "processed".__eq__) == "processed"
    assert len(await log_of(database)) == 2


async def test_a_delivery_that_fails_is_put_off_while_others_go_on_and_taken_up_again(database: Database) -> None:
    processes = Broken()
    failing = await deliver(database, body_of(stage_change(A)))
    async with _working(database, processes=processes):
        nothing_to_us = await deliver(database, body_of(change("not_mapped", "1")))
        assert await _status(database, nothing_to_us, "processed".__eq__) == "processed"
        row = await read_delivery(database, "acme", failing)
        assert row is not None
        assert (row.status, row.attempts > 0, await log_of(database)) == ("received", True, [])
        processes.broken = False
        assert await _status(database, failing, "processed".__eq__) == "processed"
    assert await log_of(database) == [(None, "demo_scheduled", "not_judged")]


async def test_a_delivery_that_always_fails_is_refused_in_the_end_with_the_reason(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_worker, "FIRST_WAIT", delivery_worker.FIRST_WAIT * 0)
    failing = await deliver(database, body_of(stage_change(A)))
    async with _working(database, processes=Broken()):
        assert await _status(database, failing, "refused".__eq__) == "refused"
    row = await read_delivery(database, "acme", failing)
    assert row is not None
    assert json.loads(row.reason or "") == {"code": "delivery_failed", "params": {"count": 8}}
    assert document(row, "en")["reason"] == "it could not be worked on; tried 8 times, the log tells why"
    assert document(row, "it")["reason"] == "non è stato possibile elaborarla; 8 tentativi, il log dice perché"


async def test_several_replicas_do_each_event_once(fresh_postgres_url: str) -> None:
    from app.store.migrate import migrate
    from tests.crm.world import furnish

    migrate(fresh_postgres_url)
    databases = [open_database(fresh_postgres_url) for _ in range(3)]
    for database in databases:
        await database.start()
    first = databases[0]
    await furnish(first)
    moves = [
        stage_change(stage, deal=deal, at=NOON.replace(minute=minute))
        for deal in range(5)
        for minute, stage in enumerate([A, B, "w"])
    ]
    bodies = [body_of(*moves[start::7]) for start in range(7)] * 6
    ids = [await deliver(first, body) for body in bodies]
    async with _working(*databases, *databases):
        assert [await _status(first, one, "processed".__eq__) for one in ids] == ["processed"] * len(ids)
    counts = [json.loads(row.result or "")["events"] for one in ids if (row := await read_delivery(first, "acme", one))]
    assert sum(one["duplicate"] for one in counts) == len(moves) * 5
    finals = await log_of(first)
    assert (
        sorted(move for move in finals if move[1] == "demo_scheduled") == [(None, "demo_scheduled", "not_judged")] * 5
    )
    assert finals.count(("demo_completed", "won", "blocked")) == 5
    for database in databases:
        await database.stop()
