"""Webhooks and connections over HTTP, on both databases: from a signed delivery to the decision log."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app import clock
from app.main import create_app
from app.services.keys import create_key
from app.settings import Settings
from app.store.database import Database, open_database
from app.store.migrate import migrate
from tests.crm.builders import SECRET, body_of, change, creation, settings_json, signed_headers, stage_change
from tests.crm.world import KEY, publish_to

SERVER = "https://gate.example.com"
HOOK = "/webhooks/hub"
A, B = "appointmentscheduled", "qualifiedtobuy"


class World:
    """A running application, a client, and a key with every scope for each of two tenants."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, keys: dict[str, str]) -> None:
        self.app = app
        self.client = client
        self.keys = keys

    async def ask(self, method: str, path: str, *, tenant: str = "acme", **options: Any) -> httpx.Response:
        """A request with the tenant's key."""
        headers = {"authorization": f"Bearer {self.keys[tenant]}", **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **options)

    async def connect(self, **changes: Any) -> None:
        """Put the connection."""
        answer = await self.ask("PUT", "/connections/hub", json=settings_json(secret=SECRET, **changes))
        assert answer.status_code in (200, 201), answer.text

    async def deliver(
        self, body: bytes, *, path: str = HOOK, late: timedelta = timedelta(0), **options: Any
    ) -> httpx.Response:
        """A delivery as HubSpot signs it."""
        headers = signed_headers(body, uri=SERVER + path, at=clock.now() - late, **options)
        return await self.client.post(path, content=body, headers=headers)

    async def became(self, answer: httpx.Response) -> dict[str, Any]:
        """What became of a delivery, once it is done."""
        assert answer.status_code == 202, answer.text
        told: dict[str, Any] = {}
        for _ in range(400):
            told = (await self.ask("GET", f"/deliveries/{answer.json()['delivery_id']}")).json()
            if told["status"] != "received":
                return told
            await asyncio.sleep(0.01)
        raise AssertionError(told)


@asynccontextmanager
async def running(settings: Settings, *, keys: dict[str, str] | None = None) -> AsyncIterator[World]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=SERVER) as client:
            yield World(app, client, keys or {})


@pytest.fixture
async def settings(database_url: str) -> Settings:
    migrate(database_url)
    return Settings.from_env({"STAGERAIL_DATABASE_URL": database_url, "STAGERAIL_ENCRYPTION_KEY": KEY})


async def _key(database: Database, tenant: str, scope: str) -> str:
    return await database.transaction(lambda tx: create_key(tx, tenant, [scope], "test", clock.now()))


@pytest.fixture
async def keys(settings: Settings) -> dict[str, str]:
    database = open_database(settings.database_url)
    await database.start()
    found = {}
    for tenant in ("acme", "globex"):
        found[tenant] = await _key(database, tenant, "admin")
        found[tenant + "-decide"] = await _key(database, tenant, "decide")
    await publish_to(database, "acme")
    await database.stop()
    return found


@pytest.fixture
async def world(settings: Settings, keys: dict[str, str]) -> AsyncIterator[World]:
    async with running(settings, keys=keys) as found:
        yield found


async def test_a_signed_delivery_ends_in_the_decision_log_and_in_the_deal(world: World) -> None:
    await world.connect()
    start = clock.now()
    at = [start + timedelta(seconds=second) for second in range(3)]
    events = [
        creation(at=at[0]),
        stage_change(A, at=at[0]),
        change("amount", "52000", at=at[1]),
        stage_change(B, at=at[2], by="77"),
    ]
    told = await world.became(await world.deliver(body_of(*reversed(events))))
    counts = {name: count for name, count in told["events"].items() if count}
    assert (told["status"], told["reason"], counts) == ("processed", None, {"judged": 1, "not_judged": 2, "facts": 1})
    log = (await world.ask("GET", "/decisions")).json()["items"]
    assert [(one["from"], one["to"], one["outcome"], one["source"]) for one in reversed(log)] == [
        (None, None, "not_judged", "webhook"),
        (None, "demo_scheduled", "not_judged", "webhook"),
        ("demo_scheduled", "demo_completed", "blocked", "webhook"),
    ]
    assert sorted(told["decisions"]) == sorted(one["decision_id"] for one in log)
    assert (log[0]["facts"]["complete"], log[0]["actor"], log[0]["deal_id"]) == (False, "rep-7", "hub:332507367156")
    one = (await world.ask("GET", f"/decisions/{log[2]['decision_id']}", headers={"accept-language": "it"})).json()
    assert one["facts"]["missing"] == ["activities", "approvals", "contacts", "fields", "stage"]
    await counted(world, 'stagerail_decisions_total{outcome="not_judged",source="webhook"} 2.0')
    deal = (await world.ask("GET", "/deals/hub:332507367156")).json()
    assert (deal["process"], deal["stage"], deal["fields"]) == ("sales", "demo_completed", {"amount": 52000})


