"""What is seen over all deals: only what happened counts, every count has its denominator, and SQL answers alone."""

from typing import Any

import pytest

from app import clock
from tests.api.world import YAML, World

PROCESS = """\
process: house
timezone: Europe/Rome
activities: [{key: call, kind: call}]
fields:
  - {key: amount, type: number}
  - {key: source, type: choice, choices: [web, fair]}
  - {key: need, type: text, min_length: 5, blank: [tbd]}
stages:
  - {key: new, buyer: problem_recognition, name: {en: New, it: Nuova}}
  - {key: called, buyer: problem_recognition}
  - {key: offered, buyer: solution_evaluation}
  - {key: won, kind: won}
  - {key: lost, kind: lost}
path: [new, called, offered, won]
transitions:
  - from: new
    to: called
    requires: [{id: called, activity: call}, {id: sourced, field: source, is: present, mode: warn}]
  - {from: called, to: offered, requires: [{id: priced, field: amount, more_than: 0}, {id: boss, mover: [boss]}]}
  - {from: open, to: lost}
roles: [boss]
policies: {undrawn: warn, skip: enforce, back: warn}
"""
CALL = {"id": "c", "activity": "call", "status": "done"}
DEAL = {"process": "house", "stage": "new", "owner": "ana", "fields": {"source": "web"}}
WEEK = "{0.year:04}-W{0.week:02}"


@pytest.fixture
async def house(world: World) -> World:
    """Publish the process of this page."""
    await world.good("PUT", "/processes/house", content=PROCESS, headers=YAML)
    return world


def called() -> dict[str, Any]:
    return {**CALL, "at": clock.now().isoformat()}


def counted(**counts: int) -> dict[str, Any]:
    found = {"met": 0, "waived": 0, "missed": 0, "unknown": 0, "refused": 0} | counts
    activated = found["met"] + found["waived"] + found["missed"]
    deviation = round(found["missed"] / activated, 4) if activated else None
    return {"activated": activated, **found, "deviation": deviation}


async def _three_moves(house: World) -> None:
    """One refused move, one made with a warning unheeded, and one told of afterwards that nothing draws."""
    await house.good("PUT", "/deals/D-1", {**DEAL, "fields": {}})
    refused = await house.good("POST", "/deals/D-1/moves", {"to": "called"})
    assert (refused["outcome"], refused["applied"]) == ("blocked", False)
    await house.good("POST", "/deals/D-1/activities", called())
    made = await house.good("POST", "/deals/D-1/moves", {"to": "called"})
    assert (made["outcome"], made["applied"]) == ("allowed", True)
    await house.good("PUT", "/deals/D-2", DEAL)
    told = await house.good("PUT", "/deals/D-2", {**DEAL, "stage": "offered"})
    assert told["decision"]["outcome"] == "blocked"


async def test_what_happened_is_counted_and_refusals_apart(house: World) -> None:
    await _three_moves(house)
    found = await house.good("GET", "/insights/adherence?process=house&by=requirement")
    assert found == {
        "process": "house",
        "from": None,
        "to": None,
        "moves": {"total": 2, "drawn": 1, "undrawn": 1, "refused": 0},
        "totals": counted(met=1, missed=1, refused=1),
        "rules": [{"rule": "drawn", **counted(met=1, missed=1)}],
        "items": [
            {"requirement": "called", "rule": None, **counted(met=1, refused=1)},
            {"requirement": "sourced", "rule": None, **counted(missed=1)},
            {"requirement": None, "rule": "drawn", **counted(met=1, missed=1)},
        ],
        "next_cursor": None,
    }


async def test_every_group_names_transition_owner_and_week(house: World) -> None:
    await _three_moves(house)
    found = await house.good("GET", "/insights/adherence?process=house")
    week = WEEK.format(clock.now().isocalendar())
    here = {"from": "new", "to": "called", "owner": "ana", "week": week}
    assert found["items"] == [
        {"requirement": "called", "rule": None, **here, **counted(met=1, refused=1)},
        {"requirement": "sourced", "rule": None, **here, **counted(missed=1)},
        {"requirement": None, "rule": "drawn", **here, **counted(met=1)},
        {"requirement": None, "rule": "drawn", **here, "to": "offered", **counted(missed=1)},
    ]


async def test_pages_hold_what_the_whole_holds(house: World) -> None:
    await _three_moves(house)
    whole = (await house.good("GET", "/insights/adherence?process=house"))["items"]
    pages: list[Any] = []
    cursor = ""
    while len(pages) <= len(whole):
        page = await house.good("GET", f"/insights/adherence?process=house&limit=1{cursor}")
        pages += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert pages == whole


