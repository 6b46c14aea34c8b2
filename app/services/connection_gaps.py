"""What a connection's mapping leaves out or names in vain, listed before it bites: nothing is refused for it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from app.crm.connection import UNMAPPED, ConnectionSettings
from app.engine import Process
from app.services.connection_mapping import mapping_problems
from app.services.processes import Processes
from app.store.crm_moves import count_unmapped
from app.store.database import Reader

MOST_STAGES = 50


class Gap(NamedTuple):
    """One thing that is not mapped: where it would stand, a code, and what its text needs.

    `refused` says that it would be refused now: a newer version of a process has taken it away since it was put.
    """

    place: tuple[str, ...]
    code: str
    params: dict[str, Any]
    refused: bool = False


async def mapping_gaps(
    db: Reader, processes: Processes, tenant_id: str, connection_id: str, settings: ConnectionSettings
) -> list[Gap]:
    """What has gone since it was mapped, what nothing leads to, and stages where deals stand that nobody mapped."""
    gaps = [Gap(*one, refused=True) for one in await mapping_problems(db, processes, tenant_id, settings)]
    known: dict[str, Process] = {}
    for pipeline_id, pipeline in settings.pipelines.items():
        compiled = await processes.compiled(db, tenant_id, pipeline.process, pipeline.version)
        if compiled is None:  # it was there when the connection was stored; processes are never taken away
            continue
        known[compiled.key] = compiled.process
        for stage in compiled.stages:
            if stage not in pipeline.stages.values():
                params = {"stage": stage, "process": compiled.key}
                gaps.append(Gap(("pipelines", pipeline_id, "stages"), "stage_not_mapped", params))
    for process in known.values():
        gaps += _uncovered(settings, process)
    gaps += _of_two_minds(settings)
    for stage, count in await count_unmapped(db, tenant_id, connection_id, UNMAPPED, MOST_STAGES):
        found = {"stage": stage.removeprefix(UNMAPPED), "count": count}
        gaps.append(Gap(("pipelines",), "deals_in_unmapped_stage", found))
    return gaps


def _uncovered(settings: ConnectionSettings, process: Process) -> Iterator[Gap]:
    mapped = {one.activity for one in settings.activities.values()}
    for activity in process.activities:
        if activity.key not in mapped:
            yield Gap(("activities",), "activity_not_mapped", {"activity": activity.key, "process": process.process})
    fields = {one.field for one in settings.fields.values()}
    for field in process.fields:
        if field.key not in fields:
            yield Gap(("fields",), "field_not_mapped", {"field": field.key, "process": process.process})
    for role in process.contacts:
        if role.key not in settings.contact_roles.values():
            yield Gap(("contact_roles",), "contact_not_mapped", {"role": role.key, "process": process.process})


def _of_two_minds(settings: ConnectionSettings) -> Iterator[Gap]:
    """A person who may do one thing under one id of the CRM and another under the next."""
    roles: dict[str, set[str]] = {}
    for crm_id, person in settings.people.items():
        if roles.setdefault(person.id, set(person.roles)) != set(person.roles):
            yield Gap(("people", crm_id, "roles"), "roles_differ", {"person": person.id})
