"""Items under a lease: kept while somebody is at them, taken over where nobody is, let go of where another has them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.services import background, outbox_claims
from app.services.outbox import Later
from app.services.outbox_worker import nobody_told
from app.store.database import Database
from app.store.outbox_targets import StoredTarget, read_target
from tests.services.outbox_world import Recorder, item, items, put, reach, until, working


async def test_what_a_dead_worker_had_is_taken_over_when_its_lease_ends(database: Database) -> None:
    await put(database, item("1"))
    target = StoredTarget("acme", "endpoint:e-1", 0, None)
    dead = outbox_claims.Claim("dead", timedelta(seconds=0.5))
    assert len(await outbox_claims.claim(database, target, dead, clock.now(), 4)) == 1
    handler = Recorder()
    async with working(database, handler):
        await asyncio.sleep(0.2)
        assert handler.attempts == []
        await reach(database, _1="done")
    assert handler.attempts == [("1", 2)]


async def test_what_takes_longer_than_a_lease_stays_in_the_same_hands(database: Database) -> None:
    handler = Recorder()
    handler.slow = timedelta(seconds=1)
    await put(database, item("1"))
    async with working(database, handler, lease=timedelta(seconds=0.3)), working(database, handler):
        await reach(database, _1="done")
    assert handler.attempts == [("1", 1)]


async def test_what_a_living_worker_lost_sight_of_is_taken_up_when_its_lease_ends(database: Database) -> None:
    handler = Recorder()
    handler.slow = timedelta(seconds=1)
    async with working(database, handler, lease=timedelta(seconds=0.4)) as worker:
        await put(database, item("long", target_id="endpoint:e-2"))
        worker.wake()
        await until(lambda: handler.attempts == [("long", 1)])
        target = StoredTarget("acme", "endpoint:e-1", 0, None)
        await put(database, item("lost"))
        assert len(await outbox_claims.claim(database, target, worker._how, clock.now(), 4)) == 1
        await until(lambda: ("lost", 2) in handler.attempts, 0.9)


async def test_a_clock_that_is_set_on_makes_nobody_do_twice_what_they_are_at(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, real, ahead = Recorder(), clock.now, timedelta()
    handler.slow = timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: real() + ahead)
    await put(database, item("1"))
    async with working(database, handler, lease=timedelta(seconds=8)) as worker:
        await until(lambda: handler.attempts == [("1", 1)])
        ahead = timedelta(minutes=10)
        worker.wake()
        await reach(database, _1="done")
    assert handler.attempts == [("1", 1)]


async def test_who_stood_still_until_another_took_over_lets_go(database: Database) -> None:
    results: list[Any] = []
    handler, target = Recorder(), StoredTarget("acme", "endpoint:e-1", 0, None)
    handler.slow = timedelta(seconds=30)
    await put(database, item("1"))
    async with working(database, handler, lease=timedelta(seconds=0.4), count=lambda *told: results.append(told)):
        await until(lambda: handler.at_once == 1)
        later, other = clock.now() + timedelta(seconds=1), outbox_claims.Claim("other", timedelta(minutes=1))
        assert len(await outbox_claims.claim(database, target, other, later, 4)) == 1
        await until(lambda: handler.at_once == 0)
    assert (handler.done, results) == ([], [("event", "lost")])
    assert (await items(database))["1"].leased_by == "other"


async def test_what_every_worker_died_over_is_dead_in_the_end(database: Database) -> None:
    await put(database, item("1"))
    target = StoredTarget("acme", "endpoint:e-1", 0, None)
    dead = outbox_claims.Claim("dead", timedelta())
    for _ in range(10):
        assert len(await outbox_claims.claim(database, target, dead, clock.now(), 4)) == 1
    handler = Recorder()
    async with working(database, handler):
        await reach(database, _1="dead")
    assert handler.attempts == []


async def test_a_worker_that_stops_gives_back_what_it_could_not_finish(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "PATIENCE", 0.1)
    handler = Recorder()
    handler.slow = timedelta(seconds=30)
    await put(database, item("1"))
    async with working(database, handler):
        await until(lambda: handler.attempts == [("1", 1)])
    row = (await items(database))["1"]
    assert (row.status, row.attempts, row.leased_by) == ("waiting", 0, None)
    assert row.not_before <= clock.now()


async def test_a_rest_shortens_no_longer_pause_that_was_asked_for_meanwhile(database: Database) -> None:
    await put(database, item("1"), item("2"))
    now, target = clock.now(), StoredTarget("acme", "endpoint:e-1", 0, None)
    first, second = await outbox_claims.claim(database, target, outbox_claims.Claim("w", timedelta(1)), now, 2)
    asked = Later("endpoint_status", after=3000, status=429)
    await outbox_claims.settle_failed(database, first, asked, now, nobody_told)
    rest = Later("endpoint_paused", after=600, counts=False, whole=True)
    await outbox_claims.settle_failed(database, second, rest, now, nobody_told)
    found = await read_target(database, "acme", "endpoint:e-1")
    assert found is not None
    assert found.open_until is not None
    assert found.open_until >= now + timedelta(seconds=3000)