RULES = """\
process: rules
activities: [{key: call, kind: call}, {key: mail, kind: email}]
stages: [{key: new}, {key: called}, {key: won, kind: won}, {key: lost, kind: lost}]
path: [new, called, won]
transitions: [{from: open, to: lost}, {from: lost, to: new}]
policies: {reopen_lost: new_deal, first_touch: call}
"""


async def test_house_rules_are_counted_by_their_names_with_their_denominators(house: World) -> None:
    await house.good("PUT", "/processes/rules", content=RULES, headers=YAML)
    mailed = {**called(), "activity": "mail", "direction": "outbound"}
    for name, activities, stages in (("D-1", [called()], ["called"]), ("D-2", [mailed], ["called", "lost", "new"])):
        for stage in ("new", *stages):
            deal = {"process": "rules", "stage": stage, "owner": "ana", "activities": activities}
            await house.good("PUT", f"/deals/{name}", deal)
    tried = {"process": "rules", "stage": "lost", "owner": "ana"}
    await house.good("PUT", "/deals/D-3", tried)
    refused = await house.good("POST", "/deals/D-3/moves", {"to": "new"})
    assert [one["code"] for one in refused["findings"]] == ["reopen_not_allowed"]
    found = await house.good("GET", "/insights/adherence?process=rules&by=requirement")
    assert found["rules"] == [
        {"rule": "drawn", **counted(met=4)},
        {"rule": "first_touch", **counted(met=1, missed=1)},
        {"rule": "reopen_lost", **counted(missed=1, refused=1)},
    ]


async def test_a_house_rule_that_was_not_asked_is_not_kept_either(house: World) -> None:
    await house.good("PUT", "/processes/rules", content=RULES, headers=YAML)
    mailed = {**called(), "activity": "mail", "direction": "outbound"}
    for name, activities, stage in (("D-1", [], "called"), ("D-2", [mailed], "won")):
        for at in ("new", stage):
            await house.good("PUT", f"/deals/{name}", {"process": "rules", "stage": at, "activities": activities})
    found = await house.good("GET", "/insights/adherence?process=rules&by=requirement")
    assert found["rules"] == [{"rule": "drawn", **counted(met=1, missed=1)}]


async def test_a_question_counts_for_nothing(house: World) -> None:
    await house.good("PUT", "/deals/D-1", DEAL)
    for asked in ({"deal_id": "D-1"}, {"process": "house", "deal": {"id": "D-1", "stage": "new"}}):
        await house.good("POST", "/validate-transition", {**asked, "to": "called"})
    found = await house.good("GET", "/insights/adherence?process=house")
    assert (found["moves"]["total"], found["items"]) == (0, [])


async def test_what_could_not_be_judged_is_neither_met_nor_missed(house: World) -> None:
    deal = {**DEAL, "stage": "called", "fields": {"amount": 5}}
    await house.good("PUT", "/deals/D-1", deal)
    await house.good("PUT", "/deals/D-1", {**deal, "stage": "offered"})
    found = await house.good("GET", "/insights/adherence?process=house&by=requirement")
    assert {one["requirement"] or one["rule"]: one["unknown"] for one in found["items"]} == {
        "boss": 1, "priced": 0, "drawn": 0,
    }  # fmt: skip
    assert found["totals"] == counted(met=1, unknown=1)


async def test_a_period_and_an_owner_narrow_it_down(house: World) -> None:
    await _three_moves(house)
    moves = {
        query: (await house.good("GET", f"/insights/adherence?process=house&{query}"))["moves"]["total"]
        for query in ("from=2026-01-01", "to=2026-01-01", "owner=ana", "owner=bea")
    }
    assert moves == {"from=2026-01-01": 2, "to=2026-01-01": 0, "owner=ana": 2, "owner=bea": 0}


WRONG = {
    "from=2026-02-01&to=2026-01-01": (422, "invalid-request"),
    "from=1899-12-31": (422, "invalid-request"),
    "to=3000-01-01": (422, "invalid-request"),
    "from=yesterday": (422, "invalid-request"),
    "from=1700000000": (422, "invalid-request"),
    "from=2026-02-30": (422, "invalid-request"),
    "by=colour": (422, "invalid-request"),
    "limit=0": (422, "invalid-request"),
    "cursor=x": (422, "invalid-cursor"),
    "cursor=WyJhIl0": (422, "invalid-cursor"),
    "by=week&cursor=WyJcdTAwMDAiXQ": (422, "invalid-cursor"),
}


@pytest.mark.parametrize("query", WRONG)
async def test_what_cannot_be_asked_is_refused_clearly(house: World, query: str) -> None:
    assert await house.refusal("GET", f"/insights/adherence?process=house&{query}") == WRONG[query]


