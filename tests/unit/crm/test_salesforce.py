"""Salesforce's messages and changes: what they tell, in whatever order; who may send them; what cannot be read."""

import json
import random
from typing import Any

import pytest

from app.crm import standard_webhooks
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


def test_a_change_tells_its_fields_its_author_and_its_way() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0), NextStep="call")
    change = crm.change(42, at=at(5), StageName="Closed Won", NextStep=None, Name="x")
    header = change["payload"]["ChangeEventHeader"]
    header |= {"commitTimestamp": header["commitTimestamp"] + 438, "sequenceNumber": 2}
    batch = read(body_of(change), SETTINGS)
    moment = at(5).replace(microsecond=438_002)
    assert [(one.kind, one.name, one.value, one.at, one.by, one.channel) for one in batch.events] == [
        ("changed", "NextStep", None, moment, REP, "com/salesforce/api/rest/62.0"),
        ("changed", "StageName", "Closed Won", moment, REP, "com/salesforce/api/rest/62.0"),
    ]


def test_a_change_of_several_records_is_one_for_each() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), StageName="Closed Won")
    change["payload"]["ChangeEventHeader"]["recordIds"] = [DEAL, deal_id(43), "001*"]
    batch = read(body_of(change), SETTINGS)
    assert [one.object_id for one in batch.events] == [DEAL, deal_id(43)]
    assert len({one.key for one in batch.events}) == 2


@pytest.mark.parametrize(
    ("header", "hints", "ignored"),
    [
        ({"changeType": "GAP_UPDATE"}, (DEAL,), 0),
        ({"changeType": "GAP_OVERFLOW", "recordIds": ["006*"]}, (), 1),
        ({"recordIds": ["006*"]}, (), 1),
        ({"entityName": "Account"}, (), 1),
        ({"changeType": "UPDATE", "entityName": "Task"}, (), 1),
    ],
)
def test_what_says_too_little_is_a_hint_or_nothing(
    header: dict[str, Any], hints: tuple[str, ...], ignored: int
) -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), StageName="Closed Won")
    change["payload"]["ChangeEventHeader"] |= header
    batch = read(body_of(change), SETTINGS)
    assert (batch.events, batch.hints, batch.ignored) == ((), hints, ignored)


def test_differences_of_long_texts_and_undecoded_names_are_read_back() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), NextStep="--- +++", StageName="Closed Won")
    change["payload"]["ChangeEventHeader"]["diffFields"] = ["NextStep"]
    batch = read(body_of(change), SETTINGS)
    assert ([one.name for one in batch.events], batch.hints) == (["StageName"], (DEAL,))
    change["payload"]["ChangeEventHeader"] |= {"diffFields": [], "changedFields": ["0x400080"]}
    assert read(body_of(change), SETTINGS).hints == (DEAL,)


def test_fields_that_did_not_change_may_come_along_empty_and_wrapped_in_their_type() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), StageName="Closed Won")
    change["payload"] |= {"StageName": {"string": "Closed Won"}, "Amount": None, "NextStep": None}
    assert [(one.name, one.value) for one in read(body_of(change), SETTINGS).events] == [("StageName", "Closed Won")]


def test_deletion_and_its_undoing_are_told() -> None:
    crm = FakeSalesforce()
    change = crm.make_deal(42, at=at(0))
    change["payload"]["ChangeEventHeader"]["changeType"] = "DELETE"
    assert told(body_of(change)) == [("deleted", None, None, at(0).replace(microsecond=1))]
    change["payload"]["ChangeEventHeader"]["changeType"] = "UNDELETE"
    assert {one[:2] for one in told(body_of(change))} >= {("restored", None), ("seen", "StageName")}


def test_our_own_client_is_known_by_its_name_or_its_user() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), origin="com/salesforce/api/rest/62.0;client=Stagerail", StageName="Closed Won")
    settings = salesforce_settings(acts_as="Stagerail")
    assert [one.by for one in read(body_of(change), settings).events] == ["Stagerail"]
    assert [one.by for one in read(body_of(change), SETTINGS).events] == [REP]
    assert salesforce_settings(acts_as=OURS[:15]).acts_as == OURS


def test_a_change_counts_within_the_second_in_which_the_record_was_saved() -> None:
    crm = FakeSalesforce()
    crm.make_deal(42, at=at(0))
    change = crm.change(42, at=at(5), StageName="Closed Won")
    change["payload"]["ChangeEventHeader"]["commitTimestamp"] += 1_700  # it was committed later than it was saved
    assert {one[3] for one in told(body_of(change))} == {at(5).replace(microsecond=999_999)}
    change["payload"]["ChangeEventHeader"]["commitTimestamp"] -= 5_000
    assert {one[3] for one in told(body_of(change))} == {at(5)}


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
