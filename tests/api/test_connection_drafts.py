"""Before a connection goes live: its mapping drafted from the CRM, a delivery tried out without doing it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app import clock
from app.settings import Settings
from tests.api import test_webhooks as hooks
from tests.api.test_webhooks import A, B, World, running
from tests.crm.builders import SECRET, body_of, settings_json, stage_change
from tests.crm.fakes.pipedrive import FakePipedrive

settings, keys, world = hooks.settings, hooks.keys, hooks.world
PASTED: dict[str, Any] = {
    "pipelines": [{"id": 1, "name": "Sales"}],
    "stages": [{"id": 1, "name": "Demo scheduled", "pipeline_id": 1}, {"id": 2, "name": "Haggling", "pipeline_id": 1}],
}


async def test_a_mapping_is_drafted_from_a_pasted_configuration(world: World) -> None:
    asked = {"crm": "pipedrive", "process": "sales", "configuration": PASTED}
    answer = await world.ask("POST", "/connection-drafts", json=asked)
    assert answer.status_code == 200, answer.text
    stages = {"1": "demo_scheduled", "won": "won", "lost": "lost"}
    assert answer.json()["settings"]["pipelines"] == {"1": {"process": "sales", "stages": stages}}
    assert answer.json()["left"][0] == {"place": "pipelines.1.stages.2", "label": "Haggling"}


@pytest.fixture
async def near(settings: Settings, keys: dict[str, str]) -> AsyncIterator[World]:
    """Give an application that may speak to this machine."""
    allowed = settings.model_copy(update={"outgoing_allow": ("127.0.0.0/8",)})
    async with running(allowed, keys=keys) as found:
        yield found


async def test_a_mapping_is_drafted_from_the_crm_itself(near: World) -> None:
    async with FakePipedrive() as crm:
        asked = {"crm": "pipedrive", "process": "sales", "api_url": crm.url, "access": {"api_token": "wrong"}}
        refused = await near.ask("POST", "/connection-drafts", json=asked)
        good = await near.ask("POST", "/connection-drafts", json={**asked, "access": {"api_token": crm.token}})
    assert (refused.status_code, refused.json()["type"]) == (424, "/problems/crm-unreachable")
    assert "does not accept the credentials" in refused.json()["detail"]
    assert good.status_code == 200, good.text
    assert (good.json()["settings"]["company_id"], list(good.json()["settings"]["pipelines"])) == ("12345678", ["1"])
    gone = await near.ask("POST", "/connection-drafts", json=asked)
    assert (gone.status_code, gone.json()["type"]) == (424, "/problems/crm-unreachable")


async def test_a_stored_mapping_is_held_against_the_crm_with_its_own_credentials(near: World) -> None:
    async with FakePipedrive() as crm:
        mapped = {"1": {"process": "sales", "stages": {"1": "demo_scheduled"}}}
        settings = {"crm": "pipedrive", "company_id": "12345678", "api_url": crm.url, "pipelines": mapped}
        secret = {"secret": SECRET, "access": {"api_token": crm.token}}
        assert (await near.ask("PUT", "/connections/pd", json={**settings, **secret})).status_code == 201
        asked = {"connection": "pd", "process": "sales"}
        answer = await near.ask("POST", "/connection-drafts", json=asked)
        told = [
            await near.ask("POST", "/connection-drafts", json={**asked, **wrong})
            for wrong in ({"crm": "hubspot"}, {"api_url": "https://elsewhere.example.com"}, {"connection": "none"})
        ]
    assert answer.status_code == 200, answer.text
    stages = answer.json()["settings"]["pipelines"]["1"]["stages"]
    assert (stages["1"], stages["won"]) == ("demo_scheduled", "won")
    assert crm.token not in answer.text
    assert [(one.status_code, one.json()["type"]) for one in told] == [
        (422, "/problems/invalid-request"), (422, "/problems/invalid-request"), (404, "/problems/unknown-connection"),
    ]  # fmt: skip
    again = await near.ask("PUT", "/connections/pd", json=answer.json()["settings"])
    assert (again.status_code, again.json()["access_set"]) == (200, True)


async def test_a_pasted_configuration_may_be_wrapped_as_the_api_wraps_it(world: World) -> None:
    wrapped = {name: {"success": True, "data": found} for name, found in PASTED.items()}
    configuration = {**wrapped, "me": {"data": {"company_id": 5}}}
    asked = {"crm": "pipedrive", "process": "sales", "configuration": configuration}
    settings = (await world.ask("POST", "/connection-drafts", json=asked)).json()["settings"]
    assert (list(settings["pipelines"]), settings["company_id"]) == (["1"], "5")


async def test_what_is_no_configuration_is_told_what_one_is_made_of(world: World) -> None:
    asked = {"crm": "hubspot", "process": "sales", "configuration": {"results": []}}
    [error] = (await world.ask("POST", "/connection-drafts", json=asked)).json()["errors"]
    assert error["message"] == (
        "this is no configuration of hubspot; it takes an object with `pipelines`, `properties`, `owners`, `labels`, "
        "`activity_types`, `portal_id`, each part as its API gives it"
    )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"crm": "excel"}, 422),
        ({"crm": "generic"}, 422),
        ({"crm": None}, 422),
        ({"connection": "none"}, 404),
        ({"process": "nowhere"}, 404),
        ({"configuration": {"pipelines": 7}}, 422),
        ({"configuration": {"pipelines": [7]}}, 422),
        ({"configuration": None}, 422),
        ({"colour": "red"}, 422),
        ({"configuration": None, "access": {"api_token": "t\n"}}, 422),
        ({"configuration": None, "access": {}}, 422),
    ],
)
async def test_what_cannot_be_drafted_is_told(world: World, changes: dict[str, Any], status: int) -> None:
    asked = {"crm": "pipedrive", "process": "sales", "configuration": PASTED} | changes
    answer = await world.ask("POST", "/connection-drafts", json=asked)
    assert answer.status_code == status, answer.text


async def test_a_delivery_is_tried_out_and_nothing_of_it_stays(world: World) -> None:
    await world.ask("PUT", "/connections/hub", json=settings_json(secret=SECRET))
    now = clock.now()
    events = [stage_change(A, at=now), stage_change(B, at=now.replace(year=now.year + 1), by="77")]
    answer = (await world.ask("POST", "/connections/hub/try", json={"delivery": events})).json()
    deal = "hub:332507367156"
    assert [(one["deal_id"], one["value"], one["changed_by"]) for one in answer["events"]] == [
        (deal, A, None), (deal, B, "77"),
    ]  # fmt: skip
    assert [(one["from"], one["to"], one["outcome"]) for one in answer["decisions"]] == [
        (None, "demo_scheduled", "not_judged"), ("demo_scheduled", "demo_completed", "blocked"),
    ]  # fmt: skip
    assert answer["stages"] == {deal: "demo_completed"}
    assert (await world.ask("GET", "/deals")).json()["items"] == []
    assert (await world.ask("GET", "/decisions")).json()["items"] == []
    told = await world.became(await world.deliver(body_of(*events)))
    assert (told["events"]["duplicate"], told["events"]["judged"]) == (0, 1)


async def test_what_cannot_be_tried_is_told(world: World) -> None:
    await world.ask("PUT", "/connections/hub", json=settings_json(secret=SECRET))
    for delivery in ("{", "", 7, [7], {"portalId": 1}):
        answer = await world.ask("POST", "/connections/hub/try", json={"delivery": delivery})
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unreadable-event"), delivery
    assert (await world.ask("POST", "/connections/none/try", json={"delivery": []})).status_code == 404
