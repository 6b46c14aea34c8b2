"""Moves of stored deals: decided, made when allowed, logged either way; of several movers one wins."""

import asyncio

from tests.api.world import World, log_of
from tests.builders import ready_deal, stored

DEAL = "/deals/D-1"
MOVES = "/deals/D-1/moves"
READY = {"process": "b2b-saas", **ready_deal()}


async def test_an_allowed_move_is_made_and_logged(world: World) -> None:
    await world.good("PUT", DEAL, READY)
    answer = await world.ask("POST", MOVES, {"to": "demo_completed", "actor": {"id": "rep-7", "roles": ["rep"]}})
    moved, deal = answer.json(), await world.ask("GET", DEAL)
    assert (200, "allowed", True, '"2"') == (
        answer.status_code,
        moved["outcome"],
        moved["applied"],
        answer.headers["etag"],
    )
    assert ("demo_completed", '"2"') == (deal.json()["stage"], deal.headers["etag"])
    entered = deal.json()["stage_entered_at"]
    assert [("demo_scheduled", "2026-11-10T09:00:00Z"), ("demo_completed", entered)] == [
        (one["stage"], one["entered_at"]) for one in deal.json()["stage_history"]
    ]
    logged = await world.good("GET", f"/decisions/{moved['decision_id']}")
    assert moved == {name: logged[name] for name in moved}
    assert ("move", "rep-7", "D-1") == (logged["source"], logged["actor"], logged["deal_id"])
    assert (True, entered) == (logged["applied"], logged["as_of"])


async def test_a_blocked_move_changes_nothing_and_is_logged(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    answer = await world.ask("POST", MOVES, {"to": "demo_completed"})
    assert (200, "blocked", False, '"1"') == (
        answer.status_code,
        answer.json()["outcome"],
        answer.json()["applied"],
        answer.headers["etag"],
    )
    read = await world.ask("GET", DEAL)
    assert ("demo_scheduled", '"1"') == (read.json()["stage"], read.headers["etag"])
    logged = await world.good("GET", f"/decisions/{answer.json()['decision_id']}")
    assert ("move", False, "blocked") == (logged["source"], logged["applied"], logged["outcome"])
    assert [("move", "demo_scheduled", "demo_completed", "blocked")] == await log_of(world)


async def test_a_move_that_cannot_be_asked_is_refused_and_not_logged(world: World) -> None:
    await world.good("PUT", DEAL, READY)
    asked = [
        {"to": "nowhere"},
        {"to": "demo_scheduled"},
        {"to": "demo_completed", "expected_stage": "won"},
        {"to": "demo_completed", "stage": "won"},
        {"to": "demo_completed", "as_of": "2026-11-23T10:00:00Z"},
    ]
    before = await world.written()
    assert [
        (422, "unknown-stage"),
        (409, "already-there"),
        (409, "stage-conflict"),
        (422, "invalid-request"),
        (422, "invalid-request"),
    ] == [await world.refusal("POST", MOVES, one) for one in asked]
    assert (404, "unknown-deal") == await world.refusal("POST", "/deals/D-404/moves", {"to": "won"})
    assert ([], before) == (await log_of(world), await world.written())


async def test_of_movers_at_the_same_time_one_wins_and_the_others_are_told(world: World) -> None:
    for number in range(10):
        await world.good("PUT", f"/deals/R-{number}", READY | {"fields": READY["fields"] | {"lost_reason": "price"}})
        path = f"/deals/R-{number}/moves"
        targets = ["demo_completed", "lost", "demo_completed", "lost"]
        answers = await asyncio.gather(
            *(world.ask("POST", path, {"to": to, "expected_stage": "demo_scheduled"}) for to in targets)
        )
        assert [200, 409, 409, 409] == sorted(one.status_code for one in answers)
        won = next(one.json() for one in answers if one.status_code == 200)
        assert (True, won["to"]) == (won["applied"], (await world.good("GET", f"/deals/R-{number}"))["stage"])
        assert [("move", "demo_scheduled", won["to"], "allowed")] == await log_of(world, deal=f"R-{number}")
        types = {one.json()["type"] for one in answers if one.status_code == 409}
        assert types <= {"/problems/deal-moved", "/problems/already-there", "/problems/stage-conflict"}


async def test_of_movers_to_the_same_stage_one_makes_the_move_and_it_is_made_once(world: World) -> None:
    for number in range(10):
        path = f"/deals/R-{number}"
        await world.good("PUT", path, READY)
        answers = await asyncio.gather(
            *(world.ask("POST", f"{path}/moves", {"to": "demo_completed"}) for _ in range(4))
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert [200, 409, 409, 409] == statuses, [answer.text for answer in answers]
        read = await world.good("GET", path)
        assert ["demo_scheduled", "demo_completed"] == [one["stage"] for one in read["stage_history"]]
        logged = await world.good("GET", "/decisions", params={"deal": f"R-{number}"})
        assert [True] == [one["applied"] for one in logged["items"] if one["deal_id"] == f"R-{number}"]


async def test_the_moves_from_here_are_all_judged_and_none_is_logged(world: World) -> None:
    await world.good("PUT", DEAL, READY)
    looked = await world.good("GET", MOVES, params={"actor": "rep-7", "role": "rep"})
    told = [(one["to"], one["outcome"], "decision_id" in one) for one in looked["items"]]
    assert ("demo_scheduled", [("demo_completed", "allowed", False), ("lost", "blocked", False)]) == (
        looked["stage"],
        told,
    )
    assert [] == await log_of(world)


async def test_a_look_at_another_time_is_judged_by_that_time(world: World) -> None:
    await world.good("PUT", DEAL, READY)
    looked = await world.good("GET", MOVES, params={"as_of": "2026-11-11T10:00:00+01:00"})
    assert ("2026-11-11T09:00:00Z", "blocked") == (looked["items"][0]["as_of"], looked["items"][0]["outcome"])


async def test_a_deal_goes_all_the_way(world: World) -> None:
    await world.good("PUT", DEAL, READY)
    for to in ("demo_completed", "won"):
        assert (await world.good("POST", MOVES, {"to": to}))["applied"]
    assert {"stage": "won", "items": []} == await world.good("GET", MOVES)
    assert ["demo_scheduled", "demo_completed", "won"] == [
        one["stage"] for one in (await world.good("GET", DEAL))["stage_history"]
    ]
