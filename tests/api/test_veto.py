"""Vetoes over HTTP: a CRM asks before it saves; the status code says whether it may, the body why not."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app import clock
from app.main import create_app
from app.services import veto
from app.settings import Settings
from app.store.database import DatabaseDown
from tests.api import test_webhooks as hooks
from tests.api.test_webhooks import SERVER, A, B, World
from tests.crm.builders import SECRET, body_of, change, creation, settings_json, signed_headers, stage_change
from tests.crm.world import KEY

settings, keys, world = hooks.settings, hooks.keys, hooks.world
PATH = "/veto/hub"
KNOWN: dict[str, Any] = {"process": "sales", "stage": "demo_scheduled", "fields": {}}
DEAL = "hub:332507367156"


async def ask(world: World, body: bytes, *, secret: str = SECRET) -> httpx.Response:
    headers = signed_headers(body, uri=SERVER + PATH, at=clock.now(), secret=secret)
    return await world.client.post(PATH, content=body, headers=headers)


async def connect(world: World, **changes: Any) -> None:
    answer = await world.ask("PUT", "/connections/hub", json=settings_json(secret=SECRET, **changes))
    assert answer.status_code in (200, 201), answer.text


def moved(stage: str = B) -> bytes:
    return body_of(stage_change(stage, at=clock.now()))


async def test_a_move_that_the_process_blocks_is_refused_with_every_reason(world: World) -> None:
    await connect(world)
    await world.ask("PUT", f"/deals/{DEAL}", json=KNOWN)
    answer = await ask(world, body_of(stage_change(B, at=clock.now(), by="4711")))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/move-vetoed")
    [decision] = answer.json()["decisions"]
    assert [(one["requirement"], one["severity"]) for one in decision["findings"]] == [
        ("next-step", "block"), ("demo-held", "warn"),
    ]  # fmt: skip
    assert decision["findings"][0]["message"] in answer.json()["detail"]
    log = (await world.ask("GET", "/decisions")).json()["items"]
    assert [(one["source"], one["outcome"], one["deal_id"]) for one in log] == [("veto", "blocked", DEAL)]
    assert [(one["channel"], one["changed_by"], one["actor"]) for one in log] == [("CRM_UI", "4711", None)]
    assert (await world.ask("GET", f"/deals/{DEAL}")).json()["stage"] == "demo_scheduled"


async def test_a_move_that_the_process_allows_goes_on(world: World) -> None:
    await connect(world)
    await world.ask("PUT", f"/deals/{DEAL}", json={**KNOWN, "fields": {"next_step": "send the offer"}})
    answer = await ask(world, moved())
    assert (answer.status_code, answer.json()["allowed"], answer.json()["checked"]) == (200, True, True)
    assert [one["outcome"] for one in answer.json()["decisions"]] == ["allowed"]


async def test_what_comes_with_the_question_counts_as_saved(world: World) -> None:
    await connect(world)
    await world.ask("PUT", f"/deals/{DEAL}", json=KNOWN)
    now = clock.now()
    body = body_of(change("next_step_text", "send the offer", at=now), stage_change(B, at=now))
    assert (await ask(world, body)).status_code == 200


@pytest.mark.parametrize(("choice", "status"), [("open", 200), ("closed", 409)])
async def test_what_only_missing_facts_stand_against_the_connection_decides(
    world: World, choice: str, status: int
) -> None:
    await connect(world, on_failure=choice)
    await world.became(await world.deliver(body_of(stage_change(A, at=clock.now()))))
    answer = await ask(world, moved())
    assert answer.status_code == status
    if status == 200:
        assert (answer.json()["checked"], answer.json()["decisions"][0]["outcome"]) == (False, "blocked")


async def test_a_move_that_was_let_pass_is_judged_alike_when_it_is_told_and_counts_once(world: World) -> None:
    await connect(world)
    await world.ask("PUT", f"/deals/{DEAL}", json={**KNOWN, "fields": {"next_step": "send the offer"}})
    body = moved()
    for _ in range(2):
        assert (await ask(world, body)).status_code == 200
    assert (await world.ask("GET", f"/deals/{DEAL}")).json()["stage"] == "demo_scheduled"
    assert (await world.became(await world.deliver(body)))["events"]["judged"] == 1
    log = (await world.ask("GET", "/decisions")).json()["items"]
    assert [(one["source"], one["outcome"], one["supersedes"]) for one in log] == [
        ("webhook", "allowed", None), ("veto", "allowed", None), ("veto", "allowed", None),
    ]  # fmt: skip
    adherence = (await world.ask("GET", "/insights/adherence", params={"process": "sales"})).json()
    assert adherence["moves"]["total"] == 1


async def test_a_deal_that_stays_where_it_stands_is_not_asked_about_again(world: World) -> None:
    await connect(world)
    await world.ask("PUT", f"/deals/{DEAL}", json=KNOWN)
    told = await world.became(await world.deliver(moved()))
    assert told["events"]["judged"] == 1
    answer = await ask(world, body_of(change("amount", "7", at=clock.now()), stage_change(B, at=clock.now())))
    assert (answer.status_code, answer.json()) == (200, {"allowed": True, "checked": True, "decisions": []})


@pytest.mark.parametrize(("choice", "status"), [("open", 200), ("closed", 409)])
async def test_where_a_deal_stands_that_nobody_told_of_the_connection_decides(
    world: World, choice: str, status: int
) -> None:
    await connect(world, on_failure=choice)
    answer = await ask(world, moved())
    assert answer.status_code == status
    if status == 200:
        assert (answer.json()["checked"], answer.json()["decisions"][0]["outcome"]) == (False, "not_judged")
    else:
        assert answer.json()["detail"] == "where the deal stands is not known, so the move cannot be judged"


@pytest.mark.parametrize(("choice", "status"), [("open", 200), ("closed", 409)])
async def test_a_record_with_the_times_of_its_last_save_asks_about_what_is_to_be_saved_now(
    world: World, choice: str, status: int
) -> None:
    await connect(world, on_failure=choice)
    at = clock.now() - timedelta(days=1)
    times = {"createdate": (at - timedelta(days=9)).isoformat(), "dealstage": B}
    record = {"id": DEAL.partition(":")[2], "updatedAt": at.isoformat(), "properties": times}
    unknown = await ask(world, json.dumps(record).encode())  # it is not new, and nobody told where it stands
    assert unknown.status_code == status
    await world.became(await world.deliver(body_of(stage_change(A, at=at))))
    answer = await ask(world, json.dumps(record).encode())
    assert answer.status_code == status
    [decision] = answer.json()["decisions"]
    assert (decision["from"], decision["to"], decision["outcome"]) == ("demo_scheduled", "demo_completed", "blocked")


async def test_a_record_comes_after_all_that_is_known_though_the_crm_s_clock_runs_ahead(world: World) -> None:
    await connect(world)
    await world.ask("PUT", f"/deals/{DEAL}", json={**KNOWN, "stage": "lost"})
    await world.became(await world.deliver(body_of(stage_change(A, at=clock.now() + timedelta(seconds=20)))))
    record = {"id": DEAL.partition(":")[2], "properties": {"dealstage": B}}
    [decision] = (await ask(world, json.dumps(record).encode())).json()["decisions"]
    assert (decision["from"], decision["to"]) == ("demo_scheduled", "demo_completed")


async def test_what_the_process_says_nothing_of_goes_on_and_is_not_called_checked(world: World) -> None:
    await connect(world, on_failure="closed")
    for body in (moved("elsewhere"), body_of(creation(at=clock.now()), stage_change(B, at=clock.now()))):
        answer = await ask(world, body)
        assert (answer.status_code, answer.json()["checked"]) == (200, False), body


async def test_only_the_crm_itself_may_ask(world: World) -> None:
    await connect(world)
    answers = [await ask(world, moved(), secret="wrong"), await world.client.post(PATH, content=moved())]
    assert [one.status_code for one in answers] == [401, 401]
    assert (await world.client.post("/veto/none", content=b"{}")).status_code == 404


@pytest.mark.parametrize(("choice", "status"), [("open", 200), ("closed", 500)])
async def test_when_we_fail_the_connection_decides(
    world: World, monkeypatch: pytest.MonkeyPatch, choice: str, status: int
) -> None:
    await connect(world, on_failure=choice)
    await world.ask("PUT", f"/deals/{DEAL}", json=KNOWN)
    assert (await ask(world, moved())).status_code == 409
    database = world.app.state.services.database

    async def down(*_: Any) -> None:
        raise DatabaseDown("the disk is gone")

    monkeypatch.setattr(database, "fetch_one", down)
    answer = await ask(world, moved())
    assert answer.status_code == status
    assert (await ask(world, moved(), secret="wrong")).status_code == 401
    if status == 200:
        assert answer.json() == {"allowed": True, "checked": False, "decisions": []}
        assert (
            'stagerail_decisions_total{outcome="failed",source="veto"} 1.0'
            in world.app.state.services.metrics.text().decode()
        )
    else:
        assert answer.json()["type"] == "/problems/veto-failed"


@pytest.mark.parametrize(("choice", "status"), [("open", 200), ("closed", 500)])
async def test_a_log_that_does_not_answer_is_waited_for_no_longer_than_all_else(
    world: World, monkeypatch: pytest.MonkeyPatch, choice: str, status: int
) -> None:
    await connect(world, on_failure=choice)
    await world.ask("PUT", f"/deals/{DEAL}", json=KNOWN)
    monkeypatch.setattr(veto, "PATIENCE", 0.3)
    monkeypatch.setattr(world.app.state.services.database, "transaction", _never)
    async with asyncio.timeout(5):
        assert (await ask(world, moved())).status_code == status


async def test_a_database_that_does_not_answer_for_a_connection_never_seen_is_unavailable(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(veto, "PATIENCE", 0.05)
    monkeypatch.setattr(world.app.state.services.database, "fetch_one", _never)
    answer = await ask(world, moved())
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/database-unavailable")


async def _never(*_: Any) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(("choice", "status"), [("open", 200), ("closed", 500)])
async def test_what_cannot_be_read_is_a_failure_too(world: World, choice: str, status: int) -> None:
    await connect(world, on_failure=choice)
    for body in (b"{", b"[" * 100_000, body_of({"portalId": 7}), body_of(7)):
        assert (await ask(world, body)).status_code == status, body[:20]


async def test_both_ways_answer_alike(world: World) -> None:
    await connect(world)
    await world.ask("PUT", f"/deals/{DEAL}", json=KNOWN)
    app = create_app(Settings.from_env({"STAGERAIL_ENCRYPTION_KEY": KEY}), lane=False)
    app.state.services = world.app.state.services
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=SERVER) as client:
        body = moved()
        headers = signed_headers(body, uri=SERVER + PATH, at=clock.now())
        answers = [await one.post(PATH, content=body, headers=headers) for one in (world.client, client)]
    assert [one.status_code for one in answers] == [409, 409]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]
