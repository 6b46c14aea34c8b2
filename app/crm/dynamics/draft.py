"""What a Dynamics organisation is made of, in the words that a mapping is drafted from."""

from collections.abc import Mapping
from typing import Any

from app.crm.connection import FieldType
from app.crm.drafting import Configuration, CrmField, CrmPerson, CrmPipeline, CrmStage
from app.crm.dynamics.settings import IN_PROCESS_FLOW, LOST, WON
from app.crm.dynamics.values import guid_of

ALL = "all"
"""Stands for the one pipeline of codes: they are the same for every opportunity."""
_TYPES: dict[str, FieldType] = {
    "Money": "number", "Decimal": "number", "Double": "number", "Integer": "number", "BigInt": "number",
    "Boolean": "boolean", "DateTime": "date", "Picklist": "choice",
}  # fmt: skip
_CLOSED = (CrmStage(WON, "Won", "won"), CrmStage(LOST, "Lost", "lost"))
_NAMED = "_processid_value@OData.Community.Display.V1.FormattedValue"


def configuration(found: dict[str, Any]) -> Configuration:
    """The codes of the stage's column as one pipeline, or one for each process flow; columns; users; the account."""
    name = str(found.get("stage_property") or "salesstagecode")
    options = {str(one.get("LogicalName")): _options(one) for one in _things(found.get("picklists"))}
    if name == IN_PROCESS_FLOW:
        pipelines = _flows(_things(found.get("process_stages")))
    else:
        stages = tuple(CrmStage(value, label) for value, label in options.get(name, ()))
        pipelines = (CrmPipeline(ALL, "Opportunity", (*stages, *_CLOSED)),)
    fields = tuple(
        CrmField(logical, _label(one) or logical, _TYPES.get(str(one.get("AttributeType")), "text"),
                 options.get(logical, ()))
        for one in _things(found.get("attributes")) if (logical := str(one.get("LogicalName"))) != name
    )  # fmt: skip
    people = tuple(
        CrmPerson((str(one.get("systemuserid")),), str(one.get("fullname"))) for one in _things(found.get("users"))
    )
    me = found.get("me")
    organization = guid_of(me.get("OrganizationId")) if isinstance(me, dict) else None
    own = {"organization_id": organization} if organization else {}
    return Configuration(pipelines, fields, people, own)


def _flows(stages: list[dict[str, Any]]) -> tuple[CrmPipeline, ...]:
    """Stages of one category follow those of the one before it."""
    by_process: dict[str, list[dict[str, Any]]] = {}
    for one in stages:
        by_process.setdefault(str(one.get("_processid_value")), []).append(one)
    return tuple(_flow(process, sorted(own, key=_category)) for process, own in by_process.items())


def _flow(process: str, stages: list[dict[str, Any]]) -> CrmPipeline:
    listed = (CrmStage(str(one.get("processstageid")), str(one.get("stagename"))) for one in stages)
    return CrmPipeline(process, str(stages[0].get(_NAMED) or process), (*listed, *_CLOSED))


def _category(one: Mapping[str, Any]) -> int:
    found = one.get("stagecategory")
    return found if isinstance(found, int) else 0


def _options(one: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = one.get("OptionSet")
    listed = _things(found.get("Options")) if isinstance(found, dict) else []
    return tuple((str(each.get("Value")), _label(each, "Label") or str(each.get("Value"))) for each in listed)


def _label(one: Mapping[str, Any], name: str = "DisplayName") -> str | None:
    """A label in the language of whoever asks."""
    found = one.get(name)
    own = found.get("UserLocalizedLabel") if isinstance(found, dict) else None
    text = own.get("Label") if isinstance(own, dict) else None
    return text if isinstance(text, str) and text else None


def _things(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
