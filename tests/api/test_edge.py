"""What every answer has in common, and what is answered where there is no operation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from app.settings import Settings
from tests.api.world import World, problem_of, serving
from tests.builders import question, stored

ORIGIN = "https://crm.example.com"


@asynccontextmanager
async def client_of(settings: Settings, *, failing: bool = False) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(settings) as app:
        if failing:

            @app.get("/fails")
            async def fails() -> None:
                raise ZeroDivisionError("a secret of the inside")

        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


async def test_every_localised_answer_says_so_to_caches_and_browsers(world: World) -> None:
    answers = [
        await world.ask("POST", "/validate-transition", question()),
        await world.ask("GET", "/deals"),
        await world.ask("GET", "/deals/D-404"),
        await world.ask("GET", "/nowhere", key=None),
    ]
    expected = ("en", "accept-language", "no-store", "nosniff")
    names = ("content-language", "vary", "cache-control", "x-content-type-options")
    assert [expected] * 4 == [tuple(answer.headers[name] for name in names) for answer in answers]


@pytest.mark.parametrize(
    "path", ["/nowhere", "/", "/deals/", "/docs/assets/nothing", "/validate-transition/", "/a%00b"]
)
async def test_what_is_not_there_is_a_problem(world: World, path: str) -> None:
    assert (404, "not-found") == await world.refusal("GET", path, key=None)


async def test_a_long_address_is_not_repeated_whole(world: World) -> None:
    answer = await world.ask("GET", "/" + "x" * 10_000, key=None)
    assert (404, "not-found") == (answer.status_code, problem_of(answer))
    assert len(answer.content) < 1000


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/deals/D-1", "GET, HEAD, PUT"),
        ("GET", "/validate-transition", "POST"),
        ("OPTIONS", "/deals", "GET, HEAD"),
        ("TRACE", "/health/live", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("PUT", "/docs", "GET, HEAD"),
        ("BREW", "/deals/D-1/moves", "GET, HEAD, POST"),
    ],
)
async def test_a_method_that_is_not_there_names_those_that_are(
    world: World, method: str, path: str, allowed: str
) -> None:
    answer = await world.ask(method, path)
    assert (405, "method-not-allowed", allowed) == (answer.status_code, problem_of(answer), answer.headers["allow"])


async def test_head_is_get_without_the_body(world: World) -> None:
    for path in ("/health/ready", "/deals", "/deals/D-404", "/docs"):
        got, head = await world.ask("GET", path), await world.ask("HEAD", path)
        names = ("content-type", "content-length")
        assert (got.status_code, [got.headers[name] for name in names], b"") == (
            head.status_code,
            [head.headers[name] for name in names],
            head.content,
        )


async def test_a_failure_of_ours_tells_the_request_and_nothing_of_the_inside(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(settings, failing=True) as client:
        answer = await client.get("/fails", headers={"x-request-id": "abc-1", "accept-language": "it"})
    assert (500, "internal-error", "abc-1", "it") == (
        answer.status_code,
        problem_of(answer),
        answer.headers["x-request-id"],
        answer.headers["content-language"],
    )
    assert "secret" not in answer.text
    assert "a secret of the inside" in caplog.text


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", "a\tb"])
async def test_a_request_id_that_could_forge_a_log_line_is_replaced(world: World, given: str) -> None:
    answer = await world.ask("GET", "/health/live", headers={"x-request-id": given.encode()})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 16


async def test_a_page_of_an_allowed_origin_reads_answers_and_errors_alike(settings: Settings) -> None:
    allowed = settings.model_copy(update={"cors_origins": (ORIGIN,)})
    async with client_of(allowed, failing=True) as client:
        for path, status in (("/health/live", 200), ("/nowhere", 404), ("/deals", 401), ("/fails", 500)):
            answer = await client.get(path, headers={"origin": ORIGIN})
            assert (status, ORIGIN) == (answer.status_code, answer.headers["access-control-allow-origin"])
            assert "ETag" in answer.headers["access-control-expose-headers"]
        wanted = {
            "origin": ORIGIN,
            "access-control-request-method": "PUT",
            "access-control-request-headers": "authorization, content-type, idempotency-key, if-match",
        }
        preflight = await client.options("/deals/D-1", headers=wanted)
        assert (200, ORIGIN) == (preflight.status_code, preflight.headers["access-control-allow-origin"])
        assert "PUT" in preflight.headers["access-control-allow-methods"]
        assert "idempotency-key" in preflight.headers["access-control-allow-headers"]
        stranger = await client.get("/health/live", headers={"origin": "https://elsewhere.example"})
        assert "access-control-allow-origin" not in stranger.headers


async def test_no_origin_is_allowed_unless_one_is_set(world: World) -> None:
    answer = await world.ask("GET", "/health/live", headers={"origin": ORIGIN})
    assert "access-control-allow-origin" not in answer.headers


async def test_metrics_count_by_route_and_hold_nothing_of_a_tenant(world: World) -> None:
    await world.good("PUT", "/deals/D-very-own", stored())
    await world.good("POST", "/validate-transition", question())
    await world.ask("BREW", "/deals/D-very-own")
    text = (await world.ask("GET", "/metrics")).text
    assert 'stagerail_requests_total{method="PUT",route="/deals/{deal_id}",status="201"} 1.0' in text
    assert 'stagerail_requests_total{method="POST",route="/validate-transition",status="200"} 1.0' in text
    assert 'stagerail_decisions_total{outcome="blocked",source="api"} 1.0' in text
    assert 'method="other"' in text
    assert 'stagerail_waiting{queue="deals"} 0.0' in text
    assert 'stagerail_late_seconds{queue="deliveries"} 0.0' in text
    assert not [word for word in (world.tenant, "D-very-own", "b2b-saas", "BREW") if word in text]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/docs", "/openapi.json", "/schema"])
async def test_what_needs_no_key_is_answered_without_one(world: World, path: str) -> None:
    assert (await world.ask("GET", path, key=None)).status_code == 200


async def test_the_key_may_come_in_either_header(world: World) -> None:
    by_header = await world.ask("GET", "/deals", key=None, headers={"x-api-key": world.key})
    by_proxy = await world.ask(
        "GET", "/deals", key=None, headers={"x-api-key": world.key, "authorization": "Basic cHJveHk6eA=="}
    )
    assert [200, 200] == [by_header.status_code, by_proxy.status_code]


async def test_the_type_of_a_problem_leads_to_its_explanation(world: World) -> None:
    refused = await world.ask("GET", "/deals/D-404")
    page = await world.ask("GET", refused.json()["type"], key=None)
    assert ("/problems/unknown-deal", 404) == (page.json()["type"], page.json()["status"])
    assert (404, "not-found") == await world.refusal("GET", "/problems/nothing", key=None)
