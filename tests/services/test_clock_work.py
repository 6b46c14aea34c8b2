"""Passes that the clock asks for: each run by exactly one of many, each time it is due; and what they do."""

import asyncio
import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from app.engine import Snapshot
from app.services import outbox_report
from app.services.clock_work import ClockWork, Pass, usual_passes
from app.services.deals import Precondition, put_deal
from app.services.endpoints import Change, put
from app.services.events import Events
from app.services.moves import move_deal
from app.services.processes import Processes
from app.store.connections import put_connection
from app.store.database import Database, Transaction, open_database
from app.store.deals import read_deal
from app.store.deliveries import append_delivery, insert_events_if_new, read_delivery
from app.store.endpoints import put_endpoint
from app.store.idempotency import insert_answer, read_answer
from app.store.outbox import insert_item_if_new, list_items
from app.store.outbox_targets import due_targets, know_target, read_target
from tests.services.test_event_sender import KEY, URL
from tests.store.rows import (
    NOON,
    add_version,
    answer,
    connection,
    delivery,
    endpoint,
    minutes,
    outbox_item,
    version,
)

ROTTING = """
process: sales
stages: [{key: new, rots_after: 2d}, {key: talk, rots_after: 1d}, {key: won, kind: won}]
path: [new, talk, won]
"""


async def test_a_pass_is_run_by_one_of_many_each_time_it_is_due(migrated_url: str) -> None:
    databases = [open_database(migrated_url)]
    if migrated_url.startswith("postgres"):
        databases += [open_database(migrated_url) for _ in range(2)]
    for database in databases:
        await database.start()
    ran: list[datetime] = []

    async def run(now: datetime) -> None:
        ran.append(now)

    workers = [ClockWork(databases[n % len(databases)], {"one": Pass(minutes(1), run)}) for n in range(3)]
    for minute in (0, 0.5, 1, 1.5, 7):
        now = NOON + timedelta(minutes=minute)
        await asyncio.gather(*[worker.run_due(now) for worker in workers for _ in range(3)])
    assert ran == [NOON, NOON + minutes(1), NOON + minutes(7)]
    for database in databases:
        await database.stop()


async def test_a_pass_that_a_wrong_clock_moved_far_on_is_due(database: Database) -> None:
    ran: list[datetime] = []

    async def run(now: datetime) -> None:
        ran.append(now)

    work = ClockWork(database, {"one": Pass(minutes(5), run)})
    for now in (NOON + timedelta(days=9), NOON, NOON - timedelta(seconds=9), NOON + minutes(4), NOON + minutes(5)):
        await work.run_due(now)
    assert ran == [NOON + timedelta(days=9), NOON, NOON + minutes(5)]


async def test_a_pass_that_takes_longer_than_its_period_is_broken_off_and_holds_up_no_other(database: Database) -> None:
    begun, ended, beside = 0, 0, 0

    async def slow(_now: datetime) -> None:
        nonlocal begun, ended
        begun += 1
        try:
            await asyncio.sleep(30)
        finally:
            ended += 1

    async def quick(_now: datetime) -> None:
        nonlocal beside
        beside += 1
        assert begun - ended <= 1

    passes = {"slow": Pass(timedelta(seconds=0.3), slow), "quick": Pass(timedelta(seconds=0.01), quick)}
    works = [ClockWork(database, passes, poll=0.01) for _ in range(2)]
    for work in works:
        await work.start()
    async with asyncio.timeout(5):
        while ended < 2:
            assert begun - ended <= 1
            await asyncio.sleep(0.01)
    for work in works:
        await work.stop()
    assert beside > 3


async def test_a_pass_that_fails_holds_up_no_other(database: Database) -> None:
    ran: list[str] = []

    async def fails(_now: datetime) -> None:
        raise ZeroDivisionError

    async def works(_now: datetime) -> None:
        ran.append("works")

    work = ClockWork(database, {"a": Pass(minutes(1), fails), "b": Pass(minutes(1), works)}, poll=0.01)
    assert await work.run_due(NOON) == ["a", "b"]
    assert await work.run_due(NOON) == []
    await work.start()
    async with asyncio.timeout(5):
        while len(ran) < 2:  # noqa: ASYNC110 - of no event
            await asyncio.sleep(0.01)
    await work.stop()


