"""Dynamics' steps: what they tell, in whatever order; who may send them; what cannot be read."""

import random
import time
from typing import Any

import pytest
from pydantic import ValidationError

from app.crm.dynamics import read, record, verify
from app.crm.events import Malformed
from app.crm.facts import with_facts
from app.crm.known_facts import KnownFacts
from app.engine.snapshot import Activity
from app.safe_json import UnsafeJson, read_json
from tests.crm.builders import NOON
from tests.crm.fakes.dynamics import PROCESS, FakeDynamics
from tests.crm.fakes.dynamics_steps import (
    KEY,
    ORGANIZATION,
    REP,
    body_of,
    context,
    date,
    dynamics_settings,
    entity,
    guid,
    trimmed,
)
from tests.crm.hostile import expect_only_refusals
from tests.crm.orders import at, expect_the_same_in_any_order

SETTINGS = dynamics_settings()
DEAL = guid(42)


def told(found: dict[str, Any], settings: Any = SETTINGS) -> list[tuple[Any, ...]]:
    events = read(body_of(found), settings).events
    return [(one.kind, one.name, one.value, one.previous if one.tells_previous else "-") for one in events]


@pytest.fixture
def crm() -> FakeDynamics:
    """Give an organisation with one deal."""
    one = FakeDynamics()
    one.make_deal(42, at=at(0), estimatedvalue=7.5)
    return one


def test_a_making_tells_every_column_by_its_code() -> None:
    made = FakeDynamics().make_deal(42, at=at(0), estimatedvalue=7.5, _processid_value=PROCESS)
    batch = read(body_of(made), SETTINGS)
    assert {one.object_id for one in batch.events} == {DEAL}
    assert told(made) == [
        ("created", None, None, "-"),
        ("changed", "estimatedvalue", "7.5", "-"),
        ("changed", "ownerid", REP, "-"),
        ("changed", "processid", PROCESS, "-"),
        ("changed", "salesstagecode", "0", "-"),
    ]


def test_an_update_tells_what_changed_and_with_an_image_what_was(crm: FakeDynamics) -> None:
    moved = crm.change(42, at=at(5), salesstagecode=2, estimatedvalue=9)
    assert told(moved) == [("changed", "salesstagecode", "2", "0"), ("changed", "estimatedvalue", "9", "7.5")]
    [stage, _] = read(body_of(moved), SETTINGS).events
    assert (stage.at, stage.by, stage.channel) == (at(5), REP, None)
    again = crm.change(42, at=at(6), pre=False, salesstagecode=0)
    assert told(again) == [("changed", "salesstagecode", "0", "-")]
    assert told(crm.change(42, at=at(7), name="x")) == []


def test_what_another_step_caused_says_how_deep_it_is_and_ours_is_by_us(crm: FakeDynamics) -> None:
    [event] = read(body_of(crm.change(42, at=at(5), depth=2, salesstagecode=2)), SETTINGS).events
    assert (event.channel, event.by) == ("depth:2", REP)


def test_an_operation_counts_when_the_record_says_that_it_was_changed(crm: FakeDynamics) -> None:
    moved = crm.change(42, at=at(5), salesstagecode=2)
    moved["OperationCreatedOn"] = date(at(4))
    assert {one.at for one in read(body_of(moved), SETTINGS).events} == {at(5)}
    moved["InputParameters"][0]["value"]["Attributes"].pop()
    moved["OperationCreatedOn"] = date(at(5).replace(microsecond=438_000))
    assert {one.at for one in read(body_of(moved), SETTINGS).events} == {at(5)}
    del moved["OperationCreatedOn"]
    with pytest.raises(Malformed, match="event_field_missing"):
        read(body_of(moved), SETTINGS)


def test_an_opportunity_is_closed_by_its_message_and_by_its_state_alike(crm: FakeDynamics) -> None:
    won = crm.close(42, at=at(5))
    assert told(won) == [("changed", "salesstagecode", "won", "-")]
    state = FakeDynamics()
    state.make_deal(42, at=at(0))
    changed = state.change(42, at=at(5), statecode=1, statuscode=3)
    assert told(changed) == [("changed", "salesstagecode", "won", "-")]  # its stage before is in no image
    assert {one.key for one in read(body_of(won), SETTINGS).events} == {
        one.key for one in read(body_of(changed), SETTINGS).events
    }
    assert told(crm.close(42, at=at(6), won=False)) == [("changed", "salesstagecode", "lost", "-")]
    moniker = {"key": "EntityMoniker", "value": {"Id": DEAL, "LogicalName": "opportunity"}}
    inputs = [moniker, {"key": "State", "value": {"Value": 2}}, {"key": "Status", "value": {"Value": 4}}]
    assert told(context("SetState", None, at=at(7), inputs=inputs)) == [("changed", "salesstagecode", "lost", "-")]