async def test_a_reversed_period_is_explained(house: World) -> None:
    answer = await house.ask("GET", "/insights/adherence?process=house&from=2026-02-01&to=2026-01-01")
    assert answer.json()["errors"] == [
        {
            "place": "from",
            "code": "period_reversed",
            "message": "the period begins on 2026-02-01 and ends on 2026-01-01; swap the two",
        }
    ]


@pytest.mark.parametrize("route", ["/insights/adherence", "/insights/data-quality"])
async def test_an_unknown_process_is_none_and_one_must_be_named(house: World, route: str) -> None:
    assert await house.refusal("GET", f"{route}?process=nothing") == (404, "unknown-process")
    assert await house.refusal("GET", route) == (422, "invalid-request")
    assert await house.refusal("GET", f"{route}?process=house", key=house.strangers_key) == (404, "unknown-process")


def score(**states: int) -> dict[str, Any]:
    found = {"structured": 0, "text": 0, "blank": 0, "missing": 0, "invalid": 0} | states
    count = sum(found.values())
    return {"score": round((found["structured"] + found["text"] / 2) / count, 4), "count": count, **found}


async def test_a_deal_is_scored_field_by_field(house: World) -> None:
    fields = {"amount": 100, "source": "nowhere", "need": "a whole sentence"}
    await house.good("PUT", "/deals/D-1", {**DEAL, "fields": fields})
    assert await house.good("GET", "/deals/D-1/data-quality") == {
        "deal": "D-1", "process": "house", "version": 1, "owner": "ana",
        **score(structured=1, text=1, invalid=1),
        "items": [
            {"field": "amount", "state": "structured", "score": 1.0},
            {"field": "need", "state": "text", "score": 0.5},
            {"field": "source", "state": "invalid", "score": 0.0},
        ],
    }  # fmt: skip
    assert await house.refusal("GET", "/deals/D-9/data-quality") == (404, "unknown-deal")


async def test_the_score_follows_every_change_of_the_deal(house: World) -> None:
    for fields, expected in (({}, "missing"), ({"amount": 1}, "structured"), ({"amount": "dear"}, "invalid")):
        await house.good("PUT", "/deals/D-1", {**DEAL, "fields": fields})
        items = (await house.good("GET", "/deals/D-1/data-quality"))["items"]
        assert items[0] == {"field": "amount", "state": expected, "score": 1.0 if expected == "structured" else 0.0}


async def test_a_change_of_owner_moves_the_score_to_the_new_one(house: World) -> None:
    for owner in ("ana", "bea"):
        await house.good("PUT", "/deals/D-1", {**DEAL, "owner": owner})
    found = await house.good("GET", "/insights/data-quality?process=house")
    assert {one["owner"] for one in found["items"]} == {"bea"}


async def test_quality_is_counted_per_field_owner_and_over_all(house: World) -> None:
    await house.good("PUT", "/deals/D-1", {**DEAL, "fields": {"amount": 1, "need": "tbd"}})
    await house.good("PUT", "/deals/D-2", {**DEAL, "owner": "bea", "fields": {"amount": 2, "need": "they need it"}})
    await house.good("PUT", "/deals/D-3", {"process": "house", "stage": "new"})
    found = await house.good("GET", "/insights/data-quality?process=house&limit=4")
    assert found["overall"] == score(structured=2, text=1, blank=1, missing=5)
    assert found["fields"] == [
        {"field": "amount", **score(structured=2, missing=1)},
        {"field": "need", **score(text=1, blank=1, missing=1)},
        {"field": "source", **score(missing=3)},
    ]
    assert found["items"] == [
        {"field": "amount", "owner": None, **score(missing=1)},
        {"field": "amount", "owner": "ana", **score(structured=1)},
        {"field": "amount", "owner": "bea", **score(structured=1)},
        {"field": "need", "owner": None, **score(missing=1)},
    ]
    rest = await house.good("GET", f"/insights/data-quality?process=house&cursor={found['next_cursor']}")
    assert [(one["field"], one["owner"]) for one in rest["items"]] == [
        ("need", "ana"), ("need", "bea"), ("source", None), ("source", "ana"), ("source", "bea"),
    ]  # fmt: skip
    anas = await house.good("GET", "/insights/data-quality?process=house&owner=ana")
    assert anas["overall"] == score(structured=1, blank=1, missing=1)


async def test_the_buyers_journey_is_told_in_order_and_language(house: World) -> None:
    found = await house.good("GET", "/processes/house/buyer-journey", headers={"accept-language": "it"})
    named = [(one["step"], [stage["name"] for stage in one["stages"]]) for one in found["steps"]]
    assert named == [("problem_recognition", ["Nuova", "Called"]), ("solution_evaluation", ["Offered"])]
    assert [one["stage"] for one in found["stages_without_step"]] == ["won", "lost"]
    assert found["process"]["version"] == 1
    assert await house.refusal("GET", "/processes/none/buyer-journey") == (404, "unknown-process")