class Deals:
    """Deals of a process whose stages rot, and an endpoint that is told of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.processes = Processes()
        self.events = Events("urn:test")

    async def begin(self) -> None:
        await add_version(self.database, version(source=ROTTING))
        change = Change("team", URL, ["deal.rotting"], paused=False)
        await self.database.transaction(lambda tx: put(tx, self.events, "acme", change, key=KEY, now=NOON))

    async def put(self, stage: str, entered: datetime | None, **more: Any) -> None:
        snapshot = Snapshot(stage=stage, stage_entered_at=entered, **more)

        async def work(tx: Transaction) -> None:
            await put_deal(
                tx, self.processes, "acme", "D-1", snapshot,
                process="sales", version=None, precondition=Precondition(), now=NOON,
            )  # fmt: skip

        await self.database.transaction(work)

    async def move(self, to: str, now: datetime) -> None:
        seen = await read_deal(self.database, "acme", "D-1")
        assert seen is not None
        await self.database.transaction(
            lambda tx: move_deal(tx, self.processes, seen, to, expected_stage=None, actor=None, now=now)
        )

    async def rots_at(self) -> datetime | None:
        row = await read_deal(self.database, "acme", "D-1")
        assert row is not None
        return row.rots_at

    async def told(self, now: datetime) -> list[dict[str, Any]]:
        """Run the pass; everything told so far, oldest first."""
        work = ClockWork(self.database, usual_passes(self.database, self.events, lambda: None))
        await work._passes["rotting"].run(now)
        return [json.loads(one.payload)["data"] for one in reversed(await list_items(self.database, "acme", limit=99))]


async def test_a_deal_rots_once_for_each_stay_in_a_stage(database: Database) -> None:
    deals = Deals(database)
    await deals.begin()
    await deals.put("new", NOON)
    due = NOON + timedelta(days=2)
    assert await deals.told(due - timedelta(seconds=1)) == []
    first = {
        "deal": "D-1",
        "process": {"key": "sales", "version": 1},
        "stage": "new",
        "owner": None,
        "stage_entered_at": "2026-11-23T12:00:00Z",
        "rots_at": "2026-11-25T12:00:00Z",
    }
    assert await deals.told(due) == [first]
    await deals.put("new", NOON, owner="rep-7")
    assert await deals.told(due + minutes(9)) == [first]
    await deals.move("talk", due)
    assert await deals.rots_at() == due + timedelta(days=1)
    second = await deals.told(due + timedelta(days=1))
    assert [one["stage"] for one in second] == ["new", "talk"]


async def test_a_closed_deal_does_not_rot_nor_one_whose_entry_nobody_knows(database: Database) -> None:
    deals = Deals(database)
    await deals.begin()
    await deals.put("new", None)
    assert await deals.rots_at() is None
    await deals.put("new", NOON)
    assert await deals.rots_at() == NOON + timedelta(days=2)
    await deals.put("won", NOON)
    assert await deals.rots_at() is None


async def test_raw_bodies_are_erased_when_their_time_is_over_and_nobody_needs_them(database: Database) -> None:
    passes = usual_passes(database, Events("urn:test"), lambda: None)
    rows = [
        delivery("d-1", status="processed", erase_at=NOON),
        delivery("d-2", status="refused", erase_at=NOON + minutes(1)),
        delivery("d-3", status="received", erase_at=NOON),
        delivery("d-4", status="processed", erase_at=None),
    ]
    for row in rows:
        await append_delivery(database, row)
    await passes["erase"].run(NOON)
    found = [await read_delivery(database, "acme", row.delivery_id) for row in rows]
    assert found == [rows[0]._replace(body=b"", erase_at=None), *rows[1:]]


async def test_targets_are_forgotten_that_are_gone_and_for_which_nothing_waits(database: Database) -> None:
    passes = usual_passes(database, Events("urn:test"), lambda: None)
    targets = ("endpoint:e-1", "endpoint:gone", "endpoint:waits", "connection:hub-1", "connection:gone")

    async def fill(tx: Transaction) -> None:
        await put_endpoint(tx, endpoint())
        await put_connection(tx, connection())
        for target in targets:
            await know_target(tx, "acme", target)
        await know_target(tx, "globex", "endpoint:e-1")
        await insert_item_if_new(
            tx, outbox_item("i-1", target_id="endpoint:waits", not_before=NOON + timedelta(days=9))
        )
        await insert_item_if_new(tx, outbox_item("i-2", target_id="endpoint:gone", status="dead", finished_at=NOON))

    await database.transaction(fill)
    await passes["forget"].run(NOON)
    found = [await read_target(database, "acme", target) for target in targets]
    assert [one.target_id if one else None for one in found] == [
        "endpoint:e-1", None, "endpoint:waits", "connection:hub-1", None,
    ]  # fmt: skip
    assert await read_target(database, "globex", "endpoint:e-1") is None
    await database.transaction(lambda tx: outbox_report.replay(tx, "acme", "i-2", NOON))
    assert [one.target_id for one in await due_targets(database, NOON)] == ["endpoint:gone"]


async def test_events_of_crms_are_forgotten_after_a_month(database: Database) -> None:
    passes = usual_passes(database, Events("urn:test"), lambda: None)

    async def new(at: datetime) -> set[str]:
        return await database.transaction(lambda tx: insert_events_if_new(tx, "acme", "hub-1", ["e"], at))

    assert await new(NOON) == {"e"}
    await passes["forget"].run(NOON + timedelta(days=30))
    assert await new(NOON + timedelta(days=30)) == set()
    await passes["forget"].run(NOON + timedelta(days=30, seconds=1))
    assert await new(NOON + timedelta(days=30, seconds=1)) == {"e"}


async def test_answers_are_forgotten_of_every_tenant_after_a_week(database: Database) -> None:
    passes = usual_passes(database, Events("urn:test"), lambda: None)
    for tenant in ("acme", "globex"):
        await database.transaction(partial(insert_answer, answer=answer(tenant_id=tenant, created_at=NOON)))
    await passes["forget"].run(NOON + timedelta(days=7))
    assert await read_answer(database, "acme", "once") is not None
    await passes["forget"].run(NOON + timedelta(days=7, seconds=1))
    assert [await read_answer(database, tenant, "once") for tenant in ("acme", "globex")] == [None, None]