def test_one_that_is_opened_again_is_in_the_stage_of_its_image_else_read_back(crm: FakeDynamics) -> None:
    crm.close(42, at=at(5), won=False)
    opened = crm.change(42, at=at(6), statecode=0, statuscode=1)
    batch = read(body_of(opened), SETTINGS)
    assert (batch.events, batch.hints) == ((), (DEAL,))
    crm.close(42, at=at(7), won=False)
    opened = crm.change(42, at=at(8), statecode=0, salesstagecode=0)
    assert told(opened) == [("changed", "salesstagecode", "0", "lost")]


def test_a_context_that_is_too_large_is_a_hint(crm: FakeDynamics) -> None:
    batch = read(body_of(trimmed(crm.change(42, at=at(5), salesstagecode=2))), SETTINGS)
    assert (batch.events, batch.hints, batch.ignored) == ((), (DEAL,), 0)
    assert told(trimmed(crm.close(42, at=at(6)))) == [("changed", "salesstagecode", "won", "-")]


def test_many_images_are_joined_in_no_time_and_the_first_counts(crm: FakeDynamics) -> None:
    moved = crm.change(42, at=at(5), salesstagecode=2)
    images = [{"key": f"i{n}", "value": entity("opportunity", DEAL, {f"c{n}": n, "x": n})} for n in range(8000)]
    began = time.perf_counter()
    [event] = read(body_of({**moved, "PreEntityImages": [*moved["PreEntityImages"], *images]}), SETTINGS).events
    assert (event.value, event.previous, time.perf_counter() - began < 2) == ("2", "0", True)


def test_an_id_of_noughts_is_no_deal(crm: FakeDynamics) -> None:
    nobody = {"PrimaryEntityId": "00000000-0000-0000-0000-000000000000"}
    assert told({**crm.close(42, at=at(6)), **nobody}) == [("changed", "salesstagecode", "won", "-")]
    with pytest.raises(Malformed, match="event_field_missing"):
        read(body_of({**trimmed(crm.close(42, at=at(6))), **nobody}), SETTINGS)


def test_deletion_and_another_owner_are_told() -> None:
    reference = {"Id": DEAL, "LogicalName": "opportunity"}
    target = {"key": "Target", "value": reference}
    assert told(context("Delete", None, at=at(5), inputs=[target])) == [("deleted", None, None, "-")]
    assignee = {"key": "Assignee", "value": {"Id": REP.upper(), "LogicalName": "systemuser"}}
    assert told(context("Assign", None, at=at(5), inputs=[target, assignee])) == [("changed", "ownerid", REP, "-")]


def test_a_process_flow_tells_the_stage_of_its_opportunity(crm: FakeDynamics) -> None:
    settings = dynamics_settings(
        stage_property="activestageid",
        process_table="opportunitysalesprocess",
        pipelines={PROCESS: {"process": "sales", "stages": {guid(301): "demo_scheduled", guid(302): "demo_completed"}}},
    )
    crm.flow(42, guid(301), at=at(1))
    moved = crm.flow(42, guid(302), at=at(2))
    [event] = read(body_of(moved), settings).events
    assert (event.object_id, event.name, event.value, event.previous) == (DEAL, "activestageid", guid(302), guid(301))
    assert read(body_of(moved), SETTINGS).ignored == 1
    moved["PreEntityImages"] = []
    with pytest.raises(Malformed, match="dynamics_no_opportunity"):
        read(body_of(moved), settings)
    finished = crm.flow(42, guid(301), at=at(3))
    finished["InputParameters"][0]["value"]["Attributes"].append({"key": "statecode", "value": {"Value": 1}})
    assert [one.value for one in read(body_of(finished), settings).events] == [guid(301)]


