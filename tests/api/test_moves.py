"""Moves of stored deals: decided, made when allowed, logged either way; of two movers one wins."""

import asyncio

from tests.api.world import World
from tests.builders import ready_deal, stored

DEAL = "/deals/D-1"
MOVES = f"{DEAL}/moves"


async def test_a_blocked_move_is_answered_and_logged_and_not_made(world: World) -> None:
    put = await world.ask("PUT", DEAL, stored())
    moved = await world.ask("POST", MOVES, {"to": "demo_completed", "actor": {"id": "rep-7"}})
    content = moved.json()
    assert (200, "blocked", False) == (moved.status_code, content["outcome"], content["applied"])
    read = await world.ask("GET", DEAL)
    assert ("demo_scheduled", put.headers["etag"]) == (read.json()["stage"], read.headers["etag"])
    logged = await world.good("GET", f"/decisions/{content['decision_id']}")
    assert ("move", False, "blocked") == (logged["source"], logged["applied"], logged["outcome"])


async def test_an_allowed_move_is_made_and_its_way_kept(world: World) -> None:
    await world.good("PUT", DEAL, stored(**ready_deal()))
    moved = await world.good("POST", MOVES, {"to": "demo_completed", "expected_stage": "demo_scheduled"})
    assert ("allowed", True) == (moved["outcome"], moved["applied"])
    read = await world.good("GET", DEAL)
    assert ("demo_completed", moved["as_of"]) == (read["stage"], read["stage_entered_at"])
    assert ["demo_scheduled", "demo_completed"] == [one["stage"] for one in read["stage_history"]]
    assert read["stage_history"][-1]["entered_at"] == moved["as_of"]


async def test_a_mover_who_is_wrong_about_the_stage_is_told(world: World) -> None:
    await world.good("PUT", DEAL, stored(**ready_deal()))
    before = await world.written()
    told = [
        await world.refusal("POST", MOVES, {"to": "won", "expected_stage": "demo_completed"}),
        await world.refusal("POST", MOVES, {"to": "demo_scheduled"}),
        await world.refusal("POST", MOVES, {"to": "nowhere"}),
        await world.refusal("POST", "/deals/D-404/moves", {"to": "won"}),
        await world.refusal("POST", MOVES, {"to": "won", "as_of": "2026-11-23T10:00:00Z"}),
    ]
    assert told == [
        (409, "stage-conflict"),
        (409, "already-there"),
        (422, "unknown-stage"),
        (404, "unknown-deal"),
        (422, "invalid-request"),
    ]
    assert before == await world.written()


async def test_of_two_movers_one_wins_and_the_other_is_told(world: World) -> None:
    for number in range(10):
        path = f"/deals/R-{number}"
        await world.good("PUT", path, stored(**ready_deal()))
        answers = await asyncio.gather(
            *(world.ask("POST", f"{path}/moves", {"to": "demo_completed"}) for _ in range(4))
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert [200, 409, 409, 409] == statuses, [answer.text for answer in answers]
        read = await world.good("GET", path)
        assert ["demo_scheduled", "demo_completed"] == [one["stage"] for one in read["stage_history"]]
        logged = await world.good("GET", "/decisions", params={"deal": f"R-{number}"})
        assert [True] == [one["applied"] for one in logged["items"] if one["deal_id"] == f"R-{number}"]


async def test_the_loser_is_told_also_when_it_wanted_to_go_elsewhere(world: World) -> None:
    for number in range(10):
        path = f"/deals/S-{number}"
        fields = ready_deal()["fields"] | {"lost_reason": "price"}
        await world.good("PUT", path, stored(**ready_deal(fields=fields)))
        answers = await asyncio.gather(
            *(
                world.ask("POST", f"{path}/moves", {"to": to, "expected_stage": "demo_scheduled"})
                for to in ("demo_completed", "lost")
            )
        )
        assert [200, 409] == sorted(answer.status_code for answer in answers), [answer.text for answer in answers]


async def test_activities_logged_during_a_race_are_all_there(world: World) -> None:
    await world.good("PUT", DEAL, stored(activities=[]))
    wanted = {f"a-{number}" for number in range(20)}
    at = {"activity": "demo", "at": "2026-11-12T15:00:00Z", "status": "done"}
    answers = await asyncio.gather(
        *(world.ask("POST", f"{DEAL}/activities", {"id": name, **at}) for name in wanted),
    )
    assert {201} == {answer.status_code for answer in answers}
    assert wanted == {one["id"] for one in (await world.good("GET", DEAL))["activities"]}


async def test_every_drawn_move_is_judged_in_one_call_and_none_is_logged(world: World) -> None:
    await world.good("PUT", DEAL, stored(**ready_deal()))
    found = await world.good("GET", MOVES, params={"actor": "rep-7", "role": "rep"})
    moves = found["moves"] if "moves" in found else found["items"]
    assert [("demo_completed", "allowed"), ("lost", "blocked")] == [(one["to"], one["outcome"]) for one in moves]
    assert [] == (await world.good("GET", "/decisions"))["items"]
