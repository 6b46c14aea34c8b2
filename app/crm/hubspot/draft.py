"""What a HubSpot account is made of, in the words that a mapping is drafted from."""

from collections.abc import Mapping
from typing import Any, Literal

from app.crm.connection import FieldType
from app.crm.drafting import Configuration, CrmField, CrmPerson, CrmPipeline, CrmStage
from app.crm.hubspot.words import id_of

_TYPES: dict[str, FieldType] = {
    "number": "number",
    "bool": "boolean",
    "date": "date",
    "datetime": "date",
    "enumeration": "choice",
}


def configuration(found: dict[str, Any]) -> Configuration:
    """Pipelines, stages in order; properties; owners, each under both ids; the account; labels; types of activities."""
    pipelines = tuple(_pipeline(one) for one in _things(found, "pipelines"))
    fields = tuple(_field(one) for one in _things(found, "properties"))
    people = tuple(person for one in _things(found, "owners") if (person := _person(one)).ids)
    portal = found.get("portal_id")
    roles = tuple((label, label) for one in _things(found, "labels") if isinstance(label := one.get("label"), str))
    types = tuple((str(one.get("value")), str(one.get("label"))) for one in _things(found, "activity_types"))
    return Configuration(pipelines, fields, people, {"portal_id": portal} if id_of(portal) else {}, roles, types)


def closed(stage: Mapping[str, Any]) -> Literal["won", "lost"] | None:
    """How a stage ends a deal, if it does: HubSpot writes both its probability and whether it closes as text."""
    about = stage.get("metadata")
    metadata = about if isinstance(about, dict) else {}
    if str(metadata.get("isClosed")).lower() != "true":
        return None
    return "won" if str(metadata.get("probability")) in ("1", "1.0") else "lost"


def _pipeline(one: Mapping[str, Any]) -> CrmPipeline:
    stages = sorted(_things(one, "stages"), key=lambda stage: _order(stage.get("displayOrder")))
    listed = tuple(CrmStage(str(stage.get("id")), str(stage.get("label")), closed(stage)) for stage in stages)
    return CrmPipeline(str(one.get("id")), str(one.get("label")), listed)


def _field(one: Mapping[str, Any]) -> CrmField:
    options = tuple((str(each.get("value")), str(each.get("label"))) for each in _things(one, "options"))
    return CrmField(str(one.get("name")), str(one.get("label")), _TYPES.get(str(one.get("type")), "text"), options)


def _person(one: Mapping[str, Any]) -> CrmPerson:
    named = " ".join(str(one[name]) for name in ("firstName", "lastName") if one.get(name))
    ids = [found for found in (id_of(one.get("id")), id_of(one.get("userId"))) if found is not None]
    return CrmPerson(tuple(dict.fromkeys(ids)), named or str(one.get("email") or next(iter(ids), "")))


def _order(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _things(of: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = of.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
