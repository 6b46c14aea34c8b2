"""HubSpot's deliveries, read: what is ours, what is nothing to us, what cannot be used, and why."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.crm.events import Batch, Event, Fault, Malformed
from app.crm.hubspot import HubspotSettings, read
from tests.crm.builders import change, hubspot_settings, stage_change

SETTINGS: HubspotSettings = hubspot_settings()
AT = datetime(2026, 6, 25, 7, 19, 32, 438_000, tzinfo=UTC)


def _read(*events: Any) -> Batch:
    return read(json.dumps(list(events)).encode(), SETTINGS)


def _keyless(batch: Batch) -> list[Event]:
    return [event._replace(key="") for event in batch.events]


def test_a_stage_change_and_a_creation_as_delivered() -> None:
    body = b"""[
      {"objectId": 332507367156, "propertyName": "dealstage", "propertyValue": "qualifiedtobuy",
       "changeSource": "CRM_UI",
       "eventId": 802835955, "subscriptionId": 92894, "portalId": 5799819, "appId": 186886, "occurredAt": 1782371972438,
       "subscriptionType": "deal.propertyChange", "attemptNumber": 0, "sourceId": "userId:77"},
      {"objectId": 332507367157, "changeSource": "IMPORT", "changeFlag": "CREATED", "eventId": 3816279480,
       "subscriptionId": 22, "portalId": 5799819, "appId": 186886, "occurredAt": 1782371972440,
       "subscriptionType": "deal.creation", "attemptNumber": 0}]"""
    batch = read(body, SETTINGS)
    assert _keyless(batch) == [
        Event("", "332507367156", "changed", AT, "dealstage", "qualifiedtobuy", "77", "CRM_UI"),
        Event("", "332507367157", "created", AT.replace(microsecond=440_000), channel="IMPORT"),
    ]
    assert (batch.ignored, batch.faults) == (0, ())


def test_one_event_alone_and_the_older_name_of_its_type_are_accepted() -> None:
    event = stage_change("qualifiedtobuy", at=AT)
    event["eventType"] = event.pop("subscriptionType")
    alone = read(json.dumps(event).encode(), SETTINGS)
    assert alone.events == _read(stage_change("qualifiedtobuy", at=AT)).events


def test_ids_and_times_are_the_same_as_numbers_and_as_text() -> None:
    event = stage_change("qualifiedtobuy", at=AT)
    as_text = {
        **event,
        "objectId": str(event["objectId"]),
        "portalId": "5799819",
        "occurredAt": str(event["occurredAt"]),
    }
    assert _read(as_text).events == _read(event).events


def test_copies_of_an_event_have_one_key_and_whatever_differs_in_what_happened_another() -> None:
    event = stage_change("qualifiedtobuy", at=AT)
    copies = [
        {**event, "eventId": 1},
        {**event, "attemptNumber": 7},
        {**event, "subscriptionId": 5},
        {**event, "subscriptionType": "object.propertyChange", "objectTypeId": "0-3"},
    ]
    others = [
        {**event, "objectId": 1},
        {**event, "propertyName": "amount"},
        {**event, "propertyValue": "other"},
        {**event, "propertyValue": None},
        {**event, "occurredAt": event["occurredAt"] + 1},
    ]
    keys = [found.key for found in _read(event, *copies, *others).events]
    assert len(set(keys[:5])) == 1
    assert len(set(keys)) == 1 + len(others)


def test_other_events_are_nothing_to_us() -> None:
    event = stage_change("qualifiedtobuy", at=AT)
    nothing = [
        {**event, "subscriptionType": "contact.creation"},
        {**event, "subscriptionType": "contact.propertyChange", "propertyName": "email"},
        {**event, "subscriptionType": "object.creation", "objectTypeId": "0-1"},
        {**event, "subscriptionType": "object.merge", "objectTypeId": "0-1", "mergedObjectIds": [1]},
        {**event, "subscriptionType": "contact.associationChange", "associationType": "CONTACT_TO_COMPANY"},
        {**event, "subscriptionType": "brand new thing"},
        {**event, "propertyName": "hs_not_mapped"},
    ]
    assert _read(*nothing) == Batch((), len(nothing), ())
    assert read(b"[]", SETTINGS) == Batch((), 0, ())


def test_a_value_is_the_same_as_text_and_as_what_it_is_and_emptied_either_way() -> None:
    values = [("12", 12), ("true", True), ("", None)]
    for text, plain in values:
        found = _read(change("amount", text, at=AT), change("amount", plain, at=AT)).events
        assert found[0] == found[1]


def test_a_deal_that_goes_or_comes_back_is_told_and_one_that_is_back_is_looked_at() -> None:
    event = change("", None, at=AT) | {"subscriptionType": "deal.deletion"}
    batch = _read(event, {**event, "subscriptionType": "object.restore", "objectTypeId": "0-3"})
    assert _keyless(batch) == [
        Event("", str(event["objectId"]), "deleted", AT, channel="CRM_UI"),
        Event("", str(event["objectId"]), "restored", AT, channel="CRM_UI"),
    ]
    assert (batch.hints, batch.ignored) == ((str(event["objectId"]),), 0)


def _merge(**said: Any) -> dict[str, Any]:
    return {"subscriptionType": "deal.merge", "portalId": 5799819, "occurredAt": 1782371972438, **said}


@pytest.mark.parametrize(
    ("said", "gone", "into"),
    [
        ({"primaryObjectId": 1, "mergedObjectIds": [2, "3"]}, ["2", "3"], "1"),
        ({"objectId": 1, "mergedObjectIds": [2, 2, 1]}, ["2"], "1"),
        ({"primaryObjectId": 1, "mergedObjectIds": [2], "newObjectId": 9}, ["1", "2"], "9"),
        ({"primaryObjectId": 1, "mergedObjectIds": []}, [], "1"),
    ],
)
def test_merged_deals_are_told_each_with_the_one_they_went_into(
    said: dict[str, Any], gone: list[str], into: str
) -> None:
    batch = _read(_merge(**said))
    assert [(one.object_id, one.kind, one.value) for one in batch.events] == [(each, "merged", into) for each in gone]
    assert (batch.hints, batch.ignored) == ((into,), 0)


@pytest.mark.parametrize("merged", [None, 5, "x", [None], [[]], [{}], ["a\nb"], list(range(101))])
def test_a_merge_of_no_one_can_tell_what_is_no_event(merged: Any) -> None:
    with pytest.raises(Malformed, match="event_field_wrong"):
        _read(_merge(primaryObjectId=1, mergedObjectIds=merged))


@pytest.mark.parametrize(
    ("subject", "said", "hints"),
    [
        ("deal", {"associationType": "DEAL_TO_CONTACT"}, ("1",)),
        ("deal", {"associationType": "CONTACT_TO_DEAL"}, ("2",)),
        ("contact", {"associationType": "CONTACT_TO_DEAL", "associationRemoved": True}, ("2",)),
        ("deal", {"associationType": "DEAL_TO_DEAL"}, ("1", "2")),
        ("deal", {}, ("1",)),
        ("object", {"fromObjectTypeId": "0-47", "toObjectTypeId": "0-3", "associationTypeId": 212}, ("2",)),
        ("object", {"fromObjectTypeId": "0-3", "toObjectTypeId": "0-1"}, ("1",)),
        ("object", {"fromObjectTypeId": "0-1", "toObjectTypeId": "0-2"}, ()),
        ("contact", {"associationType": 7}, ()),
    ],
)
def test_an_association_says_which_deals_to_look_at(subject: str, said: dict[str, Any], hints: tuple[str, ...]) -> None:
    ends = {"portalId": 5799819, "fromObjectId": 1, "toObjectId": 2, "occurredAt": 1782371972438}
    batch = _read({"subscriptionType": f"{subject}.associationChange", **ends, **said})
    assert batch == Batch((), 0 if hints else 1, (), hints=hints)


def test_what_software_did_is_told_as_the_app_s() -> None:
    event = stage_change("qualifiedtobuy", at=AT) | {"changeSource": "INTEGRATION", "sourceId": "186886"}
    strange = {**event, "propertyValue": "x", "changeSource": {"a": 1}, "sourceId": ["a"]}
    assert [(one.by, one.channel) for one in _read(event, strange).events] == [("186886", "INTEGRATION"), (None, None)]


def test_an_event_that_cannot_be_used_does_not_take_the_others_with_it() -> None:
    good = stage_change("qualifiedtobuy", at=AT)
    bad: list[tuple[Any, Fault]] = [
        (1, Fault(1, "event_not_an_object", {})),
        ({"portalId": 5799819}, Fault(2, "event_field_missing", {"field": "subscriptionType"})),
        ({**good, "portalId": 1}, Fault(3, "event_of_another_account", {"found": "1"})),
        ({**good, "portalId": True}, Fault(4, "event_of_another_account", {"found": "true"})),
        ({**good, "objectId": -1}, Fault(5, "event_field_wrong", {"field": "objectId", "found": "-1"})),
        ({**good, "objectId": True}, Fault(6, "event_field_wrong", {"field": "objectId", "found": "true"})),
        ({**good, "objectId": "a\nb"}, Fault(7, "event_field_wrong", {"field": "objectId", "found": '"a\\nb"'})),
        ({**good, "occurredAt": 1.5}, Fault(8, "event_field_wrong", {"field": "occurredAt", "found": "1.5"})),
        ({**good, "occurredAt": 2**62}, Fault(9, "event_field_wrong", {"field": "occurredAt", "found": str(2**62)})),
        ({**good, "occurredAt": None}, Fault(10, "event_field_wrong", {"field": "occurredAt", "found": "null"})),
        ({**good, "propertyName": ""}, Fault(11, "event_field_missing", {"field": "propertyName"})),
        ({**good, "propertyValue": {}}, Fault(12, "event_field_wrong", {"field": "propertyValue", "found": "{}"})),
    ]
    batch = _read(good, *(event for event, _ in bad))
    assert [event.object_id for event in batch.events] == [str(good["objectId"])]
    assert batch.faults == tuple(fault for _, fault in bad)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_invalid"),
        (b"{", "json_invalid"),
        (b"\xff\xfe", "json_invalid"),
        (b"\x00", "json_invalid"),
        (b'[{"a": NaN}]', "json_invalid"),
        (b'[{"a": 1, "a": 2}]', "json_invalid"),
        (b"[" * 100_000, "json_too_deep"),
        (b"null", "event_not_an_object"),
        (b'"text"', "event_not_an_object"),
        (b"[[]]", "event_not_an_object"),
        (b"{}", "event_field_missing"),
        (json.dumps([stage_change("x", portal_id=1)] * 3).encode(), "event_of_another_account"),
        (json.dumps([stage_change("x")] * 101).encode(), "delivery_too_many_events"),
    ],
)
def test_a_delivery_of_which_nothing_can_be_used_is_refused_whole(body: bytes, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        read(body, SETTINGS)
    assert refusal.value.code == code


def test_a_hundred_events_are_no_more_than_allowed() -> None:
    assert len(_read(*[stage_change(str(number)) for number in range(100)]).events) == 100
