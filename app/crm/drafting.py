"""From a CRM's own configuration to a connection's mapping: what can be told is filled in, the rest is listed."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from app.crm.connection import MOST_MAPPED, FieldType
from app.engine import Process
from app.engine.process import ActivityType
from app.engine.values import Named

_LONGEST, _LONGEST_ID = 100, 200
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


class CrmPerson(NamedTuple):
    """A user, by every id that the CRM has for them."""

    ids: tuple[str, ...]
    label: str


class Configuration(NamedTuple):
    """What a CRM account is made of; `own` are settings of this CRM that its configuration tells.

    `contact_roles` are the roles that contacts may have on a deal, `activity_types` the types of activities that the
    account has made for itself, both with id and label.
    """

    pipelines: tuple[CrmPipeline, ...]
    fields: tuple[CrmField, ...] = ()
    people: tuple[CrmPerson, ...] = ()
    own: dict[str, Any] = {}  # noqa: RUF012 - never changed
    contact_roles: tuple[tuple[str, str], ...] = ()
    activity_types: tuple[tuple[str, str], ...] = ()


class Draft(NamedTuple):
    """Settings to complete, and what nobody could guess: each with where it stands and what the CRM calls it."""

    settings: dict[str, Any]
    left: list[dict[str, str]]


def drafted(crm: str, configuration: Configuration, process: Process, base: dict[str, Any] | None = None) -> Draft:
    """Map by equal names only: a wrong guess would judge deals wrongly, and an open one is filled in at a glance.

    `base` are settings that there are already: they stand, and what they leave out is added.
    """
    base = base or {}
    pipelines, left = _pipelines(configuration, process, base.get("pipelines", {}))
    fields = {**base.get("fields", {}), **dict(_fields(configuration, process, base.get("fields", {})))}
    roles = {**_alike(configuration.contact_roles, process.contacts), **base.get("contact_roles", {})}
    types = _alike(configuration.activity_types, process.activities)
    activities = {**{key: {"activity": one} for key, one in types.items()}, **base.get("activities", {})}
    people, unmapped = _people(configuration, base.get("people", {}))
    settings = {
        "crm": crm, **configuration.own, **base, "pipelines": pipelines, "fields": fields, "people": people,
        **({"contact_roles": roles} if roles else {}), **({"activities": activities} if activities else {}),
    }  # fmt: skip
    left += _left_of(configuration, process, settings)
    return Draft(settings, [*left, *({"place": "people", "label": label} for label in unmapped)])


def _pipelines(
    configuration: Configuration, process: Process, base: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Every pipeline with the stages that are called alike; the stages that are not. One of another process stays.

    Where there is one here and one there that share a stage they are the same, whatever they are called: some CRMs have
    no pipelines.
    """
    found, left = dict(base), []
    only = next(iter(base)) if len(base) == len(configuration.pipelines) == 1 else None
    for pipeline in configuration.pipelines:
        is_same = only is not None and any(stage.id in base[only]["stages"] for stage in pipeline.stages)
        key = only if only is not None and is_same else pipeline.id
        own = base.get(key, {"process": process.process, "stages": {}})
        guessed = {one.id: _stage(one, process) for one in pipeline.stages if own["process"] == process.process}
        stages = {**{one: stage for one, stage in guessed.items() if stage is not None}, **own["stages"]}
        if stages:
            found[key] = {**own, "stages": stages}
        open_ones = [stage for stage in pipeline.stages if stage.id not in stages]
        left += [{"place": f"pipelines.{key}.stages.{one.id}", "label": one.label} for one in open_ones]
    return found, left


