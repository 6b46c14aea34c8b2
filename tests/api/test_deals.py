"""Deals kept here: what is stored, judged and refused, who may overwrite whom, and how they are listed."""

import asyncio

import pytest

from tests.api.world import YAML, World, log_of, pages
from tests.builders import PROCESS, activity, deal, ready_deal, stored

DEAL = "/deals/D-1"


async def test_a_deal_is_read_as_it_was_stored_with_its_process_and_version(world: World) -> None:
    put = await world.ask("PUT", DEAL, stored())
    got = await world.ask("GET", DEAL)
    lists: dict[str, list[str]] = {"stage_history": [], "approvals": []}
    given = activity(outcome="no_show")
    expected = {**deal(activities=[given]), **lists, "id": "D-1", "process": "b2b-saas", "version": 1}
    assert (201, expected) == (put.status_code, put.json())
    assert (200, expected) == (got.status_code, got.json())
    assert ('"1"', '"1"') == (put.headers["etag"], got.headers["etag"])


async def test_what_is_read_can_be_put_again_and_changes_nothing(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    read = await world.ask("GET", DEAL)
    again = await world.ask("PUT", DEAL, read.json())
    assert (200, read.headers["etag"]) == (again.status_code, again.headers["etag"]), again.text


async def test_what_is_not_there_or_does_not_fit_is_refused_and_not_stored(world: World) -> None:
    asked = [
        stored(process="nowhere"),
        stored(version=9),
        stored(stage="nowhere"),
        stored(id="D-2"),
        stored(process=None),
    ]
    told = [await world.refusal("PUT", DEAL, one) for one in asked]
    assert told == [
        (404, "unknown-process"),
        (404, "unknown-version"),
        (422, "unknown-stage"),
        (422, "invalid-request"),
        (422, "invalid-request"),
    ]
    content = (await world.ask("PUT", DEAL, stored(stage="nowhere"))).json()
    assert ("stage", ["demo_scheduled", "demo_completed", "won", "lost"]) == (content["place"], content["known"])
    assert (404, "unknown-deal") == await world.refusal("GET", DEAL)


async def test_another_owner_or_field_is_no_move(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    changed = await world.ask("PUT", DEAL, stored(owner="rep-8", fields={"amount": 1}))
    assert (200, '"2"', False) == (changed.status_code, changed.headers["etag"], "decision" in changed.json())
    assert [] == await log_of(world)


async def test_another_stage_is_stored_judged_and_logged_even_when_the_process_would_have_blocked_it(
    world: World,
) -> None:
    await world.good("PUT", DEAL, stored())
    moved = await world.good("PUT", DEAL, stored(stage="demo_completed", stage_entered_at="2026-11-20T09:00:00Z"))
    decision = moved["decision"]
    assert ("demo_completed", "blocked", "2026-11-20T09:00:00Z") == (
        moved["stage"],
        decision["outcome"],
        decision["as_of"],
    )
    assert ["next-step", "demo-held", "budget-known"] == [one["requirement"] for one in decision["findings"]]
    assert [("put", "demo_scheduled", "demo_completed", "blocked")] == await log_of(world)
    logged = await world.good("GET", f"/decisions/{decision['decision_id']}")
    assert decision == {name: logged[name] for name in decision}


async def test_a_move_made_elsewhere_is_judged_on_the_facts_that_came_with_it(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    ready = ready_deal(stage="demo_completed", stage_entered_at="2026-11-20T09:00:00Z")
    moved = await world.good("PUT", DEAL, {"process": "b2b-saas", **ready})
    assert "allowed" == moved["decision"]["outcome"]
    assert [("demo_scheduled", "2026-11-10T09:00:00Z"), ("demo_completed", "2026-11-20T09:00:00Z")] == [
        (one["stage"], one["entered_at"]) for one in moved["stage_history"]
    ]


async def test_a_move_made_elsewhere_leaves_its_trace_in_the_way_of_the_deal(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    bare = {name: value for name, value in stored(stage="demo_completed").items() if not name.endswith("_at")}
    await world.good("PUT", DEAL, bare)
    read = await world.good("GET", DEAL)
    assert read["created_at"] == stored()["created_at"]
    assert read["stage_entered_at"] > "2026-11-20"
    assert [("demo_scheduled", "2026-11-10T09:00:00Z"), ("demo_completed", read["stage_entered_at"])] == [
        (one["stage"], one["entered_at"]) for one in read["stage_history"]
    ]


async def test_the_deal_keeps_its_version_until_another_is_asked_for(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    await world.good("PUT", "/processes/b2b-saas", content=PROCESS + "maturity: run\n", headers=YAML)
    kept = await world.good("PUT", DEAL, stored(owner="rep-8"))
    taken = await world.good("PUT", DEAL, stored(version=2))
    new = await world.good("PUT", "/deals/D-2", stored())
    assert [1, 2, 2] == [kept["version"], taken["version"], new["version"]]


async def test_if_match_lets_only_the_known_state_be_overwritten(world: World) -> None:
    owners = (f"rep-{number}" for number in range(20))

    async def put(**headers: str) -> tuple[int, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await world.ask("PUT", DEAL, stored(owner=next(owners)), headers=named)
        return answer.status_code, answer.headers.get("etag", "")

    assert (412, "") == await put(if_match='"1"')
    assert (412, "") == await put(if_match="*")
    assert (201, '"1"') == await put(if_none_match="*")
    assert (412, "") == await put(if_none_match="*")
    assert (412, "") == await put(if_none_match='"1"')
    assert (200, '"2"') == await put(if_match='"1"')
    assert (412, "") == await put(if_match='"1"')
    assert (412, "") == await put(if_match="junk")
    assert (200, '"3"') == await put(if_match='"9", W/"2"')
    assert (200, '"4"') == await put(if_match="*", if_none_match='"1"')
    assert (412, "precondition-failed") == await world.refusal("PUT", DEAL, stored(), headers={"if-match": '"1"'})


async def test_of_two_who_saw_the_same_state_one_overwrites_it(world: World) -> None:
    await world.good("PUT", DEAL, stored())
    both = [world.ask("PUT", DEAL, stored(owner=f"rep-{n}"), headers={"if-match": '"1"'}) for n in range(8)]
    answers = await asyncio.gather(*both)
    assert [200] + [412] * 7 == sorted(answer.status_code for answer in answers)
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert winner.json() == await world.good("GET", DEAL)


async def test_many_who_store_a_new_deal_at_once_all_succeed(world: World) -> None:
    answers = await asyncio.gather(*(world.ask("PUT", DEAL, stored(owner=f"rep-{n}")) for n in range(8)))
    assert [200] * 7 + [201] == sorted(answer.status_code for answer in answers)
    assert '"8"' == (await world.ask("GET", DEAL)).headers["etag"]


async def test_deals_are_listed_in_pages_by_id(world: World) -> None:
    for number in range(5):
        await world.good("PUT", f"/deals/D-{number}", stored(stage="lost" if number == 3 else "demo_scheduled"))
    assert [["D-0", "D-1"], ["D-2", "D-3"], ["D-4"]] == await pages(world, "/deals", "id", limit=2)
    assert [["D-3"]] == await pages(world, "/deals", "id", stage="lost")
    assert [[]] == await pages(world, "/deals", "id", process="other")


async def test_pages_end_at_ids_of_any_length(world: World) -> None:
    ids = ["a" * 200, "é" * 200, "😀" * 200]
    for one in ids:
        await world.good("PUT", f"/deals/{one}", stored())
    assert [[one] for one in ids] == await pages(world, "/deals", "id", limit=1)


async def test_a_deal_of_a_connection_is_read_by_both_its_ids(world: World) -> None:
    await world.good("PUT", "/deals/hubspot-eu:17", stored())
    assert "hubspot-eu:17" == (await world.good("GET", "/deals/hubspot-eu:17"))["id"]
    assert "hubspot-eu:17" == (await world.good("GET", "/deals/hubspot-eu%3A17"))["id"]


STAGES = PROCESS.replace("demo_scheduled", "meeting").replace("demo_completed", "met")


@pytest.fixture
async def stray(world: World) -> World:
    """Bring a deal to a version that lacks its stage."""
    await world.good("PUT", DEAL, stored())
    await world.good("PUT", "/processes/b2b-saas", content=STAGES, headers=YAML)
    row = ("UPDATE deals SET process_version = 2", world.tenant)
    await world.sql(f"{row[0]} WHERE tenant_id = '{row[1]}'")
    return world


async def test_a_deal_in_a_stage_that_its_version_lacks_is_blocked_visibly(stray: World) -> None:
    asked = await stray.good("POST", "/validate-transition", {"deal_id": "D-1", "to": "met"})
    moved = await stray.good("POST", f"{DEAL}/moves", {"to": "met"})
    for decision in (asked, moved):
        assert ("blocked", ["unknown_stage"]) == (
            decision["outcome"],
            [one["code"] for one in decision["findings"]],
        )
        assert {"stage": "demo_scheduled"} == decision["findings"][0]["actual"]
    assert moved["applied"] is False
    assert {"stage": "demo_scheduled", "items": []} == await stray.good("GET", f"{DEAL}/moves")
    for to in ("nowhere", "demo_scheduled"):
        assert (422, "unknown-stage") == await stray.refusal("POST", f"{DEAL}/moves", {"to": to})
        content = (await stray.ask("POST", "/validate-transition", {"deal_id": "D-1", "to": to})).json()
        assert ("to", ["meeting", "met", "won", "lost"]) == (content["place"], content["known"])


async def test_no_plan_leads_out_of_a_stage_that_the_version_lacks(stray: World) -> None:
    for advice in (
        await stray.good("GET", f"{DEAL}/next-activities"),
        await stray.good("POST", "/next-activities", {"deal_id": "D-1"}),
    ):
        assert ("demo_scheduled", "won", None, [], ["unknown_stage"]) == (
            advice["stage"],
            advice["goal"],
            advice["plan"],
            advice["suggestions"],
            [one["code"] for one in advice["blocked_by"]],
        )
    assert (422, "unknown-stage") == await stray.refusal("GET", f"{DEAL}/next-activities", params={"goal": "nowhere"})
