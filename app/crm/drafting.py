"""From a CRM's own configuration to a connection's mapping: what can be told is filled in, the rest is listed."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from app.crm.connection import FieldType
from app.engine import Process

_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")


class CrmStage(NamedTuple):
    """A stage as the CRM has it; `closed` where it ends a deal."""

    id: str
    label: str
    closed: Literal["won", "lost"] | None = None


class CrmPipeline(NamedTuple):
    """A pipeline and its stages, in order."""

    id: str
    label: str
    stages: tuple[CrmStage, ...]


class CrmField(NamedTuple):
    """A property of deals; `choices` are its options, id and label."""

    id: str
    label: str
    type: FieldType = "text"
    choices: tuple[tuple[str, str], ...] = ()


class Configuration(NamedTuple):
    """What a CRM account is made of. `own` are settings of this CRM that its configuration tells."""

    pipelines: tuple[CrmPipeline, ...]
    fields: tuple[CrmField, ...] = ()
    people: tuple[tuple[str, str], ...] = ()
    own: dict[str, Any] = {}  # noqa: RUF012 - never changed


class Draft(NamedTuple):
    """Settings to complete, and what nobody could guess: each with where it stands and what the CRM calls it."""

    settings: dict[str, Any]
    left: list[dict[str, str]]


def drafted(crm: str, configuration: Configuration, process: Process) -> Draft:
    """Map by equal names only: a wrong guess would judge deals wrongly, and an open one is filled in at a glance."""
    left: list[dict[str, str]] = []
    pipelines: dict[str, Any] = {}
    for pipeline in configuration.pipelines:
        stages = {stage.id: _stage(stage, process) for stage in pipeline.stages}
        mapped = {key: stage for key, stage in stages.items() if stage is not None}
        if mapped:
            pipelines[pipeline.id] = {"process": process.process, "stages": mapped}
        open_ones = [stage for stage in pipeline.stages if stages[stage.id] is None]
        left += [{"place": f"pipelines.{pipeline.id}.stages.{one.id}", "label": one.label} for one in open_ones]
    fields = dict(_fields(configuration, process))
    settings = {
        "crm": crm,
        **configuration.own,
        "pipelines": pipelines,
        "fields": fields,
        "people": {key: {"id": _slug(label) or key} for key, label in configuration.people},
    }
    known = {mapping["field"] for mapping in fields.values()}
    left += [{"place": "fields", "label": field.key} for field in process.fields if field.key not in known]
    left += [{"place": "activities", "label": activity.key} for activity in process.activities]
    return Draft(settings, left)


def _stage(stage: CrmStage, process: Process) -> str | None:
    """The stage of the same name; where the CRM closes a deal, the only one of that kind."""
    named = [one.key for one in process.stages if _slug(stage.label) in _names(one.key, one.name)]
    if named:
        return named[0]
    closing = [one.key for one in process.stages if one.kind == stage.closed]
    return closing[0] if len(closing) == 1 else None


def _fields(configuration: Configuration, process: Process) -> Iterator[tuple[str, dict[str, Any]]]:
    free = list(configuration.fields)
    for field in process.fields:
        names = _names(field.key, field.name)
        found = next((one for one in free if _slug(one.label) in names or _slug(one.id) in names), None)
        if found is None:
            continue
        free.remove(found)
        mapping: dict[str, Any] = {"field": field.key, "type": field.type}
        if field.type == "choice":
            mapping["choices"] = dict(_choices(found, [(one.key, one.name) for one in field.choices]))
        yield found.id, mapping


def _choices(found: CrmField, known: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    keys = list(known)
    for choice_id, label in found.choices:
        key = next((key for key, name in keys if {_slug(label), _slug(choice_id)} & _names(key, name)), None)
        if key is not None:
            yield choice_id, key


def _names(key: str, name: Any) -> set[str]:
    """All that a thing is called, in every language, made comparable."""
    texts = name.values() if isinstance(name, dict) else [name] if isinstance(name, str) else []
    return {_slug(key), *map(_slug, texts)} - {""}


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _NOT_A_LETTER.sub("-", plain).strip("-")
