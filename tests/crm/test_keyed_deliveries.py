"""Salesforce and Dynamics through the running application: what is acknowledged, kept and vetoed."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app import clock
from app.services.connection_care import begin_reconciling
from app.store.connection_states import know_new_connections, set_reconciling
from app.store.database import Query
from tests.crm.circle import HOOK, SERVER, Circle, circle
from tests.crm.circle_keyed import NEXT_STEP, NUMBER, PlayedDynamics, PlayedSalesforce
from tests.crm.fakes.dynamics_steps import guid
from tests.crm.fakes.salesforce import ACKNOWLEDGED, deal_id
from tests.crm.fakes.salesforce_messages import KEY, basic, body_of, envelope, notification_xml

VETO = f"{SERVER}/veto/crm"
SESSION = b"a session of Salesforce's"


@pytest.fixture
async def salesforce(database_url: str) -> AsyncIterator[tuple[Circle, PlayedSalesforce]]:
    """Give a server connected with an organisation of Salesforce."""
    played = PlayedSalesforce()
    async with circle(database_url, played) as world:
        yield world, played


@pytest.fixture
async def dynamics(database_url: str) -> AsyncIterator[tuple[Circle, PlayedDynamics]]:
    """Give a server that an organisation of Dynamics asks before it saves."""
    played = PlayedDynamics()
    async with circle(database_url, played) as world:
        played.fake.sent_to = VETO
        yield world, played


async def bodies(world: Circle) -> list[tuple[str, bytes]]:
    """The status and the body of every delivery."""
    asked = Query(text("SELECT status, body FROM deliveries ORDER BY delivery_id").columns(), tuple)
    return [(str(status), bytes(body)) for status, body in await world.database.fetch_all(asked, {})]


async def test_a_message_is_acknowledged_in_soap_whatever_became_of_it_and_no_session_is_kept(
    salesforce: tuple[Circle, PlayedSalesforce],
) -> None:
    world, played = salesforce
    await world.connect()
    deal = await played.make()
    await world.judged(deal, (None, "demo_scheduled", "not_judged"))
    foreign = envelope(notification_xml("04l000000000009AAA", "Opportunity", {"Id": deal_id(1)}), organization="00D9")
    for refused in (foreign, b"<!DOCTYPE x><x/>", b"\xff", foreign.decode().encode("utf-16")):
        sent = await played.fake.send(HOOK, refused, basic())
        assert (sent.status, ACKNOWLEDGED in sent.answer) == (200, True)
    kept = await bodies(world)
    assert [one[0] for one in kept] == ["processed", *["refused"] * 4]
    assert [one for one in kept if SESSION in one[1]] == []


async def test_a_relay_of_changes_is_answered_in_json_with_the_id_of_its_delivery(
    salesforce: tuple[Circle, PlayedSalesforce],
) -> None:
    world, played = salesforce
    await world.connect()
    change = body_of(played.fake.make_deal(NUMBER, at=clock.now()))
    for body, code in ((change, None), (b"{", "json_invalid"), (b'["\xff"]', "xml_not_utf8")):
        sent = await played.fake.send(HOOK, body, {**basic(), "content-type": "application/json"})
        answer = json.loads(sent.answer)
        assert (sent.status, answer["status"]) == (202, "refused" if code else "received")
        assert (await world.get(f"/deliveries/{answer['delivery_id']}"))["code"] == code


@pytest.mark.parametrize("ids", [["000000000000000AAA"], ["006*"]])
async def test_a_gap_that_names_no_deal_is_filled_by_a_reconciling_read_at_once(
    salesforce: tuple[Circle, PlayedSalesforce], ids: list[str]
) -> None:
    world, played = salesforce
    await world.connect()
    database, later = world.database, clock.now() + timedelta(hours=1)
    await database.transaction(lambda tx: know_new_connections(tx, clock.now(), 9))
    await database.transaction(lambda tx: set_reconciling(tx, "acme", "crm", later))
    overflow = played.fake.make_deal(NUMBER, at=clock.now())
    overflow["payload"]["ChangeEventHeader"] |= {"changeType": "GAP_OVERFLOW", "recordIds": ids}
    tried = (await world.client.post("/connections/crm/try", json={"delivery": overflow})).json()
    assert (tried["gap"], tried["read_back"], tried["ignored"]) == (True, [], 0)
    sent = await played.fake.send(HOOK, body_of(overflow), basic())

    async def processed() -> bool:
        told = await world.get(f"/deliveries/{json.loads(sent.answer)['delivery_id']}")
        return bool(told["status"] == "processed") and bool(told["events"]["settling"] == 1)

    await world.until(processed)
    await begin_reconciling(database, clock.now(), lambda: None)
    await world.judged(deal_id(NUMBER), (None, "demo_scheduled", "not_judged"))


async def test_a_message_without_the_key_is_not_let_in_and_stays_in_its_queue(
    salesforce: tuple[Circle, PlayedSalesforce],
) -> None:
    world, played = salesforce
    await world.connect()
    played.fake.make_deal(NUMBER, at=clock.now())
    for address in (HOOK, f"{HOOK}?key=wrong"):
        sent = await played.fake.deliver(address)
        assert (sent.status, SESSION in sent.answer, len(played.fake.queue)) == (401, False, 1)
    sent = await played.fake.deliver(f"{HOOK}?key={KEY.replace(' ', '+')}")
    assert (sent.status, played.fake.queue) == (200, {})


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"<a/>", "Envelope"),
        (b'{"Id": "006000000000042AAA", "attributes": {"type": "Account"}}', "attributes.type"),
        (b'{"Id": "006000000000042AAA", "OrganizationId": "00D000000000063EAA"}', "another account"),
        (b'{"payload": {}}', "ChangeEventHeader"),
    ],
)
async def test_what_cannot_be_asked_about_is_told_for_what_it_is(
    salesforce: tuple[Circle, PlayedSalesforce], body: bytes, named: str
) -> None:
    world, _ = salesforce
    await world.connect()
    path = "/validate-transition?connection=crm"
    answer = await world.client.post(path, content=body, headers={"x-stagerail-key": KEY, "authorization": ""})
    assert (answer.status_code, named in answer.json()["detail"]) == (422, True), answer.text


async def synced(world: Circle, deal: str) -> list[str]:
    """The ids of all deals, once one was read by the id that somebody gave."""
    answer = await world.client.post("/connections/crm/syncs", json={"deal": deal})
    assert answer.status_code == 202, answer.text

    async def done() -> bool:
        sync = await world.get(f"/connections/crm/syncs/{answer.json()['id']}")
        return bool(sync["status"] == "done")

    await world.until(done)
    return [one["id"] for one in (await world.get("/deals"))["items"]]


async def test_a_deal_is_the_same_by_every_form_of_its_id(salesforce: tuple[Circle, PlayedSalesforce]) -> None:
    world, played = salesforce
    await world.connect()
    played.fake.make_deal(NUMBER, at=clock.now())
    for given in (deal_id(NUMBER), deal_id(NUMBER)[:15]):
        assert await synced(world, given) == [f"crm:{deal_id(NUMBER)}"]


async def test_a_deal_of_dynamics_is_the_same_in_capitals_and_braces(dynamics: tuple[Circle, PlayedDynamics]) -> None:
    world, played = dynamics
    await world.connect()
    played.fake.make_deal(NUMBER, at=clock.now())
    for given in (guid(NUMBER), guid(NUMBER).upper(), "{" + guid(NUMBER).upper() + "}"):
        assert await synced(world, given) == [f"crm:{guid(NUMBER)}"]
    asked = {one.path.rpartition("/")[2] for one in played.fake.calls if "/opportunities(" in one.path}
    assert asked == {f"opportunities({guid(NUMBER)})"}


async def test_a_step_that_asks_first_is_a_gate(dynamics: tuple[Circle, PlayedDynamics]) -> None:
    world, played = dynamics
    await world.connect(grace="1h")
    crm = played.fake
    crm.sent_to = HOOK
    deal = await played.make()
    await world.judged(deal, (None, "demo_scheduled", "not_judged"))
    crm.sent_to = VETO
    asked: dict[str, Any] = {"at": clock.now() + timedelta(seconds=1), "salesstagecode": 2}
    assert await crm.asked(NUMBER, **asked) is False
    assert (crm.sent[-1].status, played.stage(deal)) == (409, "demo_scheduled")
    assert await crm.asked(NUMBER, **asked, new_nextstep=NEXT_STEP) is True
    assert played.stage(deal) == "demo_completed"
    log = [one for one in (await world.get("/decisions"))["items"] if one["source"] == "veto"]
    assert [(one["from"], one["to"], one["outcome"]) for one in log] == [
        ("demo_scheduled", "demo_completed", "allowed"),
        ("demo_scheduled", "demo_completed", "blocked"),
    ]


@pytest.mark.parametrize(("choice", "passes"), [("open", True), ("closed", False)])
async def test_a_step_that_is_trimmed_is_what_the_connection_chose(
    dynamics: tuple[Circle, PlayedDynamics], choice: str, passes: bool
) -> None:
    world, played = dynamics
    await world.connect(on_failure=choice)
    played.fake.make_deal(NUMBER, at=clock.now())
    large: dict[str, Any] = {"at": clock.now(), "salesstagecode": 2, "description": "x" * 300_000}
    assert await played.fake.asked(NUMBER, **large) is passes
    assert played.fake.sent[-1].headers["x-ms-dynamics-msg-size-exceeded"] == "true"
    assert len(played.fake.sent) == 1
