"""Nothing of one tenant is there for another: every operation with an id in its address is asked by a stranger."""

import asyncio
from typing import Any

import pytest

from app import clock
from app.main import _openapi, create_app
from app.settings import Settings
from tests.api.world import YAML, World
from tests.builders import PROCESS, activity, question, ready_deal, stored
from tests.crm.builders import SECRET, body_of, settings_json, signed_headers, stage_change

DOCUMENT = _openapi(create_app(Settings()))
OPEN = {"/health/live", "/health/ready", "/metrics", "/schema", "/webhooks/{connection}", "/veto/{connection}"}
"""What holds nothing of any tenant, or is opened by a signature."""

ROUTES = [
    (method.upper(), path)
    for path, item in DOCUMENT["paths"].items()
    if path not in OPEN and not path.startswith(("/starters", "/problems"))
    for method in item
]
WITH_IDS = [route for route in ROUTES if "{" in route[1]]
LISTS = [route for route in ROUTES if "{" not in route[1] and route[0] == "GET"]
BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/deals/{deal_id}"): stored(),
    ("POST", "/deals/{deal_id}/activities"): activity(),
    ("PUT", "/deals/{deal_id}/activities/{activity_id}"): activity(),
    ("POST", "/deals/{deal_id}/moves"): {"to": "demo_completed"},
    ("POST", "/connections/{connection_id}/syncs"): {},
    ("POST", "/connections/{connection_id}/try"): {"delivery": []},
}
MAY_HAVE_THEIR_OWN = {
    ("PUT", "/processes/{key}"), ("PUT", "/deals/{deal_id}"), ("PUT", "/connections/{connection_id}"),
    ("PUT", "/endpoints/{endpoint_id}"),
}  # fmt: skip
"""A stranger may use the same ids for things of their own; those stay apart."""


async def furnished(world: World) -> dict[str, str]:
    """One of everything for the first tenant; its ids by the names they have in addresses."""
    await world.good("PUT", "/deals/D-1", stored(**ready_deal()))
    await world.good("PUT", "/endpoints/e-1", {"url": "https://events.invalid/"})
    await world.good("POST", "/deals/D-1/moves", {"to": "won"})
    (item,) = (await world.good("GET", "/outbox"))["items"]
    logged = await world.good("POST", "/validate-transition", {"deal_id": "D-1", "to": "demo_completed"})
    connection = f"hub-{world.tenant}"
    settings = settings_json(secret=SECRET)
    settings["pipelines"]["default"]["process"] = "b2b-saas"
    await world.good("PUT", f"/connections/{connection}", settings)
    hook = f"/webhooks/{connection}"
    event = body_of(stage_change("appointmentscheduled", at=clock.now()))
    signed = signed_headers(event, uri=f"http://test{hook}", at=clock.now())
    received = await world.good("POST", hook, content=event, headers=signed, key=None)
    await worked_on(world, received["delivery_id"])
    access = {"access": {"access_token": "a"}, "api_url": "https://crm.invalid"}
    await world.good("PUT", f"/connections/{connection}", {**settings, **access})
    begun = await world.good("POST", f"/connections/{connection}/syncs", {"deal": "1"})
    return {
        "key": "b2b-saas",
        "version": "1",
        "deal_id": "D-1",
        "activity_id": "a-1",
        "decision_id": logged["decision_id"],
        "delivery_id": received["delivery_id"],
        "connection_id": connection,
        "endpoint_id": "e-1",
        "item_id": item["id"],
        "sync_id": begun["id"],
    }


async def worked_on(world: World, delivery_id: str) -> None:
    """Wait until the delivery has become a deal, so that nothing is written any more."""
    for _ in range(500):
        if (await world.good("GET", f"/deliveries/{delivery_id}"))["status"] != "received":
            return
        await asyncio.sleep(0.01)
    raise AssertionError(delivery_id)


@pytest.mark.parametrize(("method", "path"), [route for route in WITH_IDS if route not in MAY_HAVE_THEIR_OWN])
async def test_a_stranger_finds_nothing_under_an_id_of_another_tenant(world: World, method: str, path: str) -> None:
    ids = await furnished(world)
    before = await world.written()
    address = path.format(**ids)
    status, _ = await world.refusal(method, address, BODIES.get((method, path)), key=world.strangers_key)
    assert status == 404
    assert before == await world.written()


@pytest.mark.parametrize(("method", "path"), [route for route in WITH_IDS if route[0] == "GET"])
async def test_the_owner_finds_it(world: World, method: str, path: str) -> None:
    ids = await furnished(world)
    answer = await world.ask(method, path.format(**ids))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("method", "path"), LISTS)
async def test_a_strangers_lists_are_empty(world: World, method: str, path: str) -> None:
    await furnished(world)
    answer = await world.ask(method, path, key=world.strangers_key, params=needed(path))
    content = answer.json()
    assert [] == content.get("items", [])
    assert answer.status_code == (404 if needed(path) else 200), answer.text
    assert "D-1" not in answer.text


def needed(path: str) -> dict[str, str]:
    """The parameters that a list cannot be asked without."""
    values = {"process": "b2b-saas"}
    parameters = DOCUMENT["paths"][path]["get"].get("parameters", [])
    return {one["name"]: values[one["name"]] for one in parameters if one.get("required") and one["in"] == "query"}


async def test_a_question_cannot_be_asked_about_what_is_another_tenants(world: World) -> None:
    ids = await furnished(world)
    connection = {"connection": ids["connection_id"], "process": "b2b-saas"}
    asked = [
        ("POST", "/connection-drafts", connection),
        ("POST", "/validate-transition", question()),
        ("POST", "/validate-transition", {"deal_id": "D-1", "to": "won"}),
        ("POST", "/next-activities", {"deal_id": "D-1"}),
        ("PUT", "/deals/D-1", stored()),
    ]
    told = [await world.refusal(*one, key=world.strangers_key) for one in asked]
    kinds = ["unknown-connection", "unknown-process", "unknown-deal", "unknown-deal", "unknown-process"]
    assert [(404, kind) for kind in kinds] == told


async def test_two_tenants_have_things_of_their_own_under_the_same_ids(world: World) -> None:
    await furnished(world)
    sent: dict[str, Any] = {"key": world.strangers_key}
    await world.good("PUT", "/processes/b2b-saas", content=PROCESS, headers=YAML, **sent)
    theirs = await world.good("PUT", "/deals/D-1", stored(owner="somebody-else"), **sent)
    ours = await world.good("GET", "/deals/D-1")
    assert ("somebody-else", "rep-7") == (theirs["owner"], ours["owner"])
    assert [] == (await world.good("GET", "/decisions", **sent))["items"]


async def test_a_connections_id_belongs_to_whoever_had_it_first(world: World) -> None:
    ids = await furnished(world)
    sent: dict[str, Any] = {"key": world.strangers_key}
    await world.good("PUT", "/processes/b2b-saas", content=PROCESS, headers=YAML, **sent)
    settings = settings_json(secret="another")
    settings["pipelines"]["default"]["process"] = "b2b-saas"
    told = await world.refusal("PUT", f"/connections/{ids['connection_id']}", settings, **sent)
    assert (409, "connection-taken") == told
