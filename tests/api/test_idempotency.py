"""A write that is sent again under its key happens once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app import clock
from tests.api.world import YAML, World
from tests.builders import PROCESS, activity, question, ready_deal, stored

KEY = {"idempotency-key": "the-first-try"}
WRITES: dict[str, tuple[str, str, Any]] = {
    "a decision": ("POST", "/validate-transition", question(dry_run=False)),
    "a deal": ("PUT", "/deals/D-2", stored()),
    "a move made elsewhere": ("PUT", "/deals/D-1", stored(stage="won")),
    "an activity": ("POST", "/deals/D-1/activities", activity(id="a-2")),
    "a changed activity": ("PUT", "/deals/D-1/activities/a-1", activity(outcome="no_show")),
    "a move": ("POST", "/deals/D-1/moves", {"to": "demo_completed"}),
}


@pytest.mark.parametrize("name", WRITES)
async def test_the_same_write_again_is_answered_as_before_and_happens_once(world: World, name: str) -> None:
    await world.good("PUT", "/deals/D-1", stored(**ready_deal()))
    method, path, body = WRITES[name]
    first = await world.ask(method, path, body, headers=KEY)
    assert first.is_success, first.text
    after = await world.written()
    again = await world.ask(method, path, body, headers=KEY)
    assert (first.status_code, first.content, "true") == (
        again.status_code,
        again.content,
        again.headers["idempotency-replayed"],
    )
    assert first.headers.get("etag") == again.headers.get("etag")
    assert "idempotency-replayed" not in first.headers
    assert after == await world.written()


@pytest.mark.parametrize("name", WRITES)
async def test_another_write_under_the_same_key_is_refused(world: World, name: str) -> None:
    await world.good("PUT", "/deals/D-1", stored(**ready_deal()))
    await world.good("PUT", "/deals/D-9", stored(), headers=KEY)
    before = await world.written()
    method, path, body = WRITES[name]
    assert (422, "idempotency-key-reused") == await world.refusal(method, path, body, headers=KEY)
    assert before == await world.written()


async def test_publishing_again_under_its_key_is_answered_as_before(world: World) -> None:
    changed = PROCESS.replace("at_least: 1", "at_least: 2")
    path, headers = "/processes/b2b-saas", YAML | KEY
    first = await world.ask("PUT", path, content=changed, headers=headers)
    again = await world.ask("PUT", path, content=changed, headers=headers)
    assert (201, 201, first.content) == (first.status_code, again.status_code, again.content)


async def test_two_at_once_under_one_key_are_one_write(world: World) -> None:
    await world.good("PUT", "/deals/D-1", stored(**ready_deal()))
    asked = (world.ask("POST", "/deals/D-1/moves", {"to": "demo_completed"}, headers=KEY) for _ in range(5))
    answers = await asyncio.gather(*asked)
    good = [answer for answer in answers if answer.is_success]
    assert good
    assert {200, 409} >= {answer.status_code for answer in answers}
    assert 1 == len({answer.content for answer in good})
    assert 1 == len((await world.good("GET", "/decisions"))["items"])


async def test_a_refusal_is_not_kept(world: World) -> None:
    asked = ("POST", "/deals/D-1/moves", {"to": "demo_completed"})
    assert (404, "unknown-deal") == await world.refusal(*asked, headers=KEY)
    await world.good("PUT", "/deals/D-1", stored(**ready_deal()))
    assert (await world.good(*asked, headers=KEY))["applied"] is True


async def test_a_key_of_another_tenant_is_another_key(world: World) -> None:
    await world.good("PUT", "/deals/D-1", stored(), headers=KEY)
    theirs = await world.refusal("PUT", "/deals/D-1", stored(), headers=KEY, key=world.strangers_key)
    assert (404, "unknown-process") == theirs


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\there"])
async def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    told = await world.refusal("PUT", "/deals/D-1", stored(), headers={"idempotency-key": key})
    assert (422, "invalid-request") == told


async def test_answers_are_kept_for_a_week_and_then_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start = clock.now()
    asked = ("PUT", "/deals/D-1", stored())
    await world.good(*asked, headers=KEY)
    for days, status, replayed in ((6.9, 201, True), (7.1, 200, False)):
        monkeypatch.setattr(clock, "now", lambda days=days: start + timedelta(days=days))
        answer = await world.ask(*asked, headers=KEY)
        assert (status, replayed) == (answer.status_code, "idempotency-replayed" in answer.headers)