def _left_of(configuration: Configuration, process: Process, settings: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What of the process nothing leads to, and the options of mapped fields that mean nothing yet."""
    options = {field.id: field.choices for field in configuration.fields}
    for name, mapping in settings["fields"].items():
        if mapping["type"] == "choice":
            open_ones = [one for one in options.get(name, ()) if one[0] not in mapping.get("choices", {})]
            yield from ({"place": f"fields.{name}.choices.{key}", "label": label} for key, label in open_ones)
    mapped = {mapping["field"] for mapping in settings["fields"].values()}
    yield from ({"place": "fields", "label": field.key} for field in process.fields if field.key not in mapped)
    activities = settings.get("activities", {})
    types = [one for one in configuration.activity_types if one[0] not in activities]
    yield from ({"place": f"activities.{key}", "label": label} for key, label in types)
    done = {mapping["activity"] for mapping in activities.values()}
    yield from ({"place": "activities", "label": one.key} for one in process.activities if one.key not in done)
    roles = settings.get("contact_roles", {}).values()
    yield from ({"place": "contact_roles", "label": one.key} for one in process.contacts if one.key not in roles)


def _stage(stage: CrmStage, process: Process) -> str | None:
    """The stage of the same name; where the CRM closes a deal, the only one of that kind."""
    named = [one.key for one in process.stages if _slug(stage.label) in _names(one.key, one.name)]
    if named:
        return named[0]
    closing = [one.key for one in process.stages if one.kind == stage.closed]
    return closing[0] if len(closing) == 1 else None


def _fields(
    configuration: Configuration, process: Process, base: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    free = [one for one in configuration.fields if one.id not in base]
    mapped = {mapping["field"] for mapping in base.values()}
    for field in [one for one in process.fields if one.key not in mapped]:
        names = _names(field.key, field.name)
        alike = [one for one in free if _slug(one.label) in names or _slug(one.id) in names]
        found = next((one for one in alike if _fits(one.type, field.type)), None)
        if found is None:
            continue
        free.remove(found)
        mapping: dict[str, Any] = {"field": field.key, "type": field.type}
        if field.type == "choice":
            mapping["choices"] = dict(_choices(found, [(one.key, one.name) for one in field.choices]))
        yield found.id, mapping


def _fits(theirs: FieldType, ours: FieldType) -> bool:
    """Whether values of the CRM's type can be ours. Text may hold anything, and options may be called yes and no."""
    return ours in ("text", theirs) or theirs == "text" or (theirs, ours) == ("choice", "boolean")


def _choices(found: CrmField, known: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    keys = list(known)
    for choice_id, label in found.choices:
        key = next((key for key, name in keys if {_slug(label), _slug(choice_id)} & _names(key, name)), None)
        if key is not None:
            yield choice_id, key


def _alike(theirs: Iterable[tuple[str, str]], ours: Sequence[ActivityType] | Sequence[Named]) -> dict[str, str]:
    """Which of ours each of the CRM's is, by its name."""
    guessed = {key: next((one.key for one in ours if _slug(label) in _names(one.key, one.name)), None)
               for key, label in theirs}  # fmt: skip
    return {key: found for key, found in guessed.items() if found is not None}


def _people(configuration: Configuration, base: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Everybody under an id of their own, two of the same name too; and whoever is more than a mapping can hold."""
    found, left = dict(base), []
    taken = {person["id"] for person in base.values()}
    for person in configuration.people:
        known = next((base[one] for one in person.ids if one in base), None)
        if known is None:
            name = _slug(person.label)[:_LONGEST] or person.ids[0]
            known = {"id": name if name not in taken else f"{name}-{person.ids[0]}"[:_LONGEST_ID]}
        new = {one: known for one in person.ids if one not in found}
        if len(found) + len(new) > MOST_MAPPED:
            left.append(person.label)
            continue
        taken.add(known["id"])
        found |= new
    return found, left


def _names(key: str, name: Any) -> set[str]:
    """All that a thing is called, in every language, made comparable."""
    texts = name.values() if isinstance(name, dict) else [name] if isinstance(name, str) else []
    return {_slug(key), *map(_slug, texts)} - {""}


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _NOT_A_LETTER.sub("-", plain).strip("-")
