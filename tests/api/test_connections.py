"""Connections over HTTP: every CRM's settings under one address, each mistake told where it was made."""

from pathlib import Path
from typing import Any

import pytest

from app import clock
from app.api.connection_drafts import ASKED
from app.api.connection_shapes import PUT_EXAMPLES
from app.api.crm_examples import DYNAMICS_STEP, HUBSPOT_EVENT
from app.crm.adapters import ADAPTERS
from tests.api.test_tenant_isolation import worked_on
from tests.api.world import World
from tests.crm.generic_builders import SECRET, settings_json, signed, update


def generic(**changes: Any) -> dict[str, Any]:
    """A generic connection to the world's process."""
    settings = settings_json(**{"secret": SECRET, "approvals": {}, "contact_roles": {}, **changes})
    settings["pipelines"]["1"]["process"] = "b2b-saas"
    return settings


async def mistakes(world: World, body: Any) -> list[tuple[str, str]]:
    answer = await world.ask("PUT", f"/connections/g-{world.tenant}", body)
    assert answer.status_code == 422, answer.text
    return [(one["place"], one["code"]) for one in answer.json()["errors"]]


async def test_a_generic_connection_is_stored_and_shown_with_what_it_leaves_out(world: World) -> None:
    answer = await world.ask("PUT", f"/connections/g-{world.tenant}", generic())
    assert answer.status_code == 201, answer.text
    shown = await world.good("GET", f"/connections/g-{world.tenant}")
    assert shown == answer.json()
    assert (shown["crm"], shown["stage_property"], shown["secret_set"]) == ("generic", "/deal/stage", True)
    assert shown["deliveries"]["id"] == "/deal/id"
    assert SECRET not in answer.text
    assert {(one["place"], one["code"]) for one in shown["warnings"]} == {
        ("fields", "field_not_mapped"),
        ("contact_roles", "contact_not_mapped"),
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, [("crm", "missing")]),
        ({"crm": "excel"}, [("crm", "literal_error")]),
        ({"crm": 3}, [("crm", "literal_error")]),
        ([], [("", "model_type")]),
    ],
)
async def test_a_crm_that_there_is_not_is_told_as_such(world: World, body: Any, told: list[tuple[str, str]]) -> None:
    found = await mistakes(world, body)
    assert [place for place, _ in found] == [place for place, _ in told]
    if told[0][1] != "model_type":
        assert found == told


async def test_only_the_mistakes_of_the_crm_that_is_named_are_told(world: World) -> None:
    wrong = generic(stage_property="deal.stage", fields={"amount": {"field": "amount"}}, portal_id=1, grace="soon")
    assert sorted(await mistakes(world, wrong)) == [
        ("fields.amount", "bad_pointer"),
        ("grace", "string_pattern_mismatch"),
        ("portal_id", "extra_forbidden"),
        ("stage_property", "bad_pointer"),
    ]
    assert await mistakes(world, {"crm": "hubspot", "pipelines": {}}) == [
        ("pipelines", "too_short"),
        ("portal_id", "missing"),
    ]


async def test_a_generic_delivery_becomes_a_deal(world: World) -> None:
    connection = f"g-{world.tenant}"
    await world.good("PUT", f"/connections/{connection}", generic())
    at = clock.now()
    body, headers = signed(update(1, at=at.isoformat(), amount=12), at=at)
    hook = f"/webhooks/{connection}"
    answer = await world.ask("POST", hook, content=body, headers=headers, key=None)
    assert answer.status_code == 202, answer.text
    assert await world.refusal("POST", hook, content=body + b" ", headers=headers, key=None) == (401, "bad-signature")
    await worked_on(world, answer.json()["delivery_id"])
    deal = await world.good("GET", f"/deals/{connection}:42")
    assert (deal["stage"], deal["fields"]) == ("demo_scheduled", {"amount": 12})


async def test_until_when_an_older_secret_is_accepted_is_shown_while_it_is(world: World) -> None:
    path = f"/connections/g-{world.tenant}"
    for secret, overlap, overlaps in ((SECRET, "1h", False), ("b", "1h", True), ("c", "0m", False), ("c", "1h", False)):
        shown = await world.good("PUT", path, generic(secret=secret, secret_overlap=overlap))
        assert (shown["previous_secret_until"] is not None) == overlaps, secret
    await world.good("PUT", path, generic(secret="d"))
    await world.sql("UPDATE connections SET previous_until = '2026-01-01T00:00:00.000000Z'")
    assert (await world.good("GET", path))["previous_secret_until"] is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"access": {}}, ("access", "too_short")),
        ({"access": {"access_token": "t\n"}}, ("access.access_token", "credential_characters")),
        ({"access": {"access_token": "té"}}, ("access.access_token", "credential_characters")),
        ({"access": {"Access-Token": "t"}}, ("access.Access-Token", "string_pattern_mismatch")),
        ({"access": {"access_token": ""}}, ("access.access_token", "too_short")),
        ({"api_url": "https://ana:geheim@crm.example.com"}, ("api_url", "string_pattern_mismatch")),
        ({"approvals": {"dealstage": {"role": "sales_manager"}}}, ("", "stage_as_field")),
    ],
)
async def test_what_could_not_be_used_later_is_refused(
    world: World, changes: dict[str, Any], told: tuple[str, str]
) -> None:
    body = {**ADAPTERS["hubspot"].example, "secret": SECRET, **changes}
    answer = await world.ask("PUT", f"/connections/h-{world.tenant}", body)
    assert [(one["place"], one["code"]) for one in answer.json()["errors"]] == [told]
    assert not any(one in answer.text for one in ("geheim", "té"))


async def test_every_example_of_the_document_works_as_it_stands(world: World) -> None:
    file = (Path(__file__).parents[2] / "examples" / "b2b-saas.yaml").read_bytes()
    await world.good("PUT", "/processes/b2b-saas", content=file, headers={"content-type": "application/yaml"})
    assert PUT_EXAMPLES.keys() == ADAPTERS.keys()
    for kind, example in PUT_EXAMPLES.items():
        answer = await world.ask("PUT", f"/connections/{kind}-{world.tenant}", example["value"])
        assert answer.status_code == 201, (kind, answer.text)
    await world.good("POST", f"/connections/hubspot-{world.tenant}/try", {"delivery": [HUBSPOT_EVENT]})
    key = {"x-stagerail-key": PUT_EXAMPLES["dynamics"]["value"]["secret"]}
    answer = await world.ask("POST", f"/veto/dynamics-{world.tenant}", DYNAMICS_STEP, headers=key, key=None)
    assert answer.status_code == 200, answer.text
    [decision] = answer.json()["decisions"]
    assert (decision["from"], decision["to"]) == ("demo_scheduled", "demo_completed")
    assert (await world.good("POST", "/connection-drafts", ASKED))["settings"]["pipelines"]
