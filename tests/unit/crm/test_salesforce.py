"""Salesforce's messages and changes: what they tell, in whatever order; who may send them; what cannot be read."""

import json
import random
from typing import Any

import pytest

from app.crm import standard_webhooks
from app.crm.connection import Place, place_of
from app.crm.events import Malformed
from app.crm.salesforce import read, record, verify
from app.crm.salesforce.ids import long_id
from tests.crm.builders import NOON
from tests.crm.fakes.salesforce import OURS, REP, FakeSalesforce, deal_id
from tests.crm.fakes.salesforce_messages import (
    KEY,
    basic,
    body_of,
    envelope,
    iso,
    notification_xml,
    salesforce_settings,
)
from tests.crm.hostile import expect_only_refusals
from tests.crm.orders import at, expect_the_same_in_any_order

SETTINGS = salesforce_settings()
DEAL = deal_id(42)


def told(body: bytes) -> list[tuple[Any, ...]]:
    return [(one.kind, one.name, one.value, one.at) for one in read(body, SETTINGS).events]


def test_ids_of_fifteen_characters_are_those_of_eighteen() -> None:
    assert long_id("00D000000000062") == "00D000000000062EAA"
    assert long_id("0061I00000ABcdE") == "0061I00000ABcdEQAT"
    assert [long_id(one) for one in ("", "x" * 16, "00D000000000062EAA")] == ["", "x" * 16, "00D000000000062EAA"]
    assert (SETTINGS.organization_id, list(SETTINGS.people)) == ("00D000000000062EAA", ["005000000000077AAA"])


def test_a_message_tells_what_was_so_when_the_record_was_last_changed() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0), Amount=120000.0)
    assert told(crm.message()) == [
        ("created", None, None, at(0)),
        ("seen", "Amount", "120000.0", at(0)),
        ("seen", "OwnerId", REP, at(0)),
        ("seen", "RecordTypeId", "012000000000001AAA", at(0)),
        ("seen", "StageName", "Prospecting", at(0)),
    ]


def test_a_message_that_says_since_when_the_stage_is_tells_the_move_itself() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    crm.change(42, at=at(5), StageName="Closed Won")
    [stage] = [one for one in read(crm.message(next(iter(crm.queue))), SETTINGS).events if one.name == "StageName"]
    assert (stage.kind, stage.value, stage.at, stage.by) == ("changed", "Closed Won", at(5), REP)
    crm.change(42, at=at(9), by=OURS, Amount=5)
    [stage] = [one for one in read(crm.message(next(iter(crm.queue))), SETTINGS).events if one.name == "StageName"]
    assert (stage.at, stage.by) == (at(5), None)


def test_a_message_without_a_time_is_a_hint_and_says_so() -> None:
    xml = notification_xml("04l000000000001AAA", "Opportunity", {"Id": DEAL, "StageName": "Prospecting"})
    batch = read(envelope(xml), SETTINGS)
    assert (batch.events, batch.hints, [one.code for one in batch.faults]) == ((), (DEAL,), ["salesforce_no_time"])


def test_tasks_events_and_contacts_are_facts_of_their_deal() -> None:
    crm = FakeSalesforce()
    contact = "003000000000009AAA"
    sent = [
        crm.add_task(42, at=at(3), CallType="Outbound", WhoId=contact),
        crm.add_event(42, at=at(4), CallDisposition="Held"),
        crm.add_role(42, contact, "Decision Maker", at=at(5)),
    ]
    expected: list[dict[str, Any]] = [
        {"activity": "call", "at": at(3).isoformat(), "status": "done", "direction": "outbound", "contacts": [contact],
         "by": "rep-7"},
        {"activity": "demo", "at": at(4).isoformat(), "status": "done", "outcome": "held", "by": "rep-7"},
        {"id": contact, "role": "champion"},
    ]  # fmt: skip
    for body in (crm.message(), body_of(*sent)):
        facts = read(body, SETTINGS).facts
        assert [one.object_id for one in facts] == [DEAL] * 3
        values = [{**(one.value or {})} for one in facts]
        assert [{key: value[key] for key in wanted} for value, wanted in zip(values, expected, strict=True)] == expected


