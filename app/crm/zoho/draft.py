"""Zoho's configuration, and a deal as its API writes it."""

from datetime import datetime
from typing import Any, Literal

from app.crm.connection import FieldType
from app.crm.drafting import Configuration, CrmField, CrmPerson, CrmPipeline, CrmStage
from app.crm.events import Event
from app.crm.reading import id_of, object_of, objects_in
from app.crm.zoho.events import changes
from app.crm.zoho.settings import ZohoSettings

_TYPES: dict[str, FieldType] = {
    "currency": "number", "integer": "number", "double": "number", "bigint": "number", "date": "date",
    "datetime": "date", "picklist": "choice", "boolean": "boolean",
}  # fmt: skip
_CLOSED: dict[str, Literal["won", "lost"]] = {"closed_won": "won", "closed_lost": "lost"}


def configuration(found: dict[str, Any]) -> Configuration:
    """Pipelines with their stages, by name as Zoho tells them; fields; users. A Blueprint's transitions serve too."""
    pipelines = [_pipeline(one) for one in objects_in(found.get("pipelines"))]
    blueprint = found.get("blueprint")
    if not pipelines and isinstance(blueprint, dict):
        pipelines = [_blueprint(blueprint)]
    if not pipelines:
        pipelines = [_stages(one) for one in objects_in(found.get("fields")) if _is_stage(one)]
    fields = tuple(_field(one) for one in objects_in(found.get("fields")))
    people = tuple(
        CrmPerson((str(one.get("id")),), str(one.get("full_name"))) for one in objects_in(found.get("users"))
    )
    return Configuration(tuple(pipelines), fields, people)


def _pipeline(one: dict[str, Any]) -> CrmPipeline:
    stages = []
    for stage in objects_in(one.get("maps")):
        name = str(stage.get("actual_value") or stage.get("display_value"))
        stages.append(CrmStage(name, str(stage.get("display_value")), _CLOSED.get(str(stage.get("forecast_type")))))
    name = str(one.get("actual_value") or one.get("display_value"))
    return CrmPipeline(name, str(one.get("display_value")), tuple(stages))


def _blueprint(blueprint: dict[str, Any]) -> CrmPipeline:
    info = blueprint.get("process_info")
    info = info if isinstance(info, dict) else {}
    names = [
        info.get("field_value"),
        *(one.get("next_field_value") for one in objects_in(blueprint.get("transitions"))),
    ]
    stages = tuple(CrmStage(str(name), str(name)) for name in dict.fromkeys(str(one) for one in names if one))
    return CrmPipeline(str(info.get("name")), str(info.get("name")), stages)


def _is_stage(field: dict[str, Any]) -> bool:
    return field.get("api_name") == "Stage" and bool(objects_in(field.get("pick_list_values")))


def _stages(field: dict[str, Any]) -> CrmPipeline:
    """The stages of an organisation without pipelines, as the field's own choices."""
    return _pipeline({"display_value": "Standard", "maps": field["pick_list_values"]})


def _field(one: dict[str, Any]) -> CrmField:
    options = objects_in(one.get("pick_list_values"))
    choices = tuple((str(option.get("actual_value")), str(option.get("display_value"))) for option in options)
    kind = _TYPES.get(str(one.get("data_type")), "text")
    return CrmField(str(one.get("api_name")), str(one.get("field_label")), kind, choices)


def record(found: Any, settings: ZohoSettings, now: datetime) -> tuple[Event, ...]:
    """A deal as the API gives it, alone or in `data`. It is so now: whoever asks before saving sends it as it is about
    to be, with the times of before.
    """
    whole = object_of(found)
    listed = whole.get("data")
    data = object_of(listed[0]) if isinstance(listed, list) and listed else whole
    return tuple(changes(settings, id_of(data.get("id"), "id"), data, now, "seen"))
