"""Deals kept here: stored, read, listed, their activities logged once."""

from typing import Any

import pytest

from tests.api.world import World
from tests.builders import activity, ready_deal, stored

DEAL = "/deals/D-1"


async def facts(world: World) -> dict[str, Any]:
    """The deal as it is read."""
    content: dict[str, Any] = await world.good("GET", DEAL)
    return content


async def test_a_deal_is_read_as_it_was_stored(world: World) -> None:
    put = await world.ask("PUT", DEAL, stored())
    read = await world.ask("GET", DEAL)
    assert (201, 200) == (put.status_code, read.status_code)
    assert put.headers["etag"] == read.headers["etag"]
    content = read.json()
    assert {**stored(), "id": "D-1", "version": 1} == {name: content[name] for name in (*stored(), "id", "version")}


async def test_what_is_read_can_be_put_again_and_changes_nothing(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    read = await world.ask("GET", DEAL)
    again = await world.ask("PUT", DEAL, read.json())
    assert (200, read.headers["etag"]) == (again.status_code, again.headers["etag"]), again.text


async def test_a_deal_is_only_overwritten_by_whoever_has_seen_it(world: World) -> None:
    first = (await world.ask("PUT", DEAL, stored())).headers["etag"]
    second = await world.ask("PUT", DEAL, stored(owner="rep-8"), headers={"if-match": first})
    assert (200, True) == (second.status_code, second.headers["etag"] != first)
    stale = await world.refusal("PUT", DEAL, stored(owner="rep-9"), headers={"if-match": first})
    assert (412, "precondition-failed") == stale
    assert (await facts(world))["owner"] == "rep-8"


@pytest.mark.parametrize(
    ("headers", "path", "expected"),
    [
        ({"if-none-match": "*"}, DEAL, 412),
        ({"if-none-match": "*"}, "/deals/D-2", 201),
        ({"if-match": "*"}, DEAL, 200),
        ({"if-match": "*"}, "/deals/D-2", 412),
        ({"if-match": '"999"'}, DEAL, 412),
        ({"if-match": '"1"'}, "/deals/D-2", 412),
        ({"if-match": "nonsense"}, DEAL, 412),
    ],
    ids=str,
)
async def test_a_condition_decides_whether_a_deal_is_stored(
    world: World, headers: dict[str, str], path: str, expected: int
) -> None:
    await world.good("PUT", DEAL, stored())
    answer = await world.ask("PUT", path, stored(owner="rep-9"), headers=headers)
    assert expected == answer.status_code, answer.text


async def test_another_stage_is_a_move_made_elsewhere_stored_and_judged_and_logged(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    moved = await world.good("PUT", DEAL, stored(stage="demo_completed", stage_entered_at="2026-11-20T09:00:00Z"))
    decision = moved["decision"]
    assert ("demo_completed", "blocked", "demo_scheduled", "demo_completed") == (
        moved["stage"],
        decision["outcome"],
        decision["from"],
        decision["to"],
    )
    logged = (await world.good("GET", "/decisions"))["items"]
    assert [(decision["decision_id"], "put", "D-1")] == [
        (one["decision_id"], one["source"], one["deal_id"]) for one in logged
    ]


async def test_a_move_made_elsewhere_leaves_its_trace_in_the_way_of_the_deal(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    bare = {name: value for name, value in stored(stage="demo_completed").items() if not name.endswith("_at")}
    await world.good("PUT", DEAL, bare)
    read = await facts(world)
    assert read["created_at"] == stored()["created_at"]
    assert read["stage_entered_at"] > "2026-11-20"
    assert [("demo_scheduled", "2026-11-10T09:00:00Z"), ("demo_completed", read["stage_entered_at"])] == [
        (one["stage"], one["entered_at"]) for one in read["stage_history"]
    ]


async def test_the_same_stage_again_is_no_move(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    again = await world.good("PUT", DEAL, stored(owner="rep-8"))
    assert (None, []) == (again.get("decision"), (await world.good("GET", "/decisions"))["items"])


async def test_a_deal_cannot_be_stored_where_its_process_has_no_place_for_it(world: World) -> None:
    told = [
        await world.refusal("PUT", DEAL, stored(stage="nowhere")),
        await world.refusal("PUT", DEAL, stored(process="nowhere")),
        await world.refusal("PUT", DEAL, stored(version=7)),
        await world.refusal("PUT", DEAL, stored(id="D-2")),
    ]
    assert [
        (422, "unknown-stage"),
        (404, "unknown-process"),
        (404, "unknown-version"),
        (422, "invalid-request"),
    ] == told
    assert (404, "unknown-deal") == await world.refusal("GET", DEAL)


async def test_lists_come_in_pages_that_hold_everything_once(world: World) -> None:
    for number in range(5):
        await world.good("PUT", f"/deals/D-{number}", stored(stage="won" if number == 4 else "demo_scheduled"))
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(4):
        params = {"limit": "2", "stage": "demo_scheduled"} | ({"cursor": cursor} if cursor else {})
        found = await world.good("GET", "/deals", params=params)
        seen += [one["id"] for one in found["items"]]
        cursor = found["next_cursor"]
        if cursor is None:
            break
    assert ["D-0", "D-1", "D-2", "D-3"] == seen
    assert ["D-4"] == [one["id"] for one in (await world.good("GET", "/deals", params={"stage": "won"}))["items"]]
    assert [] == (await world.good("GET", "/deals", params={"process": "other"}))["items"]


async def test_an_activity_is_logged_once(world: World) -> None:
    await world.good("PUT", DEAL, stored(activities=[]))
    path = f"{DEAL}/activities"
    first, again = await world.ask("POST", path, activity()), await world.ask("POST", path, activity())
    assert (201, 200) == (first.status_code, again.status_code)
    assert first.headers["etag"] == again.headers["etag"]
    other = await world.refusal("POST", path, activity(outcome="no_show"))
    assert (409, "activity-conflict") == other
    assert [activity()["outcome"]] == [one["outcome"] for one in (await facts(world))["activities"]]


async def test_what_was_planned_becomes_done(world: World) -> None:
    booked = activity(status="planned", at="2027-11-12T15:00:00Z")
    del booked["outcome"]
    await world.good("PUT", DEAL, stored(activities=[booked]))
    await world.good("PUT", f"{DEAL}/activities/a-1", activity())
    assert ["done"] == [one["status"] for one in (await facts(world))["activities"]]
    told = [
        await world.refusal("PUT", f"{DEAL}/activities/a-2", activity(id="a-2")),
        await world.refusal("PUT", f"{DEAL}/activities/a-2", activity()),
        await world.refusal("POST", "/deals/D-404/activities", activity()),
    ]
    assert [(404, "unknown-activity"), (422, "invalid-request"), (404, "unknown-deal")] == told


async def test_logging_the_missing_activity_lets_the_deal_move(world: World) -> None:
    await world.good("PUT", DEAL, stored(fields=ready_deal()["fields"]))
    asked = {"deal_id": "D-1", "to": "demo_completed", "dry_run": True}
    before = await world.good("POST", "/validate-transition", asked)
    await world.good("POST", f"{DEAL}/activities", activity(id="a-2"))
    after = await world.good("POST", "/validate-transition", asked)
    assert ("blocked", "allowed") == (before["outcome"], after["outcome"])


async def test_a_deal_left_in_a_stage_its_version_lacks_is_blocked_visibly(world: World) -> None:
    from tests.builders import PROCESS

    wider = PROCESS.replace("  - {key: won, kind: won}", "  - {key: parked}\n  - {key: won, kind: won}").replace(
        "  - {from: demo_completed, to: won,",
        "  - {from: demo_completed, to: parked}\n  - {from: parked, to: won}\n  - {from: demo_completed, to: won,",
    )
    await world.good("PUT", "/processes/b2b-saas", content=wider, headers={"content-type": "application/yaml"})
    await world.good("PUT", DEAL, stored(stage="parked"))
    row = await _pinned_to_the_first_version(world)
    assert row == 1
    decision = await world.good("POST", "/validate-transition", {"deal_id": "D-1", "to": "won", "dry_run": True})
    assert ("blocked", ["unknown_stage"]) == (decision["outcome"], [one["code"] for one in decision["findings"]])


async def _pinned_to_the_first_version(world: World) -> int:
    from app.store.deals import read_deal, update_deal

    row = await read_deal(world.database, world.tenant, "D-1")
    assert row is not None
    changed = row._replace(process_version=1, revision=row.revision + 1)
    await world.database.transaction(lambda tx: update_deal(tx, changed, expected_revision=row.revision))
    return changed.process_version