def test_tasks_are_planned_for_the_end_of_their_day_and_ours_are_nobody_s() -> None:
    crm = FakeSalesforce()
    later = {"IsClosed": False, "Status": "Open", "ActivityDate": "2026-12-01", "CompletedDateTime": None}
    crm.add_task(42, at=at(3), **later)
    crm.add_task(42, at=at(3), Description="why [stagerail:0123456789ab]")
    crm.add_task(42, at=at(3), WhatId="001000000000001AAA")
    batch = read(crm.message(), SETTINGS)
    [fact] = batch.facts
    assert fact.value is not None
    assert (fact.value["status"], fact.value["at"], batch.ignored) == ("planned", "2026-12-01T23:59:59+00:00", 2)


def test_record_types_may_be_given_in_their_short_form() -> None:
    stages = {"Prospecting": "demo_scheduled"}
    pipelines = {
        "012000000000001": {"process": "sales", "stages": stages},
        "012000000000002AAA": {"process": "other", "stages": stages},
        "whatever": {"process": "third", "stages": stages},
    }
    settings = salesforce_settings(pipelines=pipelines)
    assert list(settings.pipelines) == ["012000000000001AAA", "012000000000002AAA", "whatever"]
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    [pipeline] = [one.value for one in read(crm.message(), settings).events if one.name == "RecordTypeId"]
    assert place_of(settings, pipeline, "Prospecting") == Place("sales", None, "demo_scheduled")


@pytest.mark.parametrize("organization", ["00D000000000063EAA", "", "x"])
def test_another_organisation_s_message_is_refused(organization: str) -> None:
    xml = notification_xml("04l000000000001AAA", "Opportunity", {"Id": DEAL})
    with pytest.raises(Malformed, match="event_of_another_account"):
        read(envelope(xml, organization=organization), SETTINGS)
    change = {**FakeSalesforce().make_deal(42, at=at(0)), "organizationId": organization or "00D1"}
    with pytest.raises(Malformed, match="event_of_another_account"):
        read(body_of(change), SETTINGS)


def test_the_short_form_of_the_organisation_is_the_same() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    body = crm.message().replace(b"00D000000000062EAA", b"00D000000000062")
    assert read(body, SETTINGS).events == read(crm.message(), SETTINGS).events


def test_more_than_a_hundred_notifications_are_refused() -> None:
    xml = notification_xml("04l000000000001AAA", "Opportunity", {"Id": DEAL, "SystemModstamp": iso(at(0))})
    assert read(envelope(xml * 100), SETTINGS).faults == ()
    with pytest.raises(Malformed, match="delivery_too_many_events"):
        read(envelope(xml * 101), SETTINGS)


def test_only_who_has_the_key_is_let_in() -> None:
    def accepts(query: str = "", headers: dict[str, str] | None = None, *secrets: str) -> bool:
        uri = f"https://gate.example.com/webhooks/sf{query}"
        given = list(secrets) or [KEY]
        return verify(given, method="POST", uri=uri, headers=headers or {}, body=b"<x/>", now=NOON)

    escaped = "the%20key%20in%20the%20address"
    assert accepts(f"?key={escaped}")
    assert accepts("?a=1&key=the+key+in+the+address")
    assert accepts("?key=a+b", None, "a+b")
    assert accepts("", basic())
    assert accepts("", {"x-stagerail-key": KEY})
    assert accepts("", basic("pass", "user"), "user:pass")
    assert accepts(f"?key={escaped}", None, "older", KEY)
    assert accepts("", standard_webhooks.headers_of([KEY], "m-1", NOON, b"<x/>"))
    wrong: list[tuple[str, dict[str, str]]] = [
        ("", {}), ("?key=", {}), ("?key=x", {}), (f"?code={escaped}", {}), (f"#?key={escaped}", {}),
        ("?" + "a&" * 100 + f"key={escaped}", {}), ("", basic("x")), ("", {"authorization": "Basic %%%"}),
        ("?key=%ff%00\udcff", {"x-stagerail-key": "\udcff"}), ("", {"authorization": "Basic \udcff"}),
        ("", standard_webhooks.headers_of(["other"], "m-1", NOON, b"<x/>")),
    ]  # fmt: skip
    assert [accepts(*one) for one in wrong] == [False] * len(wrong)
    assert not verify([""], method="POST", uri="https://x/?key=", headers={}, body=b"", now=NOON)


