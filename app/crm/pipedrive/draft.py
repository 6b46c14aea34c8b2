"""Pipedrive's configuration, and a deal as its API writes it."""

from datetime import datetime
from typing import Any

from app.crm.connection import FieldType
from app.crm.drafting import Configuration, CrmField, CrmPerson, CrmPipeline, CrmStage
from app.crm.events import Event
from app.crm.pipedrive.settings import LOST, WON, PipedriveSettings
from app.crm.pipedrive.words import Deal, flat, number_of
from app.crm.reading import id_or_none, object_of, objects_in, part_of

_TYPES: dict[str, FieldType] = {
    "double": "number", "int": "number", "monetary": "number", "date": "date", "enum": "choice", "set": "choice",
    "boolean": "boolean",
}  # fmt: skip
_CLOSED = (CrmStage(WON, "Won", "won"), CrmStage(LOST, "Lost", "lost"))


def configuration(found: dict[str, Any]) -> Configuration:
    """Pipelines with their stages, and the two ways to close; fields; users; the company; types of activities."""
    stages = objects_in(found.get("stages"))
    pipelines = []
    for one in objects_in(found.get("pipelines")):
        own = [stage for stage in stages if str(stage.get("pipeline_id")) == str(one.get("id"))]
        own.sort(key=_place)
        listed = tuple(CrmStage(str(stage.get("id")), str(stage.get("name"))) for stage in own)
        pipelines.append(CrmPipeline(str(one.get("id")), str(one.get("name")), (*listed, *_CLOSED)))
    fields = tuple(_field(one) for one in objects_in(found.get("fields")))
    people = tuple(CrmPerson((str(one.get("id")),), str(one.get("name"))) for one in objects_in(found.get("users")))
    me = found.get("me")
    company = id_or_none(me.get("company_id")) if isinstance(me, dict) else None
    account = {"company_id": company} if company else {}
    kinds = [one for one in objects_in(found.get("activity_types")) if one.get("active_flag") is not False]
    types = tuple((str(one.get("key_string")), str(one.get("name"))) for one in kinds)
    return Configuration(tuple(pipelines), fields, people, account, activity_types=types)


def _place(stage: dict[str, Any]) -> int:
    place = stage.get("order_nr")
    return place if isinstance(place, int) else 0


def _field(one: dict[str, Any]) -> CrmField:
    options = tuple((str(option.get("id")), str(option.get("label"))) for option in objects_in(one.get("options")))
    kind = _TYPES.get(str(one.get("field_type")), "text")
    return CrmField(str(one.get("key")), str(one.get("name")), kind, options)


def record(found: Any, settings: PipedriveSettings, now: datetime) -> tuple[Event, ...]:
    """A deal as the API gives it, or under `data` as its answers wrap it. It is so now: whoever asks before saving
    sends it as it is about to be, with the times of before. `changed_by` beside it, which is ours, may say who asks.
    """
    whole = object_of(found)
    data = flat(part_of(whole, "data") or whole)
    by = id_or_none(whole.get("changed_by"))
    return tuple(Deal(settings, number_of(data.get("id"), "id"), by).values(data, now, "seen"))
