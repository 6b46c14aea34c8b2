"""Connections over HTTP: secrets rotated with an overlap, credentials that stay inside, what is not mapped, the end."""

from typing import Any

import pytest

from app import clock
from app.store.connections import read_connection
from tests.api import test_webhooks as hooks
from tests.api.test_webhooks import HOOK, SERVER, World
from tests.crm.builders import SECRET, body_of, settings_json, signed_headers, stage_change

NEWER = "another secret of the same app"
TOKEN = "pat-eu1-0000-very-secret"


settings, keys, world = hooks.settings, hooks.keys, hooks.world


async def _deliver(world: World, secret: str) -> int:
    body = body_of(stage_change("qualifiedtobuy"))
    headers = signed_headers(body, uri=SERVER + HOOK, at=clock.now(), secret=secret)
    return (await world.client.post(HOOK, content=body, headers=headers)).status_code


async def _put(world: World, **changes: Any) -> dict[str, Any]:
    answer = await world.ask("PUT", "/connections/hub", json=settings_json(**changes))
    assert answer.status_code in (200, 201), answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_a_new_secret_lets_the_one_before_in_for_a_while(world: World) -> None:
    assert (await _put(world, secret=SECRET))["previous_secret_until"] is None
    shown = await _put(world, secret=NEWER)
    assert shown["previous_secret_until"] is not None
    assert [await _deliver(world, secret) for secret in (SECRET, NEWER, "third")] == [202, 202, 401]
    again = await _put(world, secret=NEWER)
    assert again["previous_secret_until"] == shown["previous_secret_until"]
    await _put(world, secret="third", secret_overlap="0m")
    assert [await _deliver(world, secret) for secret in (SECRET, NEWER, "third")] == [401, 401, 202]


async def test_credentials_go_in_and_stay_in(world: World) -> None:
    shown = await _put(world, secret=SECRET, access={"access_token": TOKEN})
    assert shown["access_set"] is True
    row = await read_connection(world.app.state.services.database, "acme", "hub")
    assert row is not None
    assert TOKEN not in str(row)
    kept = await _put(world)
    gone = await _put(world, access=None)
    assert (kept["access_set"], gone["access_set"]) == (True, False)
    assert TOKEN not in str([shown, kept, gone])


@pytest.mark.parametrize("access", [{}, {"Access-Token": "x"}, {"access_token": ""}, {"access_token": 7}, "x", ["x"]])
async def test_credentials_that_cannot_be_are_refused_and_not_repeated(world: World, access: Any) -> None:
    answer = await world.ask("PUT", "/connections/hub", json=settings_json(secret=SECRET, access=access))
    assert answer.status_code == (201 if access == {} else 422)
    assert SECRET not in answer.text


async def test_what_it_could_not_do_in_the_crm_is_told_before_it_bites(world: World) -> None:
    answer = await world.ask("PUT", "/connections/hub", json=settings_json(secret=SECRET, remedy=["note", "revert"]))
    assert [(one["place"], one["code"]) for one in answer.json()["errors"]] == [("remedy", "remedy_without_access")]


async def test_what_the_mapping_names_must_be_there(world: World) -> None:
    changes: dict[str, Any] = {
        "activities": {
            "MEETING": {"activity": "lunch"},
            "CALL": {"activity": "demo", "outcomes": {"DONE": "held", "NO": "eaten"}},
        },
        "contact_roles": {"Champion": "champion"},
        "approvals": {"approved": {"role": "king", "to": "nowhere"}},
    }
    answer = await world.ask("PUT", "/connections/hub", json=settings_json(secret=SECRET, **changes))
    assert [(one["place"], one["code"]) for one in answer.json()["errors"]] == [
        ("activities.MEETING.activity", "mapping_unknown_activity"),
        ("activities.CALL.outcomes.NO", "mapping_unknown_outcome"),
        ("contact_roles.Champion", "mapping_unknown_contact"),
        ("approvals.approved.role", "mapping_unknown_role"),
        ("approvals.approved.to", "mapping_no_such_stage"),
    ]


async def test_what_is_not_mapped_is_listed(world: World) -> None:
    stages = {"appointmentscheduled": "demo_scheduled", "qualifiedtobuy": "demo_completed", "w": "won"}
    shown = await _put(world, secret=SECRET, pipelines={"default": {"process": "sales", "stages": stages}}, fields={})
    assert [(one["place"], one["code"]) for one in shown["warnings"]] == [
        ("pipelines.default.stages", "stage_not_mapped"),
        ("activities", "activity_not_mapped"),
        ("fields", "field_not_mapped"),
        ("fields", "field_not_mapped"),
    ]
    body = body_of(stage_change("somewhere_else"))
    answer = await world.deliver(body)
    await world.became(answer)
    await world.deliver(body_of(stage_change("qualifiedtobuy", at=clock.now())))
    read = (await world.ask("GET", "/connections/hub", headers={"accept-language": "it"})).json()
    assert "questo" not in read["warnings"][0]["message"]
    assert read["warnings"][0]["message"].startswith("nessuna fase del CRM porta a `lost`")


async def test_deals_in_a_stage_that_is_not_mapped_are_counted(world: World) -> None:
    await _put(world, secret=SECRET)
    answer = await world.deliver(body_of(stage_change("qualifiedtobuy"), stage_change("elsewhere", at=clock.now())))
    await world.became(answer)
    warnings = (await world.ask("GET", "/connections/hub")).json()["warnings"]
    assert warnings[-1] == {
        "place": "pipelines",
        "code": "deals_in_unmapped_stage",
        "message": "deals in the CRM's stage `elsewhere`, which is not mapped: 1; their moves are not judged",
    }


async def test_a_connection_that_is_taken_away_receives_nothing_any_more(world: World) -> None:
    await _put(world, secret=SECRET)
    foreign = await world.ask("DELETE", "/connections/hub", tenant="globex")
    assert (foreign.status_code, await _deliver(world, SECRET)) == (404, 202)
    gone = await world.ask("DELETE", "/connections/hub")
    assert (gone.status_code, gone.json()) == (200, {"id": "hub", "removed": True})
    assert await _deliver(world, SECRET) == 404
    assert (await world.ask("DELETE", "/connections/hub")).status_code == 404
