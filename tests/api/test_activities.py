"""Activities of a stored deal: logged once per id, changed when what was planned has been done."""

import asyncio

from tests.api.world import World
from tests.builders import activity, ready_deal, stored

DEAL = "/deals/D-1"
LOG = "/deals/D-1/activities"
PLANNED = activity(id="a-2", at="2026-12-01T15:00:00Z", status="planned", outcome=None)


async def activities(world: World) -> list[str]:
    return [f"{one['id']} {one['status']}" for one in (await world.good("GET", DEAL))["activities"]]


async def test_an_activity_is_logged_once_per_id(world: World) -> None:
    await world.good("PUT", DEAL, stored(activities=[]))
    first = await world.ask("POST", LOG, activity())
    again = await world.ask("POST", LOG, activity())
    assert ((201, '"2"'), (200, '"2"')) == tuple((one.status_code, one.headers["etag"]) for one in (first, again))
    assert first.json() == again.json()
    assert ["a-1 done"] == await activities(world)
    assert (409, "activity-conflict") == await world.refusal("POST", LOG, activity(outcome="no_show"))
    assert (404, "unknown-deal") == await world.refusal("POST", "/deals/D-404/activities", activity())


async def test_an_activity_that_came_with_the_deal_is_known_too(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    assert (409, "activity-conflict") == await world.refusal("POST", LOG, activity(outcome="held"))
    assert 200 == (await world.ask("POST", LOG, activity(outcome="no_show"))).status_code


async def test_what_was_planned_is_done(world: World) -> None:
    await world.good("PUT", DEAL, stored(activities=[]))
    await world.good("POST", LOG, PLANNED)
    done = PLANNED | {"status": "done", "at": "2026-11-22T15:00:00Z", "outcome": "held"}
    answer = await world.good("PUT", f"{LOG}/a-2", done)
    assert {**done, "direction": None, "by": None} == answer
    assert ["a-2 done"] == await activities(world)
    decision = await world.good("POST", "/validate-transition", {"deal_id": "D-1", "to": "demo_completed"})
    assert "demo-held" in [one["requirement"] for one in decision["satisfied"]]


async def test_only_what_was_logged_can_be_changed_under_its_own_id(world: World) -> None:
    await world.good("PUT", DEAL, stored(activities=[]))
    assert (404, "unknown-activity") == await world.refusal("PUT", f"{LOG}/a-1", activity())
    assert (422, "invalid-request") == await world.refusal("PUT", f"{LOG}/a-9", activity())
    assert (404, "unknown-deal") == await world.refusal("PUT", "/deals/D-404/activities/a-1", activity())


async def test_many_at_once_lose_nothing(world: World) -> None:
    await world.good("PUT", DEAL, stored(activities=[]))
    answers = await asyncio.gather(*(world.ask("POST", LOG, activity(id=f"a-{n % 6}")) for n in range(12)))
    assert [200] * 6 + [201] * 6 == sorted(one.status_code for one in answers)
    assert [f"a-{n} done" for n in range(6)] == sorted(await activities(world))


async def test_logging_the_missing_activity_lets_the_deal_move(world: World) -> None:
    await world.good("PUT", DEAL, stored(fields=ready_deal()["fields"]))
    asked = {"deal_id": "D-1", "to": "demo_completed", "dry_run": True}
    before = await world.good("POST", "/validate-transition", asked)
    await world.good("POST", LOG, activity(id="a-2"))
    after = await world.good("POST", "/validate-transition", asked)
    assert ("blocked", "allowed") == (before["outcome"], after["outcome"])
