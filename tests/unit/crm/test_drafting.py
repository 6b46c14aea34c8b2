"""From a CRM's configuration to a mapping: what is called alike is filled in, everything else is listed."""

from typing import Any

import pytest

from app.crm.connection import MOST_MAPPED, FieldType
from app.crm.drafting import Configuration, CrmField, CrmPerson, CrmPipeline, CrmStage, Draft, drafted
from app.crm.hubspot import configuration
from app.engine import load_process

PROCESS = load_process(b"""
process: sales
roles: [rep]
contacts: [champion, {key: economic_buyer, name: {en: Economic buyer, it: Decisore}}]
activities: [{key: call}, {key: demo}]
fields:
  - {key: amount, type: number}
  - {key: plan, type: choice, choices: [basic, pro]}
stages: [{key: new}, {key: demo, name: Demo scheduled}, {key: won, kind: won}, {key: lost, kind: lost}]
path: [new, demo, won]
""")
STAGES = (CrmStage("1", "New"), CrmStage("2", "Demo scheduled"), CrmStage("3", "Haggling"), CrmStage("w", "Yes", "won"))
PIPELINE = CrmPipeline("p", "Sales", STAGES)


def draft(
    base: dict[str, Any] | None = None, *, pipelines: tuple[CrmPipeline, ...] = (PIPELINE,), **more: Any
) -> Draft:
    return drafted("hubspot", Configuration(pipelines, **more), PROCESS, base)


def left(found: Draft) -> list[str]:
    return [f"{one['place']}: {one['label']}" for one in found.left]


def test_everything_that_is_not_mapped_is_listed() -> None:
    plan = CrmField("plan", "Plan", "choice", (("B", "Basic"), ("X", "Gold")))
    roles, types = (("Decisore", "Decisore"), ("Other", "Other")), (("7", "Demo"), ("8", "Lunch"))
    found = draft(fields=(plan,), contact_roles=roles, activity_types=types)
    assert found.settings == {
        "crm": "hubspot",
        "pipelines": {"p": {"process": "sales", "stages": {"1": "new", "2": "demo", "w": "won"}}},
        "fields": {"plan": {"field": "plan", "type": "choice", "choices": {"B": "basic"}}},
        "people": {},
        "contact_roles": {"Decisore": "economic_buyer"},
        "activities": {"7": {"activity": "demo"}},
    }
    assert left(found) == [
        "pipelines.p.stages.3: Haggling",
        "fields.plan.choices.X: Gold",
        "fields: amount",
        "activities.8: Lunch",
        "activities: call",
        "contact_roles: champion",
    ]


@pytest.mark.parametrize(
    ("theirs", "fits"), [("number", True), ("text", True), ("date", False), ("boolean", False), ("choice", False)]
)
def test_a_field_of_another_type_is_not_the_same_though_it_is_called_so(theirs: FieldType, *, fits: bool) -> None:
    found = draft(fields=(CrmField("amount", "Amount", theirs), CrmField("x", "amount", "date")))
    assert ("amount" in found.settings["fields"], "fields: amount" in left(found)) == (fits, not fits)


def test_two_people_of_one_name_are_two_and_one_person_is_one_under_every_id() -> None:
    people = (CrmPerson(("1", "u1"), "Ana Rossi"), CrmPerson(("2",), "Ana Rossi"), CrmPerson(("3",), "Анна"))
    found = draft(people=people).settings["people"]
    assert {key: one["id"] for key, one in found.items()} == {
        "1": "ana-rossi",
        "u1": "ana-rossi",
        "2": "ana-rossi-2",
        "3": "3",
    }


def test_more_people_than_a_mapping_holds_are_listed() -> None:
    found = draft(people=tuple(CrmPerson((str(one),), f"P {one}") for one in range(MOST_MAPPED + 1)))
    assert (len(found.settings["people"]), left(found)[-1]) == (MOST_MAPPED, f"people: P {MOST_MAPPED}")


def test_a_mapping_that_there_is_stands_and_is_added_to() -> None:
    base: dict[str, Any] = {
        "crm": "hubspot",
        "portal_id": 7,
        "grace": "1h",
        "pipelines": {
            "p": {"process": "sales", "version": 1, "stages": {"1": "demo", "w": "won"}},
            "q": {"process": "renewals", "stages": {"a": "due"}},
        },
        "fields": {"money": {"field": "amount", "type": "number"}},
        "people": {"1": {"id": "ana", "roles": ["rep"]}},
        "activities": {"calls": {"activity": "call"}},
    }
    theirs = (PIPELINE, CrmPipeline("q", "Renewals", (CrmStage("a", "Due"), CrmStage("b", "New"))))
    people = (CrmPerson(("1", "u1"), "Ana Rossi"), CrmPerson(("2",), "Ana"))
    found = draft(
        base, pipelines=theirs, people=people, fields=(CrmField("amount", "Amount", "number"),), own={"portal_id": 9}
    )
    assert found.settings == {
        **base,
        "pipelines": {
            "p": {"process": "sales", "version": 1, "stages": {"1": "demo", "2": "demo", "w": "won"}},
            "q": {"process": "renewals", "stages": {"a": "due"}},
        },
        "people": {"1": base["people"]["1"], "u1": base["people"]["1"], "2": {"id": "ana-2"}},
    }
    assert left(found) == [
        "pipelines.p.stages.3: Haggling",
        "pipelines.q.stages.b: New",
        "fields: plan",
        "activities: demo",
        "contact_roles: champion",
        "contact_roles: economic_buyer",
    ]


def test_the_one_pipeline_of_a_crm_without_any_is_the_one_that_is_mapped() -> None:
    base = {"pipelines": {"all of them": {"process": "sales", "stages": {"1": "new"}}}}
    found = draft(base)
    assert list(found.settings["pipelines"]) == ["all of them"]
    assert left(found)[0] == "pipelines.all of them.stages.3: Haggling"


def test_the_owner_of_hubspot_has_two_ids_and_its_labels_are_roles() -> None:
    owners = [{"id": "9", "userId": 1, "firstName": "Ana", "lastName": "Rossi"}, {"email": "x@example.com"}]
    labels = [{"typeId": 3, "label": None}, {"typeId": 1, "label": "Champion"}]
    found = configuration({"pipelines": [], "owners": owners, "labels": labels})
    assert found.people == (CrmPerson(("9", "1"), "Ana Rossi"),)
    assert found.contact_roles == (("Champion", "Champion"),)


def test_a_pipeline_that_took_the_place_of_the_mapped_one_is_another() -> None:
    gone = {"gone": {"process": "sales", "stages": {"91": "new"}}}
    found = draft({"pipelines": gone})
    assert found.settings["pipelines"] == {
        **gone, "p": {"process": "sales", "stages": {"1": "new", "2": "demo", "w": "won"}}
    }  # fmt: skip
    assert "pipelines.p.stages.3: Haggling" in left(found)