def test_activities_are_facts_of_their_opportunity(crm: FakeDynamics) -> None:
    party = {"Attributes": [{"key": "partyid", "value": {"Id": guid(9), "LogicalName": "contact"}}]}
    logged = crm.log("appointment", 42, at=at(9), scheduledstart="2025-11-20T10:03:00Z")
    logged["InputParameters"][0]["value"]["Attributes"].append(
        {"key": "requiredattendees", "value": {"Entities": [party], "EntityName": "activityparty"}}
    )
    [fact] = read(body_of(logged), SETTINGS).facts
    assert (fact.object_id, fact.value) == (DEAL, {
        "id": fact.id, "activity": "demo", "at": at(3).isoformat(), "status": "done", "outcome": "held",
        "contacts": [guid(9)], "by": "rep-7",
    })  # fmt: skip
    planned = crm.log("task", 42, at=at(9), statecode=0, scheduledend="2026-12-01T17:00:00Z", actualend=None)
    [fact] = read(body_of(planned), SETTINGS).facts
    assert fact.value is not None
    assert (fact.value["status"], fact.value["at"]) == ("planned", "2026-12-01T17:00:00+00:00")
    [fact] = read(body_of(crm.log("phonecall", 42, at=at(9), directioncode=True)), SETTINGS).facts
    assert (fact.value or {})["direction"] == "outbound"
    [fact] = read(body_of(crm.log("task", 42, at=at(9), statecode=2)), SETTINGS).facts
    assert fact.value is None
    assert read(body_of(crm.log("task", 42, at=at(9), description="[stagerail:0123]")), SETTINGS).ignored == 1


def test_an_activity_that_came_in_part_is_read_back_and_one_that_left_is_gone() -> None:
    row = {"_regardingobjectid_value": DEAL}
    part = context("Update", entity("task", guid(5), {"subject": "x"}), at=at(9), table="task", pre=row)
    assert read(body_of(part), SETTINGS).hints == (DEAL,)
    unknown = context("Update", entity("task", guid(5), {"subject": "x"}), at=at(9), table="task")
    assert read(body_of(unknown), SETTINGS).ignored == 1
    left = context(
        "Update", entity("task", guid(5), {"_regardingobjectid_value": None}), at=at(9), table="task", pre=row
    )
    assert [(one.object_id, one.value) for one in read(body_of(left), SETTINGS).facts] == [(DEAL, None)]
    target = [{"key": "Target", "value": {"Id": guid(5), "LogicalName": "task"}}]
    gone = {
        **context("Delete", None, at=at(9), table="task", inputs=target),
        "PreEntityImages": part["PreEntityImages"],
    }
    assert [(one.id, one.value) for one in read(body_of(gone), SETTINGS).facts] == [(guid(5), None)]


def test_what_is_read_counts_more_than_a_change_that_was_told_without_every_column() -> None:
    settings = dynamics_settings(activities={"100": {"activity": "demo"}}, activity_type_property="new_type")
    row = {"_regardingobjectid_value": DEAL, "statecode": 0, "scheduledend": "2025-11-20T10:30:00Z"}
    ended = entity("phonecall", guid(5), {"statecode": 1, "actualend": "2025-11-20T10:09:00Z"})
    change = context("Update", ended, at=at(9), table="phonecall", pre=row)
    [told] = read(body_of(change), settings).facts
    assert told.value == {"id": guid(5), "activity": "phonecall", "at": at(9).isoformat(), "status": "done"}
    whole = told._replace(at=at(9), value={**(told.value or {}), "activity": "demo"})
    for order in ([told, whole], [whole, told]):
        [activity] = KnownFacts(with_facts({}, {}, order)).now(Activity)
        assert activity.activity == "demo"


def test_what_is_won_beside_opportunities_is_none_of_ours() -> None:
    quote = context("Win", None, at=at(5), table="quote", inputs=[{"key": "Status", "value": {"Value": 4}}])
    batch = read(body_of({**quote, "PrimaryEntityId": guid(6)}), SETTINGS)
    assert (batch.events, batch.hints, batch.ignored) == ((), (), 1)


def test_a_connection_names_a_contact_with_its_role() -> None:
    row = {"_record1id_value": DEAL, "_record2id_value": guid(9), "_record2roleid_value": guid(8)}
    made = context("Create", entity("connection", guid(7), row), at=at(9), table="connection")
    made["InputParameters"][0]["value"]["Attributes"][2]["value"]["Name"] = "Decision maker"
    [fact] = read(body_of(made), SETTINGS).facts
    assert (fact.object_id, fact.group, fact.id, fact.value) == (
        DEAL, "contact", guid(7), {"id": guid(9), "role": "champion"}
    )  # fmt: skip
    by_id = dynamics_settings(contact_roles={guid(8).upper(): "champion"})
    assert read(body_of(made), by_id).facts == (fact,)
    assert read(body_of({**made, "MessageName": "Update"}), SETTINGS).hints == (DEAL,)


