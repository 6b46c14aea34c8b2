"""Approvals that stand in properties of the CRM: filling one approves a move, emptying it takes that back."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.crm.changes import Changes
from app.crm.connection import ApprovalMapping, ConnectionSettings, person_of
from app.crm.events import Event
from app.crm.timeline import Entry
from app.engine.snapshot import Approval

_EMPTY = frozenset({"", "false", "no", "0", "none"})


def approvals_at(
    settings: ConnectionSettings,
    changes: Changes,
    entries: Sequence[Entry],
    *,
    until: datetime | None = None,
    to: str | None = None,
    at_latest: datetime | None = None,
) -> list[Approval]:
    """The approvals that stand, or stood at a time, given the entries into stages until then.

    `to` asks for approvals of the move to one stage alone. What was saved together with a move counts as given at the
    move: no later than `at_latest`.
    """
    found: list[Approval] = []
    ours = _our_ids(settings)
    for name, mapping in settings.approvals.items():
        change = changes.latest(name, until)
        if change is None and until is not None:
            first = changes.first(name)
            change = first if first is not None and first.kind == "seen" else None
        if change is not None:
            by = _by(settings, change, ours)
            found += _given(settings, mapping, (by, change.at), entries, at_latest=at_latest, to=to)
    return found


def givers(settings: ConnectionSettings, changes: Changes) -> Iterator[tuple[str, str, datetime]]:
    """Role, person and time of every approval that was ever given so, also of those that were taken back."""
    ours = _our_ids(settings)
    for name, mapping in settings.approvals.items():
        for event in changes.of(name):
            by = _by(settings, event, ours)
            if by is not None:
                yield mapping.role, by, event.at


def _given(
    settings: ConnectionSettings,
    mapping: ApprovalMapping,
    given: tuple[str | None, datetime],
    entries: Sequence[Entry],
    *,
    at_latest: datetime | None = None,
    to: str | None = None,
) -> list[Approval]:
    """What one filled property approves: the move to its stage, or to any stage, from where the deal stood.

    `given`: by whom, and when.
    """
    by, filled_at = given
    source = _stood(entries, filled_at)
    if by is None or source is None:
        return []
    at = filled_at if at_latest is None else min(filled_at, at_latest)
    stages = [mapping.to] if mapping.to is not None else [to] if to is not None else _stages(settings, source)
    return [
        Approval.model_validate({"role": mapping.role, "by": by, "from": source.stage, "to": stage, "at": at})
        for stage in stages
        if to is None or stage == to
    ]


def _our_ids(settings: ConnectionSettings) -> frozenset[str]:
    return frozenset(person.id for person in settings.people.values())


def _by(settings: ConnectionSettings, change: Event, ours: frozenset[str]) -> str | None:
    """Who approved: the person whom the property names, else whoever filled it; None when it is empty or unknown."""
    value = "" if change.value is None else str(change.value).strip()
    if value.lower() in _EMPTY:
        return None
    if value in ours:
        return value
    person = person_of(settings, value) or person_of(settings, change.by)
    return person.id if person is not None else change.by


def _stood(entries: Sequence[Entry], at: datetime) -> Entry | None:
    """Where the deal stood: what is saved together with a move approves that move, from the stage before it."""
    before = (entry for entry in reversed(entries) if entry.at is None or entry.at < at)
    found = next(before, next(iter(entries), None))
    return found if found is not None and found.mapped else None


def _stages(settings: ConnectionSettings, source: Entry) -> list[str]:
    """Every mapped stage of the process but the one it stands in."""
    pipelines = [one for one in settings.pipelines.values() if one.process == source.process]
    stages = dict.fromkeys(stage for one in pipelines for stage in one.stages.values())
    return [stage for stage in stages if stage != source.stage]
