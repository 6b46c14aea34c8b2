"""A connection's settings: what they may say, and where a stage of the CRM is looked up."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.crm.connection import Place, place_of
from app.crm.dynamics import DynamicsSettings
from app.crm.hubspot import HubspotSettings
from app.crm.salesforce import SalesforceSettings
from tests.crm.builders import hubspot_settings, settings_json


def _refused(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refusal:
        HubspotSettings.model_validate(settings_json(**changes))
    return [(".".join(map(str, error["loc"])), error["type"]) for error in refusal.value.errors()]


def test_what_is_wrong_is_told_with_its_place() -> None:
    stages = {"process": "sales", "stages": {"a": "Won"}}
    assert _refused(pipelines={"default": stages}) == [("pipelines.default.stages.a", "string_pattern_mismatch")]
    assert _refused(pipelines={}) == [("pipelines", "too_short")]
    assert _refused(portal_id="abc") == [("portal_id", "int_type")]
    assert _refused(portal_id=0) == [("portal_id", "greater_than_equal")]
    assert _refused(stages={}) == [("stages", "extra_forbidden")]
    assert _refused(fields={"amount": {"field": "amount", "type": "x"}}) == [("fields.amount.type", "literal_error")]
    assert _refused(fields={"dealstage": {"field": "amount"}}) == [("", "stage_as_field")]
    assert _refused(fields={"a": {"field": "x"}, "b": {"field": "x"}}) == [("", "field_mapped_twice")]
    choices = {"field": "x", "type": "text", "choices": {"a": "b"}}
    assert _refused(fields={"a": choices}) == [("fields.a", "choices_without_choice")]
    assert _refused(people={"1": {"roles": ["rep"]}}) == [("people.1.id", "missing")]


def test_how_long_it_waits_may_be_in_seconds_and_one_remedy_needs_no_list() -> None:
    settings = hubspot_settings(settle="60s", grace="4h", remedy="note")
    assert (settings.settle, settings.grace, settings.remedy) == ("60s", "4h", ["note"])
    assert hubspot_settings(remedy=["revert", "task"]).remedy == ["revert", "task"]
    assert _refused(settle="1 minute") == [("settle", "string_pattern_mismatch")]
    assert _refused(grace="9999999w") == [("grace", "duration_too_long")]
    for often in ("0s", "0m", "59s"):  # it would never end
        assert _refused(reconcile=often) == [("reconcile", "pause_too_short")]
    assert hubspot_settings(reconcile="60s").reconcile == "60s"
    assert _refused(remedy=["undo"]) == [("remedy.0", "literal_error")]


def test_the_portal_is_the_same_as_a_number_and_as_text() -> None:
    assert hubspot_settings(portal_id="5799819") == hubspot_settings(portal_id=5799819)


TWO = {
    "p1": {"process": "sales", "stages": {"s1": "new", "same": "new"}},
    "p2": {"process": "renewals", "version": 4, "stages": {"s2": "due", "same": "due"}},
}


@pytest.mark.parametrize(
    ("pipeline", "stage", "expected"),
    [
        ("p1", "same", Place("sales", None, "new")),
        ("p2", "same", Place("renewals", 4, "due")),
        (None, "s1", Place("sales", None, "new")),
        (None, "s2", Place("renewals", 4, "due")),
        (None, "same", None),
        (None, "nowhere", None),
        ("p1", "nowhere", Place("sales", None, None)),
        ("p9", "s1", Place("sales", None, "new")),
        ("p9", "same", None),
    ],
)
def test_a_stage_is_looked_up_in_its_pipeline_then_in_all(pipeline: str | None, stage: str, expected: Any) -> None:
    assert place_of(hubspot_settings(pipelines=TWO), pipeline, stage) == expected


def test_with_one_pipeline_an_unknown_stage_is_still_of_its_process() -> None:
    assert place_of(hubspot_settings(), None, "nowhere") == Place("sales", None, None)


GUID = "75c2dd85-e89e-e711-8122-000d3aa2331c"


def test_ids_may_be_written_in_any_of_their_forms() -> None:
    stages = {"process": "sales", "stages": {GUID.upper(): "won"}}
    dynamics = {"crm": "dynamics", "organization_name": "o", "pipelines": {f"{{{GUID.upper()}}}": stages}}
    [(pipeline, found)] = DynamicsSettings.model_validate(dynamics).pipelines.items()
    assert (pipeline, found.stages) == (GUID, {GUID: "won"})
    salesforce = {**SALESFORCE, "pipelines": {"012000000000001": {"process": "sales", "stages": {"Won": "won"}}}}
    assert list(SalesforceSettings.model_validate(salesforce).pipelines) == ["012000000000001AAA"]


def test_the_name_of_a_client_is_not_taken_for_an_id() -> None:
    """`StagerailClient` has as many letters as a short id."""
    said = [SalesforceSettings.model_validate({**SALESFORCE, "acts_as": one}).acts_as for one in ACTING]
    assert said == ["StagerailClient", "005000000000001AAA"]


@pytest.mark.parametrize("name", ["pipelines", "people"])
def test_one_id_in_two_forms_is_refused(name: str) -> None:
    one: dict[str, Any] = {"process": "sales", "stages": {"a": "won"}} if name == "pipelines" else {"id": "ana"}
    twice = {**SALESFORCE, name: {"005000000000001": one, "005000000000001AAA": one}}
    with pytest.raises(ValidationError) as refusal:
        SalesforceSettings.model_validate(twice)
    assert [(error["loc"], error["type"]) for error in refusal.value.errors()] == [((name,), "named_twice")]


SALESFORCE: dict[str, Any] = {
    "crm": "salesforce",
    "organization_id": "00D000000000062EAA",
    "pipelines": {"all": {"process": "sales", "stages": {"Won": "won"}}},
}
ACTING = ("StagerailClient", "005000000000001")