def test_another_organisation_s_step_is_refused(crm: FakeDynamics) -> None:
    moved = crm.change(42, at=at(5), salesstagecode=2)
    named = dynamics_settings(organization_id=None, organization_name="OrgName")
    assert read(body_of(moved), named).events
    assert read(body_of({**moved, "OrganizationId": "{" + ORGANIZATION.upper() + "}"}), SETTINGS).events
    for wrong in ({"OrganizationId": guid(1)}, {"OrganizationId": None}):
        with pytest.raises(Malformed, match="event_of_another_account"):
            read(body_of({**moved, **wrong}), SETTINGS)
    with pytest.raises(Malformed, match="event_of_another_account"):
        read(body_of({**moved, "OrganizationName": "Other"}), named)


def test_settings_that_cannot_work_are_refused() -> None:
    for wrong in ({"organization_id": None}, {"stage_property": "activestageid"}, {"stage_property": "a) or (b"}):
        with pytest.raises(ValidationError):
            dynamics_settings(**wrong)


def test_only_who_has_the_key_is_let_in() -> None:
    def accepts(query: str, headers: dict[str, str] | None = None) -> bool:
        uri = f"https://gate.example.com/webhooks/d{query}"
        return verify([KEY, "older"], method="POST", uri=uri, headers=headers or {}, body=b"{}", now=NOON)

    assert accepts("?code=the%20key%20of%20the%20step")
    assert accepts("?key=older")
    assert accepts("", {"x-stagerail-key": KEY})
    wrong: list[tuple[str, dict[str, str]]] = [
        ("", {}), ("?code=x", {}), ("?other=older", {}), ("", {"x-stagerail-key": ""}), ("?code=\udcff", {}),
    ]  # fmt: skip
    assert [accepts(*one) for one in wrong] == [False] * len(wrong)


def test_a_record_is_so_now_by_its_codes(crm: FakeDynamics) -> None:
    row = {**crm.deals[DEAL], "salesstagecode@OData.Community.Display.V1.FormattedValue": "Proponer"}
    assert [(one.kind, one.name, one.value, one.at) for one in record(row, SETTINGS, NOON)] == [
        ("seen", "estimatedvalue", "7.5", NOON),
        ("seen", "ownerid", REP, NOON),
        ("seen", "processid", None, NOON),
        ("seen", "salesstagecode", "0", NOON),
    ]
    [event] = record({"opportunityid": DEAL, "statecode": 1, "changed_by": REP}, SETTINGS, NOON)
    assert (event.value, event.by) == ("won", REP)
    for wrong in (7, {}, {"opportunityid": "x"}):
        with pytest.raises(Malformed):
            record(wrong, SETTINGS, NOON)
    with pytest.raises(Malformed, match="event_field_missing"):
        read(body_of(row), SETTINGS)


def _history(chance: random.Random) -> list[bytes]:
    """A deal's making and four more things, with images or without."""
    crm = FakeDynamics()
    told = [crm.make_deal(42, at=at(0), estimatedvalue=chance.randrange(3))]
    minute = 0.0
    while len(told) < 5:
        minute += chance.choice((0.5, 1, 90))
        kind = chance.random()
        if kind < 0.2:
            told.append(crm.log("appointment", 42, at=at(minute)))
        elif kind < 0.4:
            told.append(crm.close(42, at=at(minute), won=chance.random() < 0.5))
        else:
            fields: dict[str, Any] = {
                "statecode": 0,
                "salesstagecode": chance.choice((0, 2, 9)),
                "estimatedvalue": chance.randrange(3),
            }
            told.append(crm.change(42, at=at(minute), pre=chance.random() < 0.5, **fields))
    return [body_of(one) for one in told]


def test_any_order_and_any_copies_end_in_the_same_deal() -> None:
    expect_the_same_in_any_order(SETTINGS, _history, DEAL, read)


def _recorded(body: bytes, settings: Any) -> Any:
    try:
        return record(read_json(body), settings, NOON)
    except UnsafeJson as error:
        raise Malformed(error.code) from error


def test_hostile_steps_are_refused_and_nothing_else(crm: FakeDynamics) -> None:
    good = [
        crm.change(42, at=at(5), salesstagecode=2, estimatedvalue=9), crm.close(42, at=at(6)),
        crm.log("appointment", 42, at=at(7)), crm.flow(42, guid(301), at=at(8)),
    ]  # fmt: skip
    flow = dynamics_settings(stage_property="activestageid", process_table="opportunitysalesprocess")
    for settings in (SETTINGS, flow):
        expect_only_refusals(read, settings, good)
    expect_only_refusals(_recorded, SETTINGS, [crm.deals[DEAL]])