def test_a_record_is_so_now_whatever_times_it_brings() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0), Amount=7.5)
    flow = {"attributes": {"type": "Opportunity"}, "Id": DEAL[:15], "StageName": "Closed Won", "ChangedById": REP[:15]}
    [event] = record(flow, SETTINGS, NOON)
    assert (event.object_id, event.kind, event.value, event.at, event.by) == (DEAL, "seen", "Closed Won", NOON, REP)
    crm.change(42, at=at(5), StageName="Closed Lost")
    assert {one.at for one in record(crm.deal(42), SETTINGS, NOON)} == {NOON}
    for wrong in (7, {}, {"Id": "x"}, {**flow, "attributes": {"type": "Account"}}, {**flow, "OrganizationId": "00D9"}):
        with pytest.raises(Malformed):
            record(wrong, SETTINGS, NOON)


def test_a_record_is_no_event() -> None:
    with pytest.raises(Malformed, match="event_field_missing"):
        read(json.dumps({"Id": DEAL, "StageName": "Closed Won"}).encode(), SETTINGS)


def _history(chance: random.Random) -> list[bytes]:
    """A deal's making and four more things, told by messages sent late, by changes, or by both."""
    crm = FakeSalesforce()
    stages = ("Prospecting", "Proposal/Quote", "Closed Won", "Closed Lost", "Nowhere")
    bodies = [body_of(crm.make_deal(42, at=at(0), Amount=float(chance.randrange(3))))]
    if chance.random() < 0.5:
        bodies = [crm.message()]
    minute = 0.0
    while len(bodies) < 5:
        minute += chance.choice((0.5, 1, 90))
        if chance.random() < 0.3:
            change = crm.add_event(42, at=at(minute), CallDisposition=chance.choice(("Held", None)))
        else:
            change = crm.change(42, at=at(minute), StageName=chance.choice(stages), Amount=float(chance.randrange(3)))
            change["payload"]["ChangeEventHeader"]["commitTimestamp"] += chance.randrange(900)
        bodies.append(body_of(change) if chance.random() < 0.5 else crm.message(*list(crm.queue)[-2:]))
    return bodies


def test_any_order_and_any_copies_end_in_the_same_deal() -> None:
    expect_the_same_in_any_order(SETTINGS, _history, DEAL, read)


def test_hostile_changes_are_refused_and_nothing_else() -> None:
    crm = FakeSalesforce()
    good: list[Any] = [
        crm.make_deal(42, at=at(0), Amount=1.5), crm.change(42, at=at(5), StageName="Closed Won", NextStep=None),
        crm.add_event(42, at=at(6)), crm.add_role(42, "003000000000009AAA", "x", at=at(7)),
    ]  # fmt: skip
    expect_only_refusals(read, SETTINGS, good)
    expect_only_refusals(_recorded, SETTINGS, [crm.deal(42)])


def _recorded(body: bytes, settings: Any) -> Any:
    from app.safe_json import UnsafeJson, read_json

    try:
        return record(read_json(body), settings, NOON)
    except UnsafeJson as error:
        raise Malformed(error.code) from error
