"""A deal as a form, a flow or a workflow of HubSpot's sends it, and an account's configuration: read, or refused."""

import json
from datetime import timedelta
from typing import Any

import pytest

from app.crm.drafting import drafted
from app.crm.events import Batch, Event, Malformed
from app.crm.hubspot import configuration, read, record
from app.engine import load_process
from app.safe_json import UnsafeJson, read_json
from tests.crm.builders import NOON, PORTAL, body_of, creation, hubspot_settings, stage_change
from tests.crm.hostile import expect_only_refusals
from tests.crm.hubspot.conftest import World

SETTINGS = hubspot_settings(approvals={"legal_ok": {"role": "sales_manager"}})
EARLIER = NOON - timedelta(hours=1)
DEAL: dict[str, Any] = {
    "id": "7",
    "properties": {"dealstage": "qualifiedtobuy", "amount": "12", "hs_createdate": "2026-11-19T12:00:00Z", "x": "y"},
    "updatedAt": EARLIER.isoformat(),
}


def _shown(events: tuple[Event, ...]) -> list[tuple[Any, ...]]:
    return [(one.kind, one.name, one.value, one.at) for one in events]


def test_a_record_says_what_is_so_now_whenever_it_was_last_saved() -> None:
    assert _shown(record(DEAL, SETTINGS, NOON)) == [
        ("created", None, None, NOON - timedelta(days=1)),
        ("seen", "amount", "12", NOON),
        ("seen", "dealstage", "qualifiedtobuy", NOON),
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"objectId": 7, "portalId": PORTAL, "properties": {"dealstage": {"value": "w"}}},
        {"dealId": 7, "properties": {"dealstage": {"value": "w"}}},
        {"hs_object_id": "7", "dealstage": "w"},
        {"properties": {"hs_object_id": {"value": "7"}, "dealstage": {"value": "w"}}},
    ],
)
def test_workflows_write_a_deal_in_several_ways(document: dict[str, Any]) -> None:
    events = record(document, SETTINGS, NOON)
    assert [(one.object_id, one.kind, one.name, one.value, one.at) for one in events] == [
        ("7", "seen", "dealstage", "w", NOON)
    ]


def test_versions_inside_of_a_record_are_the_webhooks_own_events() -> None:
    change = stage_change("w", deal=7, by="77")
    old = {"value": "w", "timestamp": change["occurredAt"], "source": "CRM_UI", "sourceId": "userId:77"}
    new = {"value": "w", "timestamp": NOON.isoformat(), "sourceType": "CRM_UI", "updatedByUserId": 77}
    told = read(body_of(change), SETTINGS).events
    assert record({"id": 7, "properties": {"dealstage": {"value": "w", "versions": [old]}}}, SETTINGS, NOON) == told
    assert record({"id": 7, "properties": {}, "propertiesWithHistory": {"dealstage": [new]}}, SETTINGS, NOON) == told


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (None, "event_not_an_object"),
        ([DEAL], "event_not_an_object"),
        ({}, "event_field_missing"),
        ({"id": True}, "event_field_missing"),
        ({"id": -1}, "event_field_missing"),
        ({**DEAL, "portalId": 1}, "event_of_another_account"),
        ({**DEAL, "portalId": True}, "event_of_another_account"),
    ],
)
def test_a_record_that_is_none_is_refused(document: Any, code: str) -> None:
    with pytest.raises(Malformed, match=code):
        record(document, SETTINGS, NOON)


def _as_batch(body: bytes, settings: Any) -> Batch:
    try:
        return Batch(record(read_json(body), settings, NOON), 0, ())
    except UnsafeJson as error:
        raise Malformed(error.code, **error.params) from error


def test_nothing_but_refusals_comes_of_what_nobody_should_send() -> None:
    version = {"value": "w", "timestamp": NOON.isoformat(), "sourceType": "CRM_UI", "sourceId": "userId:77"}
    whole = {**DEAL, "portalId": PORTAL, "propertiesWithHistory": {"dealstage": [version]}}
    expect_only_refusals(
        _as_batch, SETTINGS, [whole, {"hs_object_id": "7", "dealstage": {"value": "w", "versions": [version]}}]
    )
    merge = {**creation(), "subscriptionType": "deal.merge", "primaryObjectId": 1, "mergedObjectIds": [2]}
    ends = {"fromObjectId": 1, "toObjectId": 2, "associationType": "DEAL_TO_CONTACT"}
    association = {**creation(), "subscriptionType": "deal.associationChange", **ends}
    expect_only_refusals(read, SETTINGS, [[creation(), stage_change("w", by="77")], [merge], [association]])


PROCESS = b"""
process: sales
fields: [{key: amount, type: number}, {key: legal_ok, type: boolean}]
activities: [{key: demo, kind: meeting}]
stages:
  - {key: appointmentscheduled}
  - {key: qualified, name: QualifiedToBuy}
  - {key: won, kind: won}
  - {key: lost, kind: lost}
path: [appointmentscheduled, qualified, won]
transitions: [{from: open, to: lost}]
"""


async def test_a_mapping_is_drafted_from_the_account_s_configuration(world: World) -> None:
    found = configuration(await world.client().configuration())
    draft = drafted("hubspot", found, load_process(PROCESS))
    stages = {"appointmentscheduled": "appointmentscheduled", "w": "won", "l": "lost"}
    assert draft.settings["pipelines"]["default"]["stages"] == {**stages, "qualifiedtobuy": "qualified"}
    assert draft.settings["portal_id"] == PORTAL
    assert draft.settings["fields"] == {
        "amount": {"field": "amount", "type": "number"},
        "legal_ok": {"field": "legal_ok", "type": "boolean"},
    }
    assert draft.settings["people"]["o-77"] == draft.settings["people"]["77"] == {"id": "ann-lee"}
    assert draft.settings["activities"] == {"Demo": {"activity": "demo"}}
    assert {"place": "pipelines.renewals.stages.due", "label": "Due"} in draft.left


@pytest.mark.parametrize(
    "strange", [{}, {"pipelines": 7}, {"pipelines": [{"stages": [{"metadata": 7}]}], "owners": [{}]}]
)
def test_a_configuration_that_is_none_drafts_nothing(strange: dict[str, Any]) -> None:
    found = configuration(strange)
    assert (found.fields, found.people, found.own) == ((), (), {})
    json.dumps(found.pipelines)
