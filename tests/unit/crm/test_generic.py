"""Generic deliveries: everything is found where the settings say, and what is not right is told with its place."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from app.crm.events import Batch, Event, Fact, Fault, Malformed
from app.crm.generic import GenericSettings, read, read_at, record, verify
from app.crm.generic.pointer import MISSING, resolve
from tests.crm.builders import NOON
from tests.crm.generic_builders import SECRET, generic_settings, settings_json, signed, update


def _read(content: Any, **changes: Any) -> Batch:
    return read(json.dumps(content).encode(), generic_settings(**changes))


def _told(batch: Batch) -> list[tuple[Any, ...]]:
    return [(one.object_id, one.kind, one.name, one.value, one.previous, one.by, one.channel) for one in batch.events]


def _refused(content: Any, **changes: Any) -> tuple[str, Any]:
    with pytest.raises(Malformed) as refusal:
        _read(content, **changes)
    return refusal.value.code, refusal.value.params.get("field")


def _deliveries(**changes: Any) -> dict[str, Any]:
    return {"deliveries": {**settings_json()["deliveries"], **changes}}


def test_an_update_tells_every_property_that_it_holds_with_who_where_and_what_was_before() -> None:
    content = {**update(amount="1200.5", owner="u7", other="x"), "before": {"stage": 1}}
    assert _told(_read(content)) == [
        ("42", "changed", "/deal/amount", "1200.5", None, "u7", "board"),
        ("42", "changed", "/deal/owner", "u7", None, "u7", "board"),
        ("42", "changed", "/deal/pipeline", "1", None, "u7", "board"),
        ("42", "changed", "/deal/stage", "2", "1", "u7", "board"),
    ]
    assert {one.at for one in _read(content).events} == {NOON}
    assert [one.tells_previous for one in _read(content).events] == [False, False, False, True]


def test_kinds_are_told_in_the_words_of_the_crm_and_others_are_nothing_to_us() -> None:
    made = {**update(1), "type": "deal.created"}
    gone = {**update(1), "type": "deal.deleted"}
    merged = {**update(1), "type": "deal.merged", "into": 7}
    assert [one[:4] for one in _told(_read(made))] == [
        ("42", "created", None, None),
        ("42", "changed", "/deal/pipeline", "1"),
        ("42", "changed", "/deal/stage", "1"),
    ]
    assert [one[:4] for one in _told(_read(gone))] == [("42", "deleted", None, None)]
    assert [one[:4] for one in _told(_read(merged))] == [("42", "merged", None, "7")]
    assert _read({**update(1), "type": "person.updated"}) == Batch((), 1, ())


def test_activities_and_contacts_become_facts_in_the_words_of_a_snapshot() -> None:
    demo = {
        "id": 5, "type": "demo_call", "at": "2026-11-19T10:00:00Z", "state": "completed", "result": "Held",
        "contacts": [9], "by": "u7",
    }  # fmt: skip
    others = [
        {"id": 6, "type": "demo_call", "at": "2026-11-25T10:00:00+01:00", "state": "open", "direction": "inbound"},
        {"id": 7, "type": "demo_call", "state": "cancelled"},
        {"id": 8, "type": "lunch"},
    ]
    batch = _read(update(activities=[demo, *others], people=[{"id": 9, "role": "Boss"}, {"id": 10, "role": "?"}]))
    assert batch.facts == (
        Fact("42", "activity", "5", NOON, {
            "id": "5", "activity": "demo", "at": "2026-11-19T10:00:00+00:00", "status": "done", "outcome": "held",
            "direction": "outbound", "contacts": ["9"], "by": "rep-7",
        }),
        Fact("42", "activity", "6", NOON, {
            "id": "6", "activity": "demo", "at": "2026-11-25T09:00:00+00:00", "status": "planned",
            "direction": "inbound", "contacts": [],
        }),
        Fact("42", "activity", "7", NOON, None),
        Fact("42", "contact", "9", NOON, {"id": "9", "role": "economic_buyer"}),
        Fact("42", "contact", "10", NOON, {"id": "10", "role": None}),
    )  # fmt: skip


def test_a_batch_stands_under_its_pointer_and_one_wrong_item_does_not_take_the_others_with_it() -> None:
    content = {"data": [update(1), 7, {**update(2, event="e-2"), "at": "soon"}]}
    batch = _read(content, **_deliveries(items="/data"))
    assert [event.value for event in batch.events] == ["1", "1"]
    assert [one[:2] for one in batch.faults] == [(1, "event_not_an_object"), (2, "event_field_wrong")]
    assert batch.faults[1] == Fault(2, "event_field_wrong", {"field": "/at", "found": '"soon"'})
    assert _refused({}, **_deliveries(items="/data")) == ("event_field_missing", "/data")
    assert _refused([update(1)] * 101) == ("delivery_too_many_events", None)


@pytest.mark.parametrize(
    ("at", "options"),
    [
        ("2026-11-20T13:00:00+01:00", {}),
        ("2026-11-20 12:00:00", {}),
        ("2026-11-20 13:00:00", {"timezone": "Europe/Rome"}),
        (1795176000, {}),
        ("1795176000000", {}),
        (1795176000, {"times": "s"}),
        (1795176000000, {"times": "ms"}),
    ],
)
def test_times_are_read_as_they_look_or_as_the_settings_say(at: Any, options: dict[str, Any]) -> None:
    assert NOON == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert {one.at for one in _read(update(at=at), **_deliveries(**options)).events} == {NOON}


@pytest.mark.parametrize("at", [True, 1.5, [], {}, -1, "", "1e9", 10**14, "0001-01-01T00:00:00+14:00", "9999-12-31"])
def test_what_is_no_time_is_refused(at: Any) -> None:
    assert _refused(update(at=at)) == ("event_field_wrong", "/at")


def test_a_batch_tells_no_more_than_can_be_taken_in_at_once() -> None:
    fields = {f"/deal/{number}": {"field": f"f{number}", "type": "text"} for number in range(200)}
    wide = {str(number): "x" for number in range(200)}
    assert len(_read([update(number, **wide) for number in range(49)], fields=fields).events) > 49 * 200
    many = [update(number, **wide) for number in range(50)]
    assert _refused(many, fields=fields) == ("delivery_too_many_events", None)


def test_what_tells_no_time_of_its_own_happened_when_it_arrived() -> None:
    settings = generic_settings(**_deliveries(at=None))
    body = json.dumps(update()).encode()
    assert {one.at for one in read_at(body, settings, NOON).events} == {NOON}
    with pytest.raises(Malformed):
        read(body, settings)


def test_copies_of_an_event_are_known_by_the_senders_id_or_else_by_what_they_say() -> None:
    def keys(content: Any, **changes: Any) -> set[str]:
        return {one.key for one in _read(content, **changes).events}

    later = (NOON + timedelta(minutes=1)).isoformat()
    assert keys(update()) == keys(update(at=later))
    assert not keys(update()) & keys(update(event="e-2"))
    shared = keys(update(amount="1")) & keys(update(3, amount="1", at=later))
    assert len(shared) == len(keys(update(amount="1"))) - 1  # another stage under the same id is no copy
    bare = _deliveries(event_id=None)
    assert keys(update(), **bare) == keys(update(event="another"), **bare)
    assert not keys(update(), **bare) & keys(update(at=later), **bare)


def test_ids_that_cannot_be_are_refused_with_their_place() -> None:
    no_ids: list[Any] = [None, True, -1, "", "x" * 101, [], 1.5, "a\nb"]
    for wrong in no_ids:
        assert _refused(update() | {"deal": {"id": wrong}})[1] == "/deal/id"
    assert _refused(update(stage={"id": 1})) == ("event_field_wrong", "/deal/stage")
    assert _refused(update(activities=[{"type": "demo_call", "id": 1, "state": "?"}])) == (
        "event_field_wrong",
        "/state",
    )
    assert _refused(update(activities=[1])) == ("event_field_wrong", "/deal/activities")
    assert _refused(update(people=[{"id": 1}] * 501)) == ("delivery_too_many_facts", None)


def test_a_record_is_what_is_there_at_this_moment() -> None:
    events = record({"deal": {"id": "42", "stage": 2}}, generic_settings(), NOON)
    assert [(one.object_id, one.kind, one.at, one.name, one.value) for one in events] == [
        ("42", "seen", NOON, None, None),
        ("42", "seen", NOON, "/deal/stage", "2"),
    ]
    with pytest.raises(Malformed):
        record([1], generic_settings(), NOON)


def test_settings_name_what_cannot_be_with_its_place() -> None:
    wrong = settings_json(stage_property="deal.stage", fields={"amount": {"field": "amount"}})
    wrong["deliveries"] |= {"id": "/a~2", "timezone": "Mars", "kinds": {"x": "exploded"}}
    with pytest.raises(ValidationError) as refusal:
        GenericSettings.model_validate(wrong)
    assert [(*one["loc"], one["type"]) for one in refusal.value.errors()] == [
        ("stage_property", "bad_pointer"),
        ("fields", "amount", "[key]", "bad_pointer"),
        ("deliveries", "id", "bad_pointer"),
        ("deliveries", "timezone", "unknown_timezone"),
        ("deliveries", "kinds", "x", "literal_error"),
    ]


def test_pointers_are_those_of_rfc_6901() -> None:
    document = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7, "0": {"x": None}}
    found = [resolve(document, one) for one in ("/foo/0", "/", "/a~1b", "/m~0n", "/ ", "/0/x", "/foo/1")]
    assert found == ["bar", 0, 1, 8, 7, None, "baz"]
    assert resolve(document, "") is document
    for nowhere in ("/foo/2", "/foo/-", "/foo/01", "/foo/-1", "/x", "/0/x/y", "/foo/bar", None):
        assert resolve(document, nowhere) is MISSING


def _verified(headers: dict[str, str], body: bytes, *secrets: str, at: datetime = NOON) -> bool:
    return verify(secrets or (SECRET,), method="POST", uri="https://x/", headers=headers, body=body, now=at)


def test_a_delivery_proves_itself_by_standard_webhooks_within_five_minutes() -> None:
    body, headers = signed(update())
    assert _verified(headers, body)
    assert _verified(headers, body, "another", SECRET)
    assert not _verified(headers, body + b" ")
    assert not _verified(headers, body, at=NOON + timedelta(minutes=6))
    assert not _verified({}, body)


def test_frappe_and_espocrm_prove_themselves_in_their_own_ways() -> None:
    body = b"[{}]"
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256)
    frappe = {"x-frappe-webhook-signature": base64.b64encode(mac.digest()).decode()}
    newer = {"signature": base64.b64encode(b"wh-1:" + mac.hexdigest().encode()).decode()}
    older = {"x-signature": base64.b64encode(b"wh-1:" + mac.digest()).decode()}
    for headers in (frappe, newer, older):
        assert _verified(headers, body)
        assert _verified(headers, body, "new", SECRET)
        assert not _verified(headers, body + b" ")
        assert not _verified(headers, body, "another")


@pytest.mark.parametrize("text", ["", "é", "AAAA", "=", ":", "\udcff", "Og=="])
def test_hostile_headers_are_simply_wrong(text: str) -> None:
    for name in ("signature", "x-signature", "x-frappe-webhook-signature", "webhook-signature"):
        assert not _verified({name: text, "webhook-id": text, "webhook-timestamp": text}, b"")


def test_an_event_stands_for_itself() -> None:
    event = _read(update()).events[-1]
    assert event == Event(
        event.key, "42", "changed", NOON, "/deal/stage", "2", "u7", "board", None, tells_previous=False
    )