async def counted(world: World, line: str) -> None:
    """Wait until the metrics say so: they are counted just after the commit that the log shows."""
    text = ""
    for _ in range(500):
        text = (await world.ask("GET", "/metrics")).text
        if line in text:
            break
        await asyncio.sleep(0.01)
    assert line in text


async def test_a_wrong_missing_or_stale_signature_is_401_without_a_hint(world: World) -> None:
    await world.connect()
    body = body_of(stage_change(A))
    good = signed_headers(body, uri=SERVER + HOOK, at=clock.now())
    answers = [
        await world.client.post(HOOK, content=body),
        await world.client.post(
            HOOK, content=body, headers=httpx.Headers({**good, "x-hubspot-signature-v3": "é"}, encoding="utf-8")
        ),
        await world.client.post(HOOK, content=body + b" ", headers=good),
        await world.client.post(HOOK + "?a=1", content=body, headers=good),
        await world.deliver(body, secret="wrong"),
        await world.deliver(body, late=timedelta(minutes=6)),
        await world.deliver(body, late=-timedelta(minutes=6)),
        await world.ask("POST", HOOK, content=body),
    ]
    assert [answer.status_code for answer in answers] == [401] * 8
    assert len({(answer.json()["type"], answer.json()["detail"]) for answer in answers}) == 1
    assert (await world.ask("GET", "/decisions")).json()["items"] == []


@pytest.mark.parametrize(
    "path", ["/webhooks/other", "/webhooks/HUB", "/webhooks/%00", "/webhooks/%ff", "/webhooks/" + "x" * 5000]
)
async def test_an_unknown_connection_is_404(world: World, path: str) -> None:
    await world.connect()
    answer = await world.deliver(body_of(stage_change(A)), path=path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_invalid"),
        (b"\xff", "json_invalid"),
        (b"[" * 100_000, "json_too_deep"),
        (b'[{"objectId": 1, "portalId": 1e999}]', "json_number_too_large"),
        (b'["\\u0000"]', "json_nul"),
        (b"[1]", "event_not_an_object"),
        (body_of(stage_change(A, portal_id=4)), "event_of_another_account"),
        (body_of(*[stage_change(A)] * 101), "delivery_too_many_events"),
    ],
)
async def test_what_cannot_be_read_is_kept_as_refused_and_answered_so_that_nobody_sends_it_again(
    world: World, body: bytes, code: str
) -> None:
    await world.connect()
    answer = await world.deliver(body)
    told = await world.became(answer)
    assert (answer.json()["status"], told["status"], told["code"]) == ("refused", "refused", code)
    assert told["reason"]
    assert body.decode("latin-1") not in json.dumps(told) or not body


async def test_the_signature_covers_the_address_that_the_crm_called(settings: Settings, keys: dict[str, str]) -> None:
    public = settings.model_copy(update={"public_url": "https://rail.example.com/eu"})
    async with running(public, keys=keys) as world:
        await world.connect()
        body = body_of(stage_change(A))
        assert (await world.deliver(body)).status_code == 401
        for path, called in (
            (HOOK, HOOK),
            (f"{HOOK}?a=%3A%20b", f"{HOOK}?a=:%20b"),
            ("/webhooks/h%75b", "/webhooks/h%75b"),
        ):
            headers = signed_headers(body, uri="https://rail.example.com/eu" + called, at=clock.now())
            answer = await world.client.post(httpx.URL(SERVER + path), content=body, headers=headers)
            assert answer.status_code == 202


async def test_an_oversized_delivery_that_proves_itself_is_kept_as_refused_without_its_body(world: World) -> None:
    await world.connect()
    long = b" " * (1024 * 1024 + 1)
    told = await world.became(await world.deliver(long))
    assert (told["status"], told["code"]) == ("refused", "body_too_large")
    assert told["reason"] == "the body is longer than 1048576 bytes; it was not kept"
    assert (await world.deliver(long, secret="another")).status_code == 401


