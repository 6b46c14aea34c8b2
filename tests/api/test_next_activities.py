"""Next activities over HTTP: how much is said, and whose step of the buying path they serve."""

from typing import Any

from tests.api.world import YAML, World

PROCESS = """\
process: path
activities: [{key: demo, kind: meeting, effort: 1h, how: {en: Show the three screens, it: Mostra le tre schermate}}]
stages:
  - {key: talks, buyer: problem_recognition}
  - {key: shown, buyer: solution_evaluation}
  - {key: won, kind: won, buyer: purchase}
  - {key: lost, kind: lost}
path: [talks, shown, won]
transitions:
  - {from: talks, to: shown, requires: [{id: demo-held, activity: demo}]}
  - {from: open, to: lost}
"""
DEAL = {"process": "path", "deal": {"stage": "talks"}}


async def _asked(world: World, **more: Any) -> dict[str, Any]:
    await world.good("PUT", "/processes/path", content=PROCESS, headers=YAML)
    answer: dict[str, Any] = await world.good("POST", "/next-activities", {**DEAL, **more})
    return answer


async def test_brief_says_what_to_do_and_full_says_why_how_and_what_it_opens(world: World) -> None:
    full = (await _asked(world))["suggestions"][0]
    brief = (await _asked(world, detail="brief"))["suggestions"][0]
    assert (full["how"], full["unlocks"][0]["to"]) == ("Show the three screens", "shown")
    assert set(full) - set(brief) >= {"why", "how", "unlocks", "because", "evidence"}
    assert {**brief, "message": ""} == {name: value for name, value in {**full, "message": ""}.items() if name in brief}


async def test_how_much_is_said_is_one_of_two(world: World) -> None:
    await _asked(world)
    assert await world.refusal("POST", "/next-activities", {**DEAL, "detail": "long"}) == (422, "invalid-request")
    assert (await world.refusal("GET", "/deals/D-1/next-activities?detail=long"))[0] == 422


async def test_answers_name_the_buyer_s_steps(world: World) -> None:
    advice = await _asked(world)
    assert (advice["buyer_step"], advice["goal_buyer"]) == ("problem_recognition", "purchase")
    decision = await world.good("POST", "/validate-transition", {**DEAL, "to": "shown"})
    assert (decision["from_buyer"], decision["to_buyer"]) == ("problem_recognition", "solution_evaluation")
    lost = await world.good("POST", "/validate-transition", {**DEAL, "to": "lost"})
    assert ("to_buyer" in lost, lost["from_buyer"]) == (False, "problem_recognition")
