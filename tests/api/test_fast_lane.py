"""The hot operation is answered ahead of the router: with the lane or without it, the answer is the same."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.api.world import World
from tests.builders import deal, question, ready_deal, stored

JSON = {"content-type": "application/json"}
ID = "x-request-id"

GOOD: dict[str, Any] = {
    "blocked": question(),
    "allowed": question(deal=ready_deal()),
    "logged": question(dry_run=False),
    "a stored deal": {"deal_id": "D-1", "to": "demo_completed", "dry_run": True},
    "a stored deal with what is proposed": {
        "deal_id": "D-1",
        "to": "lost",
        "dry_run": True,
        "proposed": {"fields": {"lost_reason": "price"}},
    },
}
BAD: dict[str, Any] = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a key twice": b'{"to": "won", "to": "lost"}',
    "too deep": b'{"to": ' + b"[" * 100 + b"]" * 100 + b"}",
    "a lone surrogate": b'{"to": "\\ud800"}',
    "NUL": b'{"to": "\\u0000"}',
    "not UTF-8": b'{"to": "\xff"}',
    "wrong values": question(to=7, deal=deal(stage=None, colour="red")),
    "an unknown process": question(process="nowhere"),
    "an unknown version": question(version=9),
    "an unknown stage": question(to="nowhere"),
    "an unknown deal": question(deal=..., process=..., deal_id="D-404"),
    "both forms": question(deal_id="D-1"),
    "neither form": question(deal=...),
    "no process": question(process=...),
    "too large": b'"' + b"x" * 1_100_000 + b'"',
}


@pytest.fixture
async def both(world: World, settings: Settings) -> AsyncIterator[tuple[World, World]]:
    """Give the application as it is served, and one without the lane that shares everything else with it."""
    await world.good("PUT", "/deals/D-1", stored())
    app = create_app(settings, lane=False)
    app.state.services = world.app.state.services
    plain = World(app, world.tenant, world.stranger)
    plain.key = world.key
    yield world, plain
    await plain.close()


def comparable(answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """All of an answer that does not differ from one request to the next."""
    content = answer.json()
    content.pop("decision_id", None)
    content.pop("as_of", None)
    headers = {name: value for name, value in answer.headers.items() if name not in (ID, "content-length")}
    return answer.status_code, headers, content


@pytest.mark.parametrize("name", [*GOOD, *BAD])
async def test_both_ways_answer_alike(both: tuple[World, World], name: str) -> None:
    body = (GOOD | BAD)[name]
    sent = {"content": body} if isinstance(body, bytes) else {"body": body}
    told = []
    for language in ("en", "it"):
        headers = JSON | {"accept-language": language, ID: "the-same"}
        told.append(
            [comparable(await one.ask("POST", "/validate-transition", headers=headers, **sent)) for one in both]
        )
    for with_lane, without in told:
        assert with_lane == without
    assert {status for pair in told for status, _, _ in pair} <= ({200} if name in GOOD else {404, 413, 422})


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer srl_nobody_nothing", **JSON},
        {"authorization": "Basic eDp5", **JSON},
        {"authorization": "", **JSON},
        {"content-type": "text/plain"},
        {"content-type": ""},
        {"content-type": "application/json; charset=latin-1"},
        {"idempotency-key": "", **JSON},
        {"idempotency-key": "x" * 300, **JSON},
    ],
    ids=str,
)
async def test_both_ways_refuse_the_same_headers_alike(both: tuple[World, World], headers: dict[str, str]) -> None:
    body = b'{"process": "b2b-saas", "deal": {"stage": "demo_scheduled"}, "to": "won"}'
    sent = {**headers, ID: "the-same"}
    answers = [comparable(await one.ask("POST", "/validate-transition", content=body, headers=sent)) for one in both]
    assert answers[0] == answers[1]
    assert answers[0][0] in {401, 415, 422}


@pytest.mark.parametrize(
    "path", ["/webhooks/none", "/webhooks/no%2Fne", "/webhooks/", "/webhooks/a/b", "/webhooks/%C3%A9"]
)
async def test_both_ways_know_the_same_connections(both: tuple[World, World], path: str) -> None:
    sent = {ID: "the-same", "accept-language": "it", **JSON}
    answers = [comparable(await one.ask("POST", path, content=b"[]", headers=sent)) for one in both]
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize("query", ["dry_run=true", "to=won", "colour=red&to=won", "&"])
async def test_both_ways_refuse_parameters_that_would_be_passed_over(both: tuple[World, World], query: str) -> None:
    body = b'{"process": "b2b-saas", "deal": {"stage": "demo_scheduled"}, "to": "won"}'
    answers = [await one.ask("POST", f"/validate-transition?{query}", content=body, headers=JSON) for one in both]
    assert [one.status_code for one in answers] == [200 if query == "&" else 422] * 2
