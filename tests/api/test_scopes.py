"""Which key may do what: every operation of the document, with every scope."""

from typing import Any

import pytest

from app.main import _openapi, create_app
from app.settings import Settings
from tests.api.world import World, problem_of
from tests.builders import PROCESS, activity, question, stored

DOCUMENT = _openapi(create_app(Settings()))
SCOPES = ("decide", "deals:write", "processes:write", "admin")
OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
NEEDS = {
    "decide": {"validate_transition", "next_activities", "preview_moves", "deal_next_activities"},
    "deals:write": {"put_deal", "log_activity", "put_activity", "move_deal"},
    "processes:write": {"publish_process"},
    "admin": {
        "put_connection",
        "read_connection",
        "list_connections",
        "delete_connection",
        "begin_sync",
        "draft_connection",
        "try_delivery",
        "read_sync",
        "list_outbox",
        "read_outbox_item",
        "replay_outbox_item",
        "cancel_outbox_item",
        "put_endpoint",
        "rotate_endpoint",
        "read_endpoint",
        "list_endpoints",
        "delete_endpoint",
    },
}
"""Each scope's operations; every other one is read with any key."""
OPEN = {"live", "ready", "process_schema", "receive_delivery", "veto_move", "list_starters", "read_starter"}
BODIES: dict[str, Any] = {
    "validate_transition": question(),
    "next_activities": {"process": "b2b-saas", "deal": {"stage": "won"}},
    "put_deal": stored(),
    "log_activity": activity(),
    "put_activity": activity(),
    "move_deal": {"to": "won"},
    "put_connection": {},
    "begin_sync": {},
    "draft_connection": {"crm": "hubspot", "process": "b2b-saas", "configuration": {}},
    "try_delivery": {"delivery": []},
    "put_endpoint": {"url": "https://example.com"},
}
IDS = {
    "deal_id": "D-1", "activity_id": "a-1", "key": "b2b-saas", "version": "1", "decision_id": "0", "delivery_id": "0",
    "connection_id": "hub", "connection": "hub", "name": "sprint", "endpoint_id": "e-1", "item_id": "0",
    "sync_id": "0",
}  # fmt: skip


def scope_of(name: str) -> str | None:
    return next((scope for scope, names in NEEDS.items() if name in names), None)


def test_the_document_says_which_operations_need_no_key_and_which_scope_the_others_need() -> None:
    assert {name for name in OPEN if name in OPERATIONS} == {
        name for name, (_, _, operation) in OPERATIONS.items() if operation.get("security") == []
    }
    told = {name: operation.get("x-stagerail-scope") for name, (_, _, operation) in OPERATIONS.items()}
    assert {name: scope_of(name) for name in OPERATIONS} == told


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - OPEN))
async def test_an_operation_is_for_keys_with_its_scope(world: World, name: str) -> None:
    method, path, _ = OPERATIONS[name]
    needed, address = scope_of(name), path.format(**IDS)
    sent: dict[str, Any] = {"body": BODIES.get(name)}
    if name == "publish_process":
        sent = {"content": PROCESS, "headers": {"content-type": "application/yaml"}}
    assert (401, "unauthorized") == await world.refusal(method, address, key=None, **sent)
    for scopes in [*((scope,) for scope in SCOPES), ()]:
        answer = await world.ask(method, address, key=await world.new_key(*scopes), **sent)
        allowed = needed is None or needed in scopes or "admin" in scopes
        assert allowed == (answer.status_code != 403), (scopes, answer.text)
        if not allowed:
            assert ("forbidden", True) == (problem_of(answer), needed in answer.json()["detail"])
