"""The worker behind the outbox: everything done, in order, fairly, and taken over where somebody died over it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from app import clock
from app.services import outbox_worker
from app.services.outbox import GiveUp, Item, Later, Work, cancel
from app.services.outbox_report import replay
from app.services.outbox_schedule import WAITS
from app.services.outbox_worker import OutboxWorker
from app.store.database import Database
from app.store.outbox import StoredItem
from app.store.outbox_targets import StoredTarget, forget_targets, read_target
from tests.services.outbox_world import Recorder, item, items, put, reach, statuses, until, working


async def test_what_waits_is_done_at_the_start_and_what_comes_later_at_once(database: Database) -> None:
    handler, results = Recorder(), []
    await put(database, item("1"))
    async with working(database, handler, count=lambda *told: results.append(told)) as worker:
        await reach(database, _1="done")
        await put(database, item("2"))
        worker.wake()
        await reach(database, _2="done")
    assert handler.attempts == [("1", 1), ("2", 1)]
    assert results == [("event", "done"), ("event", "done")]


async def test_a_handler_is_given_the_whole_item(database: Database) -> None:
    given: list[Work] = []

    async def handler(work: Work) -> None:
        given.append(work)

    (item_id,) = await put(database, item("1", order_key="D-1", payload={"name": "1", "è": [1, None]}))
    async with working(database, handler):
        await reach(database, _1="done")
    assert item_id is not None
    created_at = (await items(database))["1"].created_at
    payload = {"name": "1", "è": [1, None]}
    assert given == [Work("acme", item_id, "endpoint:e-1", "D-1", "event", "1", payload, 1, created_at)]


async def test_items_of_one_deal_are_done_in_order_even_when_the_first_takes_long(database: Database) -> None:
    handler = Recorder()
    handler.slow = timedelta(milliseconds=30)
    await put(database, *[item(str(number), order_key="D-1") for number in range(5)])
    async with working(database, handler):
        await reach(database, _4="done")
    assert (handler.done, handler.most_at_once) == (["0", "1", "2", "3", "4"], 1)


async def test_of_one_target_only_a_few_are_done_at_once(database: Database) -> None:
    handler = Recorder()
    handler.slow = timedelta(milliseconds=30)
    await put(database, *[item(str(number)) for number in range(12)])
    async with working(database, handler):
        await until(lambda: len(handler.done) == 12)
    assert handler.most_at_once == outbox_worker.PER_TARGET
    assert sorted(handler.done) == sorted(map(str, range(12)))


async def test_a_target_that_hangs_holds_up_no_other(database: Database) -> None:
    hanging, done = asyncio.Event(), []

    async def handler(work: Work) -> None:
        if work.target_id == "endpoint:hangs":
            await hanging.wait()
        done.append(work.payload["name"])

    await put(database, *[item(f"h{number}", target_id="endpoint:hangs") for number in range(50)])
    await put(database, *[item(f"o{number}", tenant_id="globex") for number in range(10)])
    async with working(database, handler, slots=8):
        await until(lambda: len(done) == 10)
        hanging.set()
    assert sorted(done[:10]) == sorted(f"o{number}" for number in range(10))


async def test_what_failed_waits_for_its_next_try_with_the_reason(database: Database) -> None:
    handler, results = Recorder(_1=Later("endpoint_status", status=503)), []
    await put(database, item("1"), item("2"))
    before = clock.now()
    async with working(database, handler, count=lambda *told: results.append(told)):
        await until(lambda: len(results) == 2)
    row = (await items(database))["1"]
    expected = '{"code": "endpoint_status", "params": {"status": 503}}'
    assert (row.status, row.attempts, row.reason, row.leased_by) == ("waiting", 1, expected, None)
    assert 4 <= (row.not_before - before).total_seconds() <= 8
    assert sorted(results) == [("event", "done"), ("event", "later")]


async def failed(database: Database, name: str) -> bool:
    """Whether it is written down why an item could not be done."""
    return (await items(database))[name].reason is not None


async def test_whoever_asks_for_a_pause_gets_it_for_the_whole_target(database: Database) -> None:
    handler = Recorder(_1=Later("endpoint_status", after=120, status=429))
    await put(database, item("1"))
    before = clock.now()
    async with working(database, handler) as worker:
        await until(lambda: handler.attempts == [("1", 1)])
        await until(lambda: failed(database, "1"))
        await put(database, item("2"))
        worker.wake()
        await asyncio.sleep(0.3)
    assert await statuses(database) == {"1": "waiting", "2": "waiting"}
    target = await read_target(database, "acme", "endpoint:e-1")
    assert target is not None
    assert target.open_until is not None
    assert 119 <= (target.open_until - before).total_seconds() <= 125
    assert (await items(database))["1"].not_before >= target.open_until


async def test_a_pause_that_was_asked_for_lasts_whatever_else_was_under_way(database: Database) -> None:
    asked, done = asyncio.Event(), []

    async def handler(work: Work) -> None:
        if work.payload["name"] == "1":
            raise Later("endpoint_status", after=120, status=429)
        await asked.wait()
        done.append(work.payload["name"])

    await put(database, item("1"), item("2"))
    async with working(database, handler) as worker:
        await until(lambda: failed(database, "1"))
        asked.set()
        await reach(database, _2="done")
        await put(database, item("3"))
        worker.wake()
        await asyncio.sleep(0.3)
    assert done == ["2"]


async def test_what_nobody_is_to_blame_for_costs_no_attempt(database: Database) -> None:
    handler = Recorder(_1=Later("not_settled", after=60, counts=False))
    await put(database, item("1"))
    async with working(database, handler):
        await until(lambda: failed(database, "1"))
    row = (await items(database))["1"]
    assert (row.status, row.attempts) == ("waiting", 0)
    assert await read_target(database, "acme", "endpoint:e-1") == StoredTarget("acme", "endpoint:e-1", 0, None)


async def test_what_will_never_succeed_is_dead_and_somebody_is_told(database: Database) -> None:
    told: list[Any] = []

    async def died(_tx: Any, dead: StoredItem, code: str, params: dict[str, Any], _at: datetime) -> None:
        told.append((dead.dedupe_key, code, params))

    async with working(database, Recorder(_1=GiveUp("endpoint_gone", endpoint="e-1")), died=died):
        await put(database, item("1"))
        await reach(database, _1="dead")
    row = (await items(database))["1"]
    assert row.reason == '{"code": "endpoint_gone", "params": {"endpoint": "e-1"}}'
    assert row.finished_at is not None
    assert told == [("1", "endpoint_gone", {"endpoint": "e-1"})]


async def test_the_last_attempt_that_fails_is_the_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.outbox_schedule.WAITS", (timedelta(milliseconds=20),) * len(WAITS))
    monkeypatch.setattr("app.services.outbox_schedule.OPENS_AFTER", 1000)
    handler = Recorder(_1=Later("endpoint_status", status=500))
    await put(database, item("1"))
    async with working(database, handler):
        await reach(database, _1="dead")
    assert handler.attempts == [("1", attempt) for attempt in range(1, 11)]


async def test_a_handler_that_breaks_or_takes_too_long_is_tried_again_later(database: Database) -> None:
    handler = Recorder(_1=ZeroDivisionError())

    async def hangs(work: Work) -> None:
        await handler(work)
        await asyncio.sleep(30)

    await put(database, item("1"), item("2"))
    async with working(database, hangs, limit=0.2):
        for name in "12":
            await until(lambda name=name: failed(database, name))  # type: ignore[misc]
    found = await items(database)
    assert {name: (row.status, row.attempts) for name, row in found.items()} == {
        "1": ("waiting", 1),
        "2": ("waiting", 1),
    }
    assert [(found[name].reason or "")[:28] for name in "12"] == [
        '{"code": "outbox_failed", "p',
        '{"code": "outbox_timed_out",',
    ]


async def test_a_kind_that_a_newer_version_knows_is_left_to_it(database: Database) -> None:
    await put(database, item("1", kind="newer"))
    results: list[Any] = []
    async with working(database, Recorder(), count=lambda *told: results.append(told)):
        await until(lambda: results == [("newer", "later")])
    row = (await items(database))["1"]
    assert (row.status, row.attempts) == ("waiting", 0)


async def test_an_open_circuit_burns_no_attempts_and_one_goes_first_to_see(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.outbox_schedule.FIRST_OPEN", timedelta(seconds=0.6))
    failures = {f"_{number}": Later("endpoint_unreachable") for number in range(20)}
    handler = Recorder(**failures)
    await put(database, *[item(str(number)) for number in range(20)])
    async with working(database, handler):
        await until(lambda: len(handler.attempts) >= 5)
        await asyncio.sleep(0.2)
        burnt = len(handler.attempts)
        assert burnt <= 8
        await until(lambda: len(handler.attempts) > burnt)
        await asyncio.sleep(0.3)
        assert len(handler.attempts) == burnt + 1
        handler.failures = {}
        await until(lambda: len(handler.done) == 20 - burnt - 1)
    assert await read_target(database, "acme", "endpoint:e-1") == StoredTarget("acme", "endpoint:e-1", 0, None)
    assert sorted(attempt for _, attempt in handler.attempts) == [1] * 20


async def test_what_was_taken_back_is_not_done_and_can_be_enqueued_again(database: Database) -> None:
    now = clock.now()
    later = item("1", not_before=now + timedelta(hours=4))
    await put(database, later)
    assert await database.transaction(lambda tx: cancel(tx, "acme", "1", now)) is True
    assert await database.transaction(lambda tx: cancel(tx, "acme", "1", now)) is False
    (again,) = await put(database, later)
    assert again is not None
    assert await put(database, later) == [None]


async def test_what_was_taken_back_and_is_replayed_is_done_under_the_key_that_it_had(database: Database) -> None:
    keys: list[str] = []

    async def handler(work: Work) -> None:
        keys.append(work.dedupe_key)

    (item_id,) = await put(database, item("1", not_before=clock.now() + timedelta(hours=4)))
    await database.transaction(lambda tx: cancel(tx, "acme", "1", clock.now()))
    await database.transaction(lambda tx: replay(tx, "acme", item_id or "", clock.now()))
    async with working(database, handler):
        await reach(database, _1="done")
    assert keys == ["1"]


async def test_what_is_replayed_is_done_though_its_target_was_forgotten_meanwhile(database: Database) -> None:
    handler = Recorder()
    (item_id,) = await put(database, item("1", not_before=clock.now() + timedelta(hours=4)))
    await database.transaction(lambda tx: cancel(tx, "acme", "1", clock.now()))
    assert await database.transaction(forget_targets) == 1
    await database.transaction(lambda tx: replay(tx, "acme", item_id or "", clock.now()))
    async with working(database, handler):
        await reach(database, _1="done")


async def test_twenty_workers_do_each_item_once(database: Database) -> None:
    handler = Recorder()
    for tenant in ("acme", "globex"):
        await put(database, *[item(f"{tenant}{number}", tenant_id=tenant) for number in range(100)])
    workers = [OutboxWorker(database, {"event": handler}) for _ in range(20)]
    for worker in workers:
        await worker.start()
    await until(lambda: len(handler.done) >= 200, 30)
    for worker in workers:
        await worker.stop()
    assert sorted(handler.done) == sorted(f"{tenant}{n}" for tenant in ("acme", "globex") for n in range(100))


def test_each_tenant_has_its_turn_beginning_behind_the_one_served_last() -> None:
    targets = [StoredTarget(tenant, f"t-{number}", 0, None) for tenant in "abc" for number in range(2)]
    turns = [target.tenant_id + target.target_id[-1] for target in outbox_worker.in_turn(targets, "a")]
    assert turns == ["b0", "c0", "a0", "b1", "c1", "a1"]


def test_an_item_is_a_value_of_its_own() -> None:
    assert Item._fields == (
        "tenant_id", "target_id", "order_key", "kind", "dedupe_key", "payload", "not_before",
    )  # fmt: skip