async def test_a_delivery_too_long_to_prove_itself_is_413(world: World) -> None:
    await world.connect()
    answer = await world.deliver(b" " * (4 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert (await world.deliver(b"[]")).status_code == 202


async def test_a_database_that_is_down_is_503_so_that_the_crm_tries_again(world: World) -> None:
    await world.connect()
    await world.app.state.services.database.stop()
    answer = await world.deliver(body_of(stage_change(A)))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    await world.app.state.services.database.start()


async def test_a_server_without_the_key_of_the_secrets_is_503_too(settings: Settings, keys: dict[str, str]) -> None:
    async with running(settings, keys=keys) as world:
        await world.connect()
    for key in (None, SecretStr("A" * 43 + "=")):
        async with running(settings.model_copy(update={"encryption_key": key}), keys=keys) as world:
            assert (await world.deliver(body_of(stage_change(A)))).status_code == 503


async def test_what_was_not_worked_on_before_a_stop_is_after_the_next_start(
    settings: Settings, keys: dict[str, str]
) -> None:
    async with running(settings, keys=keys) as world:
        await world.connect()
        await world.app.state.services.deliveries.stop()
        answer = await world.deliver(body_of(stage_change(A)))
        assert (await world.ask("GET", f"/deliveries/{answer.json()['delivery_id']}")).json()["status"] == "received"
    async with running(settings, keys=keys) as world:
        assert (await world.became(answer))["status"] == "processed"


async def test_a_connection_is_put_read_and_listed_without_its_secret(world: World) -> None:
    first = await world.ask("PUT", "/connections/hub", json=settings_json(secret=SECRET))
    assert (first.status_code, first.json()["secret_set"], first.json()["webhook"]) == (201, True, HOOK)
    again = await world.ask("PUT", "/connections/hub", json=settings_json(portal_id="7"))
    assert (again.status_code, again.json()["portal_id"]) == (200, 7)
    read = await world.ask("GET", "/connections/hub")
    listed = await world.ask("GET", "/connections")
    assert read.json() == again.json()
    shown = {name: value for name, value in read.json().items() if name != "warnings"}
    assert listed.json() == {"items": [shown], "next_cursor": None}
    assert SECRET not in first.text + again.text + read.text + listed.text


async def test_connections_come_in_pages(world: World) -> None:
    for name in ("c", "a", "b"):
        await world.ask("PUT", f"/connections/{name}", json=settings_json(secret=SECRET))
    seen: list[list[str]] = []
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        found = (await world.ask("GET", "/connections", params={"limit": 2, **cursor})).json()
        seen.append([one["id"] for one in found["items"]])
        cursor = {"cursor": found["next_cursor"]} if found["next_cursor"] else None
    assert seen == [["a", "b"], ["c"]]


async def test_what_does_not_fit_is_told_with_its_place_in_the_caller_s_language(world: World) -> None:
    pipelines = {"default": {"process": "sales", "stages": {"a": "no_such"}}}
    answer = await world.ask(
        "PUT", "/connections/hub", json=settings_json(pipelines=pipelines), headers={"accept-language": "it"}
    )
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert answer.json()["errors"] == [
        {
            "place": "pipelines.default.stages.a",
            "code": "mapping_unknown_stage",
            "message": "`sales` non ha la fase `no_such`; ha `demo_scheduled`, `demo_completed`, `won`, `lost`",
        },
        {"place": "secret", "code": "missing", "message": "questo dato è obbligatorio e manca"},
    ]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"fields": {"dealstage": {"field": "amount"}}}, ""),
        ({"stage_map": {}}, "stage_map"),
        ({"crm": "other"}, "crm"),
        ({"portal_id": -1}, "portal_id"),
        ({"secret": ""}, "secret"),
    ],
)
async def test_settings_that_cannot_be_are_422(world: World, changes: dict[str, Any], place: str) -> None:
    answer = await world.ask("PUT", "/connections/hub", json=settings_json(**{"secret": SECRET, **changes}))
    assert (answer.status_code, [one["place"] for one in answer.json()["errors"]]) == (422, [place])
    assert all(one["code"] != "invalid" for one in answer.json()["errors"])


async def test_without_a_key_to_encrypt_with_a_secret_is_refused_in_one_clear_sentence(
    settings: Settings, keys: dict[str, str]
) -> None:
    async with running(settings.model_copy(update={"encryption_key": None}), keys=keys) as world:
        answer = await world.ask("PUT", "/connections/hub", json=settings_json(secret=SECRET))
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [
            {
                "place": "secret",
                "code": "secret_without_key",
                "message": "this server has no key to encrypt secrets with; "
                "whoever runs it must set STAGERAIL_ENCRYPTION_KEY first",
            }
        ],
    )


async def test_only_an_admin_s_key_sees_or_makes_connections_and_any_key_its_deliveries(world: World) -> None:
    await world.connect()
    for method, path in (("GET", "/connections"), ("GET", "/connections/hub"), ("PUT", "/connections/hub")):
        answer = await world.ask(method, path, tenant="acme-decide", json=settings_json())
        assert answer.status_code == 403
    delivered = (await world.deliver(body_of(stage_change(A)))).json()["delivery_id"]
    assert (await world.ask("GET", f"/deliveries/{delivered}", tenant="acme-decide")).status_code == 200


async def test_nothing_of_one_tenant_is_there_for_another(world: World) -> None:
    await world.connect()
    delivered = (await world.deliver(body_of(stage_change(A)))).json()["delivery_id"]
    for path in (f"/deliveries/{delivered}", "/connections/hub"):
        assert (await world.ask("GET", path, tenant="globex")).status_code == 404
    assert (await world.ask("GET", "/connections", tenant="globex")).json()["items"] == []
    taken = await world.ask("PUT", "/connections/hub", tenant="globex", json=settings_json(secret=SECRET))
    assert taken.status_code == 409


async def test_the_same_put_under_an_idempotency_key_answers_the_same(world: World) -> None:
    options: dict[str, Any] = {"json": settings_json(secret=SECRET), "headers": {"idempotency-key": "once"}}
    first = await world.ask("PUT", "/connections/hub", **options)
    again = await world.ask("PUT", "/connections/hub", **options)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
