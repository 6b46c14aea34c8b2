"""Several servers on one PostgreSQL, and one whose database goes away and comes back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from app import clock
from app.settings import Settings
from app.store.keys import revoke_key
from app.store.migrate import migrate
from tests.api.world import YAML, World, problem_of, serving
from tests.builders import PROCESS, question, ready_deal, stored
from tests.relay import Relay

PATH = "/validate-transition"


@pytest.fixture
async def two(fresh_postgres_url: str) -> AsyncIterator[tuple[World, World]]:
    """Give the same tenant on two servers that share nothing but the database."""
    migrate(fresh_postgres_url)
    settings = Settings(database_url=fresh_postgres_url)
    async with serving(settings) as here, serving(settings) as there:
        worlds = World(here, "acme", "globex"), World(there, "acme", "globex")
        await worlds[0].furnish()
        worlds[1].key = worlds[0].key
        yield worlds
        for world in worlds:
            await world.close()


async def within_a_second(happens: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
    """Whether something comes about within a second of now."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        if await happens():
            return True
        await asyncio.sleep(0.02)
    return await happens()


async def test_a_new_version_judges_here_at_once_and_elsewhere_within_a_second(two: tuple[World, World]) -> None:
    here, there = two

    async def version(world: World) -> int:
        return int((await world.good("POST", PATH, question()))["process"]["version"])

    assert (1, 1) == (await version(here), await version(there))
    await here.good("PUT", "/processes/b2b-saas", content=PROCESS + "maturity: run\n", headers=YAML)
    assert 2 == await version(here)
    assert await within_a_second(lambda: _is(version(there), 2))


async def _is(found: Coroutine[Any, Any, int], expected: int) -> bool:
    return await found == expected


async def test_a_revoked_key_is_refused_everywhere_within_a_second(two: tuple[World, World]) -> None:
    for world in two:
        assert 200 == (await world.ask("GET", "/deals")).status_code
    key_id, now = two[0].key.split("_")[1], clock.now()
    assert await two[0].database.transaction(lambda tx: revoke_key(tx, "acme", key_id, now))
    for world in two:
        assert await within_a_second(lambda world=world: _refused(world))  # type: ignore[misc]


async def _refused(world: World) -> bool:
    return (await world.ask("GET", "/deals")).status_code == 401


async def test_movers_on_two_servers_meet_at_the_deal(two: tuple[World, World]) -> None:
    for number in range(10):
        await two[0].good("PUT", f"/deals/R-{number}", {**stored(), **ready_deal()})
        path = f"/deals/R-{number}/moves"
        asked = [one.ask("POST", path, {"to": "demo_completed"}) for one in (*two, *two)]
        answers = await asyncio.gather(*asked)
        assert [200, 409, 409, 409] == sorted(one.status_code for one in answers)
        logged = (await two[1].good("GET", "/decisions", params={"deal": f"R-{number}"}))["items"]
        assert [True] == [one["applied"] for one in logged]


async def test_twins_of_a_write_on_two_servers_are_one_write(two: tuple[World, World]) -> None:
    for number in range(10):
        await two[0].good("PUT", f"/deals/R-{number}", {**stored(), **ready_deal()})
        headers = {"idempotency-key": f"twin-{number}"}
        path = f"/deals/R-{number}/moves"
        asked = [one.ask("POST", path, {"to": "demo_completed"}, headers=headers) for one in (*two, *two)]
        answers = await asyncio.gather(*asked)
        assert [200] * 4 == [one.status_code for one in answers]
        assert 1 == len({one.content for one in answers})
        assert 1 == len((await two[1].good("GET", "/decisions", params={"deal": f"R-{number}"}))["items"])


async def test_twins_of_a_logged_decision_on_two_servers_are_one_decision(two: tuple[World, World]) -> None:
    headers = {"idempotency-key": "twin"}
    asked = [one.ask("POST", PATH, question(dry_run=False), headers=headers) for one in (*two, *two)]
    answers = await asyncio.gather(*asked)
    assert {200} == {one.status_code for one in answers}
    assert 1 == len({one.json()["decision_id"] for one in answers})
    assert 1 == len((await two[0].good("GET", "/decisions"))["items"])


async def test_a_server_whose_database_is_away_says_so_and_recovers(fresh_postgres_url: str) -> None:
    migrate(fresh_postgres_url)
    relay = Relay(fresh_postgres_url)
    await relay.open()
    async with serving(Settings(database_url=relay.url)) as app:
        world = World(app, "acme", "globex")
        await world.furnish()
        await world.good("PUT", "/deals/D-1", stored())
        await relay.cut()
        for method, path, body in (
            ("GET", "/deals/D-1", None),
            ("PUT", "/deals/D-2", stored()),
            ("POST", PATH, question(dry_run=False)),
            ("POST", PATH, {"deal_id": "D-1", "to": "won"}),
            ("GET", "/health/ready", None),
        ):
            answer = await world.ask(method, path, body, headers={"idempotency-key": "x"})
            told = (answer.status_code, problem_of(answer), answer.headers["retry-after"])
            assert (503, "database-unavailable", "1") == told, path
        assert 200 == (await world.ask("GET", "/health/live")).status_code
        await relay.open()
        assert await within_a_second(lambda: _good(world, "/health/ready"))
        assert "D-1" == (await world.good("GET", "/deals/D-1"))["id"]
        assert (404, "unknown-deal") == await world.refusal("GET", "/deals/D-2")
        assert [] == (await world.good("GET", "/decisions"))["items"]
        await world.close()
    await relay.cut()


async def _good(world: World, path: str) -> bool:
    return (await world.ask("GET", path)).is_success
