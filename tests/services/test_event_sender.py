"""An event on the wire: a signed CloudEvent, the same id and body each time, and what each answer means."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from standardwebhooks import Webhook

from app import clock
from app.crm.http import Request, Response, Unreachable
from app.services import endpoints
from app.services.endpoints import Change
from app.services.event_sender import EventSender
from app.services.events import Events, OurEvent
from app.services.outbox import GiveUp, Later, Work
from app.store.database import Database, Transaction
from app.store.endpoints import read_endpoint
from app.store.outbox import list_items
from app.store.outbox_targets import StoredTarget, know_target, note_failure, read_target
from tests.services.outbox_world import until, working

KEY = Fernet.generate_key().decode()
URL = "https://events.example.com/hook"
WORK = Work("acme", "i-1", "endpoint:team", "D-1", "event", "k", {"type": "deal.moved", "è": 1}, 1, clock.now())


class Wire:
    """Answers as it is told, and keeps what was sent."""

    def __init__(self, *answers: int | Exception | Response) -> None:
        self.answers = list(answers)
        self.sent: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.sent.append(request)
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Response) else Response(answer, {}, b"")


async def make(database: Database, **changes: Any) -> str:
    """The endpoint `team`; its secret."""
    change = Change("team", URL, ["*"], paused=False)._replace(**changes)
    put = await database.transaction(
        lambda tx: endpoints.put(tx, Events("x"), "acme", change, key=KEY, now=clock.now())
    )
    return put.secret or ""


def sender(database: Database, wire: Wire, key: str | None = KEY) -> EventSender:
    return EventSender(database, wire, key)


async def failure(act: Callable[[], Awaitable[None]]) -> tuple[Any, ...]:
    with pytest.raises((Later, GiveUp)) as caught:
        await act()
    error = caught.value
    if isinstance(error, Later):
        return error.code, error.params, error.after, error.counts
    assert isinstance(error, GiveUp)
    return error.code, error.params


async def test_an_event_is_a_signed_cloud_event(database: Database) -> None:
    secret, wire = await make(database), Wire()
    await sender(database, wire)(WORK)
    (sent,) = wire.sent
    assert (sent.method, sent.url, sent.body) == ("POST", URL, '{"type":"deal.moved","è":1}'.encode())
    assert sent.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert sent.headers["webhook-id"] == "i-1"
    assert Webhook(secret).verify(sent.body or b"", dict(sent.headers)) == {"type": "deal.moved", "è": 1}


async def test_while_secrets_overlap_both_sign(database: Database) -> None:
    old, wire = await make(database), Wire()

    async def rotate(now: datetime) -> str:
        put = await database.transaction(lambda tx: endpoints.rotate(tx, "acme", "team", key=KEY, now=now))
        return put.secret or ""

    new = await rotate(clock.now())
    await sender(database, wire)(WORK)
    for secret in (old, new):
        assert Webhook(secret).verify(wire.sent[0].body or b"", dict(wire.sent[0].headers))
    newest = await rotate(clock.now())  # the answer before was lost, and the receiver has the old one still
    await sender(database, wire)(WORK)
    for secret in (old, new, newest):
        assert Webhook(secret).verify(wire.sent[1].body or b"", dict(wire.sent[1].headers))


async def test_when_the_overlap_is_over_the_newest_secret_signs_alone(database: Database) -> None:
    await make(database)
    wire, then = Wire(), clock.now() - endpoints.OVERLAP - timedelta(seconds=1)
    put = await database.transaction(lambda tx: endpoints.rotate(tx, "acme", "team", key=KEY, now=then))
    await sender(database, wire)(WORK)
    assert len(wire.sent[0].headers["webhook-signature"].split()) == 1
    assert Webhook(put.secret or "").verify(wire.sent[0].body or b"", dict(wire.sent[0].headers))


async def test_after_a_lost_key_a_rotation_is_enough(database: Database) -> None:
    await make(database)
    newer, wire = Fernet.generate_key().decode(), Wire()
    now = clock.now()
    put = await database.transaction(lambda tx: endpoints.rotate(tx, "acme", "team", key=newer, now=now))
    await EventSender(database, wire, newer)(WORK)
    assert Webhook(put.secret or "").verify(wire.sent[0].body or b"", dict(wire.sent[0].headers))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_success_is_the_end_of_it(database: Database, status: int) -> None:
    await make(database)
    await sender(database, Wire(status))(WORK)


@pytest.mark.parametrize("status", [100, 301, 302, 400, 401, 404, 429, 500, 503])
async def test_any_other_answer_is_tried_again(database: Database, status: int) -> None:
    await make(database)
    told = await failure(lambda: sender(database, Wire(status))(WORK))
    assert told == ("endpoint_status", {"status": status}, None, True)


async def test_whoever_asks_for_a_pause_is_heard(database: Database) -> None:
    await make(database)
    wire = Wire(Response(429, {"retry-after": "120"}, b""))
    assert await failure(lambda: sender(database, wire)(WORK)) == ("endpoint_status", {"status": 429}, 120.0, True)


async def test_an_endpoint_that_is_gone_for_good_is_paused(database: Database) -> None:
    await make(database)
    paused: tuple[Any, ...] = ("endpoint_paused", {}, 600.0, False)
    wire = Wire(410)
    assert [await failure(lambda: sender(database, wire)(WORK)) for _ in range(2)] == [paused, paused]
    assert len(wire.sent) == 1
    found = await read_endpoint(database, "acme", "team")
    assert found is not None
    assert found.paused is True


async def test_an_address_that_is_gone_pauses_no_endpoint_that_has_another_by_now(database: Database) -> None:
    await make(database)

    async def moved(request: Request) -> Response:
        assert request.url == URL
        await make(database, url="https://new.example.com/hook")
        return Response(410, {}, b"")

    with pytest.raises(Later) as told:
        await EventSender(database, moved, KEY)(WORK)
    assert (told.value.code, told.value.after, told.value.counts, told.value.whole) == (
        "endpoint_paused", None, False, False,
    )  # fmt: skip
    found = await read_endpoint(database, "acme", "team")
    assert found is not None
    assert found.paused is False


async def test_a_new_endpoint_inherits_no_failures_from_one_of_its_name(database: Database) -> None:
    failed = StoredTarget("acme", "endpoint:team", 9, clock.now() + timedelta(hours=1))

    async def fail(tx: Transaction) -> None:
        await know_target(tx, "acme", failed.target_id)
        await note_failure(tx, failed)

    await database.transaction(fail)
    await make(database)
    assert await read_target(database, "acme", failed.target_id) == failed._replace(failures=0, open_until=None)
    await database.transaction(fail)
    await make(database)
    assert await read_target(database, "acme", failed.target_id) == failed


async def test_who_cannot_be_reached_is_tried_again_and_who_was_taken_away_is_not(database: Database) -> None:
    told = await failure(lambda: sender(database, Wire())(WORK))
    assert told == ("endpoint_gone", {})
    await make(database)
    wire = Wire(Unreachable("http_refused", host="events.example.com"))
    assert await failure(lambda: sender(database, wire)(WORK)) == (
        "http_refused", {"host": "events.example.com"}, None, True,
    )  # fmt: skip


@pytest.mark.parametrize("key", [None, Fernet.generate_key().decode()])
async def test_without_the_key_nothing_is_sent_and_nobody_is_blamed(database: Database, key: str | None) -> None:
    await make(database)
    wire = Wire()
    told = await failure(lambda: sender(database, wire, key)(WORK))
    assert (told, wire.sent) == (("secret_unavailable", {}, 300.0, False), [])


async def test_a_paused_endpoint_is_told_nothing_new_and_gets_what_waits_when_it_goes_on(database: Database) -> None:
    wire, events = Wire(410), Events("urn:test")
    await make(database)

    async def tell(subject: str, now: datetime) -> int:
        event = OurEvent("acme", "deal.moved", subject, {})
        return await database.transaction(lambda tx: events.tell(tx, event, now))

    now = clock.now()
    assert await tell("D-1", now) == 1
    async with working(database, sender(database, wire)) as worker:
        await until(lambda: len(wire.sent) == 1)
        await until(lambda: waits_paused(database))
        assert await tell("D-2", now + timedelta(seconds=2)) == 0
        await make(database, paused=False)
        worker.wake()
        await until(lambda: len(wire.sent) == 2)
    assert wire.sent[0].headers["webhook-id"] == wire.sent[1].headers["webhook-id"]
    assert wire.sent[0].body == wire.sent[1].body


async def test_of_a_paused_endpoint_a_few_items_are_looked_at_however_many_wait(database: Database) -> None:
    wire, events, results = Wire(410, 410, 410, 410), Events("urn:test"), list[tuple[str, str]]()
    await make(database)
    for number in range(30):
        event = OurEvent("acme", "deal.moved", f"D-{number}", {})
        await database.transaction(lambda tx, event=event: events.tell(tx, event, clock.now()))  # type: ignore[misc]
    counted: dict[str, Any] = {"count": lambda *told: results.append(told)}
    async with working(database, sender(database, wire), **counted) as worker:
        await until(lambda: len(results) == 4)
        worker.wake()
        await asyncio.sleep(0.7)
        assert results == [("event", "later")] * 4
        wire.answers = []
        await make(database, paused=False)
        worker.wake()
        await until(lambda: results.count(("event", "done")) == 30)


async def waits_paused(database: Database) -> bool:
    (item,) = await list_items(database, "acme", limit=9)
    return item.lease_until is None and item.reason is not None and "endpoint_paused" in item.reason


async def test_a_dead_item_is_told_to_others_than_its_own_endpoint(database: Database) -> None:
    events, now = Events("urn:test"), clock.now()
    for name in ("team", "other"):
        await make(database, endpoint_id=name)
    event = OurEvent("acme", "deal.moved", "D-1", {})
    assert await database.transaction(lambda tx: events.tell(tx, event, now)) == 2

    async def gives_up(work: Work) -> None:
        if work.target_id == "endpoint:team":
            raise GiveUp("endpoint_gone")

    async with working(database, gives_up, died=events.died):
        await until(lambda: told_dead(database))
    dead = [one for one in await list_items(database, "acme", limit=9) if "delivery.dead" in one.payload]
    assert [one.target_id for one in dead] == ["endpoint:other"]


async def told_dead(database: Database) -> bool:
    found = await list_items(database, "acme", limit=9)
    return len(found) == 3 and all(one.status != "waiting" for one in found)


async def test_who_wants_events_is_asked_once_a_second(database: Database) -> None:
    events, now = Events("urn:test"), clock.now()
    event = OurEvent("acme", "deal.moved", "D-1", {})

    async def tell(at: datetime) -> int:
        async def work(tx: Transaction) -> int:
            return await events.tell(tx, event, at)

        return await database.transaction(work)

    assert await tell(now) == 0
    await make(database)
    assert [await tell(now + timedelta(seconds=age)) for age in (0.9, 1.0)] == [0, 1]
