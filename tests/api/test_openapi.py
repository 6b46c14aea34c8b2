"""The OpenAPI document: every operation explained, with worked examples that fit their schemas, and its errors."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from app.crm.adapters import ADAPTERS
from app.main import _openapi, create_app
from app.settings import Settings

METHODS = ("get", "put", "post", "delete", "patch")
DOCUMENT: dict[str, Any] = _openapi(create_app(Settings()))
OPERATIONS = {
    one["operationId"]: (method, path, one)
    for path, item in DOCUMENT["paths"].items()
    for method, one in item.items()
    if method in METHODS
}
CONTRACT = {
    ("post", "/validate-transition"): "validate_transition",
    ("post", "/next-activities"): "next_activities",
    ("put", "/processes/{key}"): "publish_process",
    ("get", "/processes"): "list_processes",
    ("get", "/processes/{key}"): "read_process",
    ("get", "/processes/{key}/versions/{version}"): "read_process_version",
    ("get", "/processes/{key}/diagram"): "process_diagram",
    ("get", "/schema"): "process_schema",
    ("put", "/deals/{deal_id}"): "put_deal",
    ("get", "/deals/{deal_id}"): "read_deal",
    ("get", "/deals"): "list_deals",
    ("post", "/deals/{deal_id}/activities"): "log_activity",
    ("put", "/deals/{deal_id}/activities/{activity_id}"): "put_activity",
    ("post", "/deals/{deal_id}/moves"): "move_deal",
    ("get", "/deals/{deal_id}/moves"): "preview_moves",
    ("get", "/deals/{deal_id}/next-activities"): "deal_next_activities",
    ("get", "/decisions"): "list_decisions",
    ("get", "/decisions/{decision_id}"): "read_decision",
    ("post", "/webhooks/{connection}"): "receive_delivery",
    ("get", "/deliveries/{delivery_id}"): "read_delivery",
    ("get", "/health/live"): "live",
    ("get", "/health/ready"): "ready",
    ("get", "/metrics"): "metrics",
}


def test_the_document_holds_every_route_of_the_contract_under_its_stem() -> None:
    found = {(method, path): name for name, (method, path, _) in OPERATIONS.items()}
    assert CONTRACT == {route: found.get(route) for route in CONTRACT}


def test_the_document_is_openapi_3_1_and_says_how_to_come_in() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert [("apiKey", "X-API-Key"), ("http", "bearer")] == sorted(
        (one["type"], one.get("scheme") or one["name"]) for one in schemes.values()
    )
    assert DOCUMENT["servers"]


def test_the_document_is_valid_openapi() -> None:
    validator = jsonschema_rs.validator_for(OPENAPI_31)
    assert [] == [error.message for error in validator.iter_errors(json.loads(json.dumps(DOCUMENT)))]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_explains_itself(name: str) -> None:
    _, _, operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    assert all(one.get("description") or one["name"] == "Accept-Language" for one in operation.get("parameters", []))


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_tells_its_errors(name: str) -> None:
    method, path, operation = OPERATIONS[name]
    answers = set(operation["responses"])
    open_to_all = operation.get("security") == []
    wanted = set() if open_to_all else {"401", "403", "500", "503"}
    if "requestBody" in operation and not open_to_all:
        wanted |= {"408", "413", "415", "422"}
    if "{" in path and method != "put":
        wanted |= {"404"}
    assert wanted <= answers, sorted(wanted - answers)
    for status in answers:
        content = operation["responses"][status].get("content", {})
        assert int(status) < 400 or "application/problem+json" in content, status


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_examples_of_what_to_send_and_what_comes_back(name: str) -> None:
    _, _, operation = OPERATIONS[name]
    bare = [
        f"{where} {media}"
        for where, media, content in _contents(operation)
        if media in ("application/json", "application/problem+json") and not list(_examples(content))
    ]
    assert [] == bare


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_example_fits_its_schema(name: str) -> None:
    _, _, operation = OPERATIONS[name]
    for where, media, content in _contents(operation):
        if "schema" in content and "json" in media:
            validator = jsonschema_rs.validator_for({**_resolvable(content["schema"])})
            for example in _examples(content):
                errors = [error.message for error in validator.iter_errors(json.loads(json.dumps(example)))]
                assert [] == errors, (where, media)


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(DOCUMENT)
    references = {part.split('"')[0] for part in text.split('"$ref": "')[1:]}
    missing = [one for one in references if one.rpartition("/")[2] not in DOCUMENT["components"]["schemas"]]
    assert [] == missing


def _contents(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", media, content
    for status, answer in operation["responses"].items():
        for media, content in answer.get("content", {}).items():
            yield status, media, content


def _examples(content: dict[str, Any]) -> Iterator[Any]:
    if "example" in content:
        yield content["example"]
    for one in content.get("examples", {}).values():
        yield one["value"]


def _resolvable(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that carries the components its references lead to."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "components": DOCUMENT["components"]}


@pytest.mark.parametrize("kind", ADAPTERS)
def test_what_the_settings_of_a_connection_mean_stands_in_the_document(kind: str) -> None:
    """Each of them beside it; where an adapter takes one otherwise than the others do, in the words on all of them."""
    schema = DOCUMENT["components"]["schemas"][f"Put{kind.capitalize()}Connection"]
    common = {"activities", "settle", "grace", "remedy", "reconcile", "keep_bodies", "on_failure", "access", "api_url"}
    told = {name for name, one in schema["properties"].items() if one.get("description")}
    assert common <= told
    assert (ADAPTERS[kind].settings.__doc__ or "")[:60] in schema["description"]
