"""Keys: what comes in without one, with a wrong one, with too small a one, and how soon a revoked one is refused."""

import asyncio
from typing import Any

import pytest

from app import clock
from app.main import _openapi, create_app
from app.settings import Settings
from app.store.keys import revoke_key
from tests.api.world import YAML, World
from tests.builders import PROCESS, activity, question, stored

DOCUMENT = _openapi(create_app(Settings()))
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if operation.get("security") != []
]
ROUTES = [(method, path) for method, path, _ in OPERATIONS]
SCOPED = {
    ("POST", "/validate-transition"): ("decide", question()),
    ("POST", "/next-activities"): ("decide", {"deal_id": "D-1"}),
    ("PUT", "/deals/{deal_id}"): ("deals:write", stored()),
    ("POST", "/deals/{deal_id}/activities"): ("deals:write", activity()),
    ("PUT", "/deals/{deal_id}/activities/{activity_id}"): ("deals:write", activity()),
    ("POST", "/deals/{deal_id}/moves"): ("deals:write", {"to": "won"}),
    ("PUT", "/processes/{key}"): ("processes:write", {}),
}
SECRETS = ("srl_", "srl__", "srl_x", "srl_x_", "Bearer", "", "srl_" + "x" * 5000, "srl_a\u00e9_x", "x")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_operation_but_the_open_ones_wants_a_key(world: World, method: str, path: str) -> None:
    answer = await world.ask(method, path, content=b"no json", key=None)
    assert (401, "/problems/unauthorized") == (answer.status_code, answer.json()["type"])
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("secret", SECRETS)
async def test_what_is_no_key_of_ours_is_refused_before_anything_is_read(world: World, secret: str) -> None:
    for name, value in (("authorization", f"Bearer {secret}"), ("x-api-key", secret)):
        headers = {name: value.encode("utf-8"), "content-type": "application/json"}
        told = await world.refusal("POST", "/validate-transition", content=b"no json", headers=headers, key=None)
        assert (401, "unauthorized") == told


async def test_the_right_id_with_a_wrong_secret_is_refused(world: World) -> None:
    wrong = world.key[:-1] + ("0" if world.key[-1] != "0" else "1")
    assert (401, "unauthorized") == await world.refusal("GET", "/deals", key=wrong)
    await world.good("GET", "/deals")
    assert (401, "unauthorized") == await world.refusal("GET", "/deals", key=wrong)


@pytest.mark.parametrize("route", SCOPED, ids=" ".join)
async def test_a_key_without_the_scope_is_told_which_one_it_lacks(world: World, route: tuple[str, str]) -> None:
    scope, body = SCOPED[route]
    method, path = route[0], route[1].format(deal_id="D-1", activity_id="a-1", key="b2b-saas")
    others = {"decide", "deals:write", "processes:write"} - {scope}
    answer = await world.ask(method, path, body, key=await world.new_key(*others))
    content = answer.json()
    assert (403, "/problems/forbidden") == (answer.status_code, content["type"])
    assert f"`{scope}`" in content["detail"]


@pytest.mark.parametrize("route", SCOPED, ids=" ".join)
async def test_admin_may_do_everything(world: World, route: tuple[str, str]) -> None:
    _, body = SCOPED[route]
    method, path = route[0], route[1].format(deal_id="D-1", activity_id="a-1", key="b2b-saas")
    answer = await world.ask(method, path, body, key=await world.new_key("admin"))
    assert answer.status_code not in {401, 403}, answer.text


async def test_reading_takes_no_more_than_the_smallest_key(world: World) -> None:
    await world.good("PUT", "/deals/D-1", stored())
    key = await world.new_key("decide")
    for path in ("/deals", "/deals/D-1", "/deals/D-1/moves", "/deals/D-1/next-activities", "/decisions", "/processes"):
        await world.good("GET", path, key=key)


async def test_a_revoked_key_is_refused_within_a_second(world: World) -> None:
    key = await world.new_key("decide")
    await world.good("GET", "/deals", key=key)
    key_id = key.split("_")[1]
    now = clock.now()
    assert await world.database.transaction(lambda tx: revoke_key(tx, world.tenant, key_id, now))
    await asyncio.sleep(1)
    asked: list[tuple[str, str, Any]] = [("GET", "/deals", None), ("POST", "/validate-transition", question())]
    assert [(401, "unauthorized")] * 2 == [await world.refusal(*one, key=key) for one in asked]


async def test_a_new_version_counts_within_a_second(world: World) -> None:
    assert (await world.good("POST", "/validate-transition", question()))["process"]["version"] == 1
    changed = PROCESS.replace("at_least: 1}", "at_least: 2}")
    await world.good("PUT", "/processes/b2b-saas", content=changed, headers=YAML)
    await asyncio.sleep(1)
    assert (await world.good("POST", "/validate-transition", question()))["process"]["version"] == 2


async def test_while_the_database_is_down_every_answer_is_503_and_says_so(settings: Settings) -> None:
    app = create_app(settings)  # its database is never opened
    world = World(app, "acme", "globex")
    world.key = "srl_abc_def"
    for method, path in (("GET", "/deals"), ("POST", "/validate-transition"), ("GET", "/health/ready")):
        answer = await world.ask(method, path, question() if method == "POST" else None)
        assert (503, "/problems/database-unavailable") == (answer.status_code, answer.json()["type"])
        assert answer.headers["retry-after"]
    assert (await world.ask("GET", "/health/live", key=None)).status_code == 200
    await world.close()
