"""What a Salesforce organisation is made of, in the words that a mapping is drafted from."""

from collections.abc import Mapping
from typing import Any, Literal

from app.crm.connection import FieldType
from app.crm.drafting import Configuration, CrmField, CrmPerson, CrmPipeline, CrmStage
from app.crm.salesforce.ids import id_in

MASTER = "master"
"""Stands for the one pipeline of an organisation without record types."""
_TYPES: dict[str, FieldType] = {
    "double": "number", "currency": "number", "percent": "number", "int": "number", "long": "number",
    "boolean": "boolean", "date": "date", "datetime": "date", "picklist": "choice",
}  # fmt: skip


def configuration(found: dict[str, Any]) -> Configuration:
    """A pipeline for each record type, with its stages in order; fields; users; the organisation."""
    stages = [_stage(one) for one in _things(found.get("stages"))]
    picked = found.get("picked") if isinstance(found.get("picked"), dict) else {}
    pipelines = []
    for one in _things(found.get("record_types")) or [{"Id": MASTER, "Name": "Opportunity"}]:
        own = picked.get(str(one.get("Id"))) if isinstance(picked, dict) else None
        kept = tuple(stage for stage in stages if not isinstance(own, list) or stage.id in own)
        pipelines.append(CrmPipeline(str(one.get("Id")), str(one.get("Name")), kept))
    fields = tuple(_field(one) for one in _things(found.get("fields")) if one.get("name") != "StageName")
    people = tuple(CrmPerson((str(one.get("Id")),), str(one.get("Name"))) for one in _things(found.get("users")))
    organization = found.get("organization")
    own_id = id_in(organization.get("Id")) if isinstance(organization, dict) else None
    return Configuration(tuple(pipelines), fields, people, {"organization_id": own_id} if own_id else {})


def _stage(one: Mapping[str, Any]) -> CrmStage:
    closed: Literal["won", "lost"] | None = None
    if one.get("IsClosed") is True:
        closed = "won" if one.get("IsWon") is True else "lost"
    name = one.get("ApiName") or one.get("MasterLabel")
    return CrmStage(str(name), str(one.get("MasterLabel") or name), closed)


def _field(one: Mapping[str, Any]) -> CrmField:
    values = [each for each in _things(one.get("picklistValues")) if each.get("active") is not False]
    choices = tuple((str(each.get("value")), str(each.get("label"))) for each in values)
    return CrmField(str(one.get("name")), str(one.get("label")), _TYPES.get(str(one.get("type")), "text"), choices)


def _things(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
