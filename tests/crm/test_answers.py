"""What is told of a refused move and of our answer, and answers whose ground shifts before they are given."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.services.outbox import GiveUp
from app.store.outbox import list_items
from tests.crm.circle import Circle, circle
from tests.crm.circle_crms import PlayedHubspot
from tests.crm.fakes.base import Answer

MADE = (None, "demo_scheduled", "not_judged")
DRIFT = ("demo_scheduled", "demo_completed", "drift")
BACK = ("demo_completed", "demo_scheduled", "own")


@pytest.fixture
async def world(fresh_sqlite_url: str) -> AsyncIterator[Circle]:
    """Give a server connected with HubSpot."""
    async with circle(fresh_sqlite_url, PlayedHubspot()) as found:
        yield found


async def _drifted(world: Circle) -> str:
    """A deal with a refused move that is not answered yet."""
    await world.connect(grace="1h")
    deal = await world.crm.make()
    await world.judged(deal, MADE)
    await world.tick()
    await world.crm.move(deal, "demo_completed")
    await world.judged(deal, MADE, DRIFT)
    await world.settled()
    return deal


async def _told(world: Circle) -> list[tuple[Any, ...]]:
    """Type, from, to, outcome, and whether there is a decision, of every event of a deal."""
    items = [one for one in await list_items(world.database, "acme", limit=99) if one.kind == "event"]
    told = [json.loads(one.payload) for one in sorted(items, key=lambda one: one.item_id)]
    return [
        (one["type"], data["from"], data["to"], data["outcome"], data["decision"] is not None)
        for one in told
        for data in [one["data"]]
    ]


async def test_who_listens_is_told_of_every_move_also_of_ours(world: Circle) -> None:
    endpoint = {"url": "https://events.example.com/x", "events": ["deal.moved", "deal.drifted"]}
    answer = await world.client.put("/endpoints/team", json=endpoint)
    assert answer.status_code == 201, answer.text
    deal = await _drifted(world)
    await world.answer()
    await world.judged(deal, MADE, DRIFT, BACK)
    assert await _told(world) == [
        ("deal.moved", None, "demo_scheduled", "not_judged", True),
        ("deal.moved", *DRIFT[:2], "blocked", True),
        ("deal.drifted", *DRIFT[:2], "blocked", True),
        ("deal.moved", *BACK[:2], "not_judged", False),
    ]


async def test_what_the_connection_does_not_answer_any_more_is_not_answered(world: Circle) -> None:
    deal = await _drifted(world)
    await world.connect(grace="1h", remedy="observe")
    await world.answer()
    assert (await world.came_to(deal), world.crm.stage(deal), world.crm.notes(deal)) == ([], "demo_completed", [])


async def test_where_the_crm_refuses_the_stage_the_rest_is_done_and_the_reason_told(world: Circle) -> None:
    deal = await _drifted(world)
    fake = world.crm.fake
    refusal = {"status": "error", "category": "VALIDATION_ERROR", "message": "deals do not go back here"}
    fake._routes = [
        (method, *rest, (lambda _call, **_groups: Answer(400, refusal)) if method == "PATCH" else handler)
        for method, *rest, handler in fake._routes
    ]
    with pytest.raises(GiveUp) as dead:
        await world.answer()
    assert (dead.value.code, dead.value.params["said"]) == ("client_refused", "deals do not go back here")
    assert await world.came_to(deal) == [{"revert": "client_refused", "note": "done", "task": "done"}]
    (note,) = world.crm.notes(deal)
    assert "put back" not in note
    await world.tick()
    await world.crm.move(deal, "demo_scheduled")  # somebody's, not ours: we were refused
    await world.judged(deal, MADE, DRIFT, ("demo_completed", "demo_scheduled", "drift"))


async def test_a_deal_that_was_lost_since_gets_a_note_and_no_task(world: Circle) -> None:
    deal = await _drifted(world)
    await world.tick()
    await world.crm.move(deal, "lost")
    await world.judged(deal, MADE, DRIFT, ("demo_completed", "lost", "allowed"))
    await world.settled()
    await world.answer()
    assert await world.came_to(deal) == [{"revert": "moved_on", "note": "done", "task": "moved_on"}]
    assert (world.crm.stage(deal), len(world.crm.notes(deal)), world.crm.tasks(deal)) == ("lost", 1, [])


async def test_a_workflow_that_moves_the_deal_on_every_time_is_not_fought_for_ever(world: Circle) -> None:
    deal = await _drifted(world)
    for _ in range(3):
        await world.answer()
        await world.until(lambda: _stands(world, deal, "demo_scheduled"))
        await world.settled()
        await world.tick()
        await world.crm.move(deal, "demo_completed")
        await world.until(lambda: _last(world, deal, DRIFT))
        await world.settled()
    await world.answer()
    assert [one["revert"] for one in await world.came_to(deal)][-1] == "contested"
    assert world.crm.stage(deal) == "demo_completed"


async def _stands(world: Circle, deal: str, stage: str) -> bool:
    return bool((await world.get(f"/deals/crm:{deal}"))["stage"] == stage)


async def _last(world: Circle, deal: str, verdict: tuple[str | None, str | None, str]) -> bool:
    return (await world.verdicts(deal))[-1] == verdict
