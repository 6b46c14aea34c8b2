"""Where a team stands over HTTP: from its process, its deals and its decisions; too little is said, not guessed."""

from typing import Any

import pytest

from app.services.assessment_criteria import LEAST_ASKED, LEAST_DEALS
from app.starters import read_starter
from tests.api.world import YAML, World

POOR = """\
process: poor
maturity: walk
activities: [{key: lunch, name: Lunch meeting}, {key: b}, {key: c}, {key: d}, {key: e}, {key: f}]
fields: [{key: amount, type: number}, {key: notes, type: text}]
stages: [{key: interested}, {key: maybe}, {key: won, kind: won}]
path: [interested, maybe, won]
transitions: [{from: interested, to: maybe, requires: [{id: priced, field: amount, is: present}]}]
policies: {undrawn: warn}
"""
CRAWL = {"process": "crawl", "stage": "lead_received", "owner": "ana", "created_at": "2026-10-01T09:00:00Z"}
FULL = {"source": "website", "need": "They lose a day a week", "amount": 900, "lost_reason": "price"}
CALL = {"id": "c", "activity": "call", "outcome": "reached", "status": "done", "at": "2026-10-02T09:00:00Z"}


async def assessed(world: World, process: str, **options: Any) -> tuple[dict[str, Any], dict[str, tuple[str, Any]]]:
    answer = await world.good("GET", f"/assessment?process={process}", **options)
    return answer, {one["criterion"]: (one["result"], one["figure"]) for one in answer["criteria"]}


async def _moved(world: World, deals: int, fields: dict[str, Any], *, keep: bool) -> None:
    """So many deals, each told of afterwards as moved on; kept to the process or not."""
    await world.good("PUT", "/processes/crawl", content=read_starter("crawl"), headers=YAML)
    for number in range(deals):
        deal = {**CRAWL, "fields": fields, "activities": [CALL] if keep else []}
        await world.good("PUT", f"/deals/D-{number}", deal)
        await world.good("PUT", f"/deals/D-{number}", {**deal, "stage": "first_call_held"})


async def test_a_team_without_a_process_is_told_to_take_one(world: World) -> None:
    key = await world.new_key("decide", tenant=f"{world.tenant}-empty")
    assert await world.good("GET", "/assessment", key=key) == {
        "process": None,
        "claims": "crawl",
        "stands": None,
        "criteria": [
            {
                "criterion": "process_exists",
                "level": "crawl",
                "name": "there is a process",
                "result": "fail",
                "figure": 0.0,
                "threshold": {"at_least": 1.0},
                "evidence": {"processes": 0},
            }
        ],
        "next_step": {
            "criterion": "process_exists",
            "message": "take a process, any process: publish a starter and keep to it",
            "starter": "crawl",
        },
    }


async def test_too_little_data_is_said_with_what_is_needed(world: World) -> None:
    await _moved(world, 1, FULL, keep=True)
    answer, results = await assessed(world, "crawl")
    assert results == {
        "process_exists": ("pass", 1),
        "house_rules_set": ("pass", 0),
        "process_kept": ("too_little_data", 0),
        "data_entered": ("too_little_data", 1),
        "stages_factual": ("pass", 0),
        "activities_few": ("pass", 2),
        "activities_logged": ("too_little_data", 1),
        "data_structured": ("too_little_data", 0.75),
        "path_buyers": ("fail", 0),
    }
    message = (
        "there is too little data on “the process is kept: deviations among requirements asked”: keep deals here until"
        f" there are {LEAST_ASKED} to look at; now there are 4"
    )
    assert (answer["stands"], answer["next_step"]) == (
        None, {"criterion": "process_kept", "message": message, "starter": "crawl"},
    )  # fmt: skip


async def test_a_team_that_keeps_to_its_process_stands_and_is_told_the_next_level(world: World) -> None:
    await _moved(world, LEAST_DEALS, FULL, keep=True)
    answer, results = await assessed(world, "crawl")
    assert [name for name, (result, _) in results.items() if result != "pass"] == ["path_buyers"]
    assert (answer["stands"], answer["next_step"]["criterion"], answer["next_step"]["starter"]) == (
        "walk", "path_buyers", "run",
    )  # fmt: skip


async def test_deviations_are_shown_per_rule_and_the_worst_is_named(world: World) -> None:
    await _moved(world, LEAST_DEALS, {"amount": 5}, keep=False)
    answer, results = await assessed(world, "crawl", headers={"accept-language": "it"})
    assert (results["process_kept"], results["data_entered"]) == (("fail", 0.6667), ("fail", 0.25))
    kept = next(one for one in answer["criteria"] if one["criterion"] == "process_kept")
    assert kept["evidence"] == {
        "activated": 3 * LEAST_DEALS,
        "missed": 2 * LEAST_DEALS,
        "least": LEAST_ASKED,
        "rules": [
            {"requirement": "lead-called", "rule": None, "activated": 20, "missed": 20, "deviation": 1.0},
            {"requirement": "source-known", "rule": None, "activated": 20, "missed": 20, "deviation": 1.0},
            {"requirement": None, "rule": "drawn", "activated": 20, "missed": 0, "deviation": 0.0},
        ],
    }
    assert answer["next_step"]["message"] == (
        "guarda la regola violata più spesso, lead-called, e rispettala oppure cambiala"
    )


async def test_a_poor_process_is_told_the_lowest_step_first(world: World) -> None:
    await world.good("PUT", "/processes/poor", content=POOR, headers=YAML)
    answer, results = await assessed(world, "poor")
    failed = [name for name, (result, _) in results.items() if result == "fail"]
    assert failed == ["house_rules_set", "stages_factual", "activities_few", "path_buyers"]
    assert (answer["claims"], answer["next_step"]["criterion"]) == ("walk", "house_rules_set")
    few = next(one for one in answer["criteria"] if one["criterion"] == "activities_few")
    assert (few["figure"], few["threshold"]) == (6, {"at_least": 1, "at_most": 5})


async def test_of_several_processes_one_must_be_named_and_it_must_exist(world: World) -> None:
    assert await world.refusal("GET", "/assessment?process=none") == (404, "unknown-process")
    await world.good("PUT", "/processes/poor", content=POOR, headers=YAML)
    answer = await world.ask("GET", "/assessment")
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (
        422, "there are several processes; name one of `b2b-saas`, `poor`",
    )  # fmt: skip


@pytest.mark.parametrize("key", ["crawl", "walk", "run"])
async def test_no_starter_is_told_that_its_file_falls_short_of_its_level(world: World, key: str) -> None:
    await world.good("PUT", f"/processes/{key}", content=read_starter(key), headers=YAML)
    answer, _ = await assessed(world, key)
    assert answer["next_step"]["criterion"] == "process_kept"
