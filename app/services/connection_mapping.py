"""A connection's mapping held against the processes it names: everything that would bite later is told at once."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.crm.connection import ConnectionSettings, FieldMapping, Pipeline
from app.engine import CompiledProcess, Process
from app.engine.process import ProcessField
from app.services.processes import Processes
from app.store.database import Reader

MOST_NAMES = 20

Problem = tuple[tuple[str, ...], str, dict[str, Any]]
"""Where, a code, and what its text needs."""


async def mapping_problems(
    db: Reader, processes: Processes, tenant_id: str, settings: ConnectionSettings
) -> list[Problem]:
    """All that does not fit: processes, versions, stages, fields, their types and choices, roles."""
    problems: list[Problem] = []
    named: list[Process] = []
    for pipeline_id, pipeline in settings.pipelines.items():
        compiled = await processes.compiled(db, tenant_id, pipeline.process, pipeline.version)
        if compiled is None:
            problems.append(await _unknown(db, processes, tenant_id, pipeline_id, pipeline))
        else:
            named.append(compiled.process)
            problems += _stages(pipeline_id, pipeline, compiled)
    problems += _versions(settings)
    if len(named) == len(settings.pipelines):  # without one of them, fields and roles may well be its own
        problems += [*_fields(settings, named), *_roles(settings, named), *_activities(settings, named)]
        problems += [*_contacts(settings, named), *_approvals(settings, named)]
    return problems


async def with_types(
    db: Reader, processes: Processes, tenant_id: str, settings: ConnectionSettings
) -> ConnectionSettings:
    """The settings with the type of every field said, so that nothing needs to be looked up when a value arrives."""
    types: dict[str, str] = {}
    for pipeline in settings.pipelines.values():
        compiled = await processes.compiled(db, tenant_id, pipeline.process, pipeline.version)
        fields = compiled.process.fields if compiled else []
        types = {field.key: field.type for field in fields} | types
    fields_with = {
        name: mapping.model_copy(update={"type": mapping.type or types[mapping.field]})
        for name, mapping in settings.fields.items()
    }
    return settings.model_copy(update={"fields": fields_with})


async def _unknown(db: Reader, processes: Processes, tenant_id: str, pipeline_id: str, pipeline: Pipeline) -> Problem:
    place = ("pipelines", pipeline_id)
    if pipeline.version is not None and await processes.compiled(db, tenant_id, pipeline.process) is not None:
        found = {"process": pipeline.process, "version": pipeline.version}
        return (*place, "version"), "mapping_unknown_version", found
    return (*place, "process"), "mapping_unknown_process", {"process": pipeline.process}


def _versions(settings: ConnectionSettings) -> Iterator[Problem]:
    """A deal is judged by its process in one version, whichever of the pipelines it is in."""
    first: dict[str, int | None] = {}
    for pipeline_id, pipeline in settings.pipelines.items():
        if first.setdefault(pipeline.process, pipeline.version) != pipeline.version:
            yield ("pipelines", pipeline_id, "version"), "mapping_two_versions", {"process": pipeline.process}


def _stages(pipeline_id: str, pipeline: Pipeline, compiled: CompiledProcess) -> Iterator[Problem]:
    for stage_id, stage in pipeline.stages.items():
        if stage not in compiled.stages:
            place = ("pipelines", pipeline_id, "stages", stage_id)
            yield (
                place,
                "mapping_unknown_stage",
                {"stage": stage, "process": compiled.key, "known": _names(compiled.stages)},
            )


def _fields(settings: ConnectionSettings, named: list[Process]) -> Iterator[Problem]:
    """A field may be one of several processes: its types and choices are those that any of them knows."""
    declared: dict[str, list[ProcessField]] = {}
    for field in [one for process in named for one in process.fields]:
        declared.setdefault(field.key, []).append(field)
    for name, mapping in settings.fields.items():
        fields = declared.get(mapping.field, [])
        if not fields:
            yield (
                ("fields", name, "field"),
                "mapping_unknown_field",
                {"field": mapping.field, "known": _names(declared)},
            )
        elif mapping.type not in (None, *(field.type for field in fields)):
            yield ("fields", name, "type"), "mapping_field_type", {"field": mapping.field, "type": fields[0].type}
        else:
            known = dict.fromkeys(choice.key for field in fields for choice in field.choices)
            yield from _choices(name, mapping, list(known))


def _choices(name: str, mapping: FieldMapping, known: list[str]) -> Iterator[Problem]:
    for value, choice in mapping.choices.items():
        if choice not in known:
            found = {"choice": choice, "field": mapping.field, "known": _names(known)}
            yield ("fields", name, "choices", value), "mapping_unknown_choice", found


def _activities(settings: ConnectionSettings, named: list[Process]) -> Iterator[Problem]:
    """An activity may be one of several processes: its outcomes are known when any of them knows it."""
    known: dict[str, set[str]] = {}
    for activity in [one for process in named for one in process.activities]:
        known.setdefault(activity.key, set()).update(outcome.key for outcome in activity.outcomes)
    for name, mapping in settings.activities.items():
        if mapping.activity not in known:
            found = {"activity": mapping.activity, "known": _names(known)}
            yield ("activities", name, "activity"), "mapping_unknown_activity", found
            continue
        for value, outcome in mapping.outcomes.items():
            if outcome not in known[mapping.activity]:
                outcomes = _names(sorted(known[mapping.activity]))
                found = {"outcome": outcome, "activity": mapping.activity, "known": outcomes}
                yield ("activities", name, "outcomes", value), "mapping_unknown_outcome", found


def _contacts(settings: ConnectionSettings, named: list[Process]) -> Iterator[Problem]:
    known = list(dict.fromkeys(one.key for process in named for one in process.contacts))
    for label, role in settings.contact_roles.items():
        if role not in known:
            yield ("contact_roles", label), "mapping_unknown_contact", {"role": role, "known": _names(known)}


def _approvals(settings: ConnectionSettings, named: list[Process]) -> Iterator[Problem]:
    roles = list(dict.fromkeys(role.key for process in named for role in process.roles))
    stages = list(dict.fromkeys(stage.key for process in named for stage in process.stages))
    for name, mapping in settings.approvals.items():
        if mapping.role not in roles:
            found = {"role": mapping.role, "known": _names(roles)}
            yield ("approvals", name, "role"), "mapping_unknown_role", found
        if mapping.to is not None and mapping.to not in stages:
            found = {"stage": mapping.to, "known": _names(stages)}
            yield ("approvals", name, "to"), "mapping_no_such_stage", found


def _roles(settings: ConnectionSettings, named: list[Process]) -> Iterator[Problem]:
    known = list(dict.fromkeys(role.key for process in named for role in process.roles))
    for crm_id, person in settings.people.items():
        for role in person.roles:
            if role not in known:
                yield ("people", crm_id, "roles"), "mapping_unknown_role", {"role": role, "known": _names(known)}


def _names(keys: Iterable[str]) -> str:
    """`a`, `b`: for a sentence."""
    listed = [f"`{key}`" for key in keys]
    return ", ".join([*listed[:MOST_NAMES], *["…"][: len(listed) > MOST_NAMES]])
