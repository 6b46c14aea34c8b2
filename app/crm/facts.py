"""The activities, contacts and approvals that a CRM told of a deal: now, and as they stood at a move.

Of each fact every version is kept, by the CRM's own time of it, so that what is known depends on which versions came
and never on their order.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from app.crm.events import Fact, FactGroup, Group
from app.engine.snapshot import Activity, Approval, Contact

M = TypeVar("M", Activity, Contact, Approval)

GROUPS: dict[FactGroup, Group] = {"activity": "activities", "contact": "contacts", "approval": "approvals"}
MOST_VERSIONS = 20
"""Versions kept of one fact; older ones matter to no verdict that is still open."""


class Version(NamedTuple):
    """What a fact was from a time on; `value` is None once it is gone."""

    at: datetime
    value: dict[str, Any] | None


class Reading(NamedTuple):
    """When a group was last read whole, up to which of the CRM's times that tells all, and which ids were there."""

    at: datetime
    covers: datetime
    ids: frozenset[str] = frozenset()


Versions = tuple[Version, ...]
Facts = Mapping[FactGroup, Mapping[str, Versions]]
Readings = Mapping[Group, Reading]


def with_facts(known: Facts, readings: Readings, new: Iterable[Fact]) -> Facts:
    """More versions of facts. One that is older than a whole reading in which it was not is gone since then."""
    facts = {group: dict(of_group) for group, of_group in known.items()}
    for fact in new:
        of_group = facts.setdefault(fact.group, {})
        versions = _added(of_group.get(fact.id, ()), Version(fact.at, _plain(fact.value)))
        reading = readings.get(GROUPS[fact.group])
        if reading is not None and fact.id not in reading.ids:
            versions = _gone(versions, reading.at)
        of_group[fact.id] = versions
    return facts


def as_read(known: Facts, group: FactGroup, reading: Reading, facts: Iterable[Fact]) -> Facts:
    """What a group that was read whole does not hold any more is gone; what is newer than the reading stays.

    What it does hold is there, also where an older reading had missed it: it came to the deal since then.
    """
    of_group = {
        name: versions if name in reading.ids else _gone(versions, reading.at)
        for name, versions in known.get(group, {}).items()
    }
    for fact in facts:
        versions = of_group.get(fact.id, ())
        if fact.group == group and versions and versions[-1].value is None and versions[-1].at < reading.at:
            of_group[fact.id] = _added(versions, Version(reading.at, _plain(fact.value)))
    return {**known, group: of_group}


def facts_of(known: Facts, model: type[M]) -> list[M]:
    """What there is now, in an order of its own."""
    group = _GROUP_OF[model]
    values = ((name, versions[-1].value) for name, versions in sorted(known.get(group, {}).items()))
    return [one for name, value in values if value is not None for one in _read(model, name, value)]


def ids_known(known: Facts, group: FactGroup) -> frozenset[str]:
    """The ids of all facts of a group that the CRM ever told of, as snapshots have them."""
    return frozenset({*known.get(group, {}), *(str(value.get("id", name)) for name, value in _ever(known, group))})


def facts_ever(known: Facts, model: type[M]) -> list[M]:
    """Every version of every fact of a kind."""
    return [one for name, value in _ever(known, _GROUP_OF[model]) for one in _read(model, name, value)]


def _ever(known: Facts, group: FactGroup) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, versions in known.get(group, {}).items():
        for version in versions:
            if version.value is not None:
                yield name, version.value


def facts_at(known: Facts, model: type[M], until: datetime) -> list[M]:
    """What there was at a time. What is only known from later may have been there before, and counts."""
    group = _GROUP_OF[model]
    values = ((name, value_at(versions, until)) for name, versions in sorted(known.get(group, {}).items()))
    return [one for name, value in values if value is not None for one in _read(model, name, value)]


def activities_at(known: Facts, moved_at: datetime, until: datetime) -> list[Activity]:
    """The activities as they stood at a move, with what was learnt later of what had happened by then.

    What was saved together with the move (up to `until`) counts as done at the move.
    """
    found = []
    for name, versions in sorted(known.get("activity", {}).items()):
        for activity in _activity_at(name, versions, until):
            late = activity.status == "done" and moved_at < activity.at <= until
            found.append(activity.model_copy(update={"at": moved_at}) if late else activity)
    return found


def _activity_at(name: str, versions: Versions, until: datetime) -> list[Activity]:
    """What came after a move says nothing about it, save what it tells of the time before.

    An activity that was taken off the record since then was on it at the time.
    """
    then = value_at(versions, until)
    if then is None:
        return []
    latest = next(version.value for version in reversed(versions) if version.value is not None)
    told = _read(Activity, name, latest)
    if not told or told[0].at <= until:
        return told
    if any(version.at <= until and version.value is not None for version in versions):
        return _read(Activity, name, then)  # still to come at the time: as it was planned then
    return [told[0].model_copy(update={"status": "planned", "outcome": None})]


def value_at(versions: Versions, until: datetime) -> dict[str, Any] | None:
    """The value at a time; where it is not known to have been there, what is first known after that.

    CRMs say when a fact was changed, and seldom since when it belongs to the deal: it gets the benefit of the doubt.
    """
    before = [version for version in versions if version.at <= until]
    if before and before[-1].value is not None:
        return before[-1].value
    return next((version.value for version in versions[len(before) :]), None)


def _gone(versions: Versions, at: datetime) -> Versions:
    return versions if versions[-1].value is None or versions[-1].at > at else _added(versions, Version(at, None))


def _added(versions: Versions, new: Version) -> Versions:
    by_time = {version.at: version for version in versions}
    known = by_time.get(new.at)
    by_time[new.at] = new if known is None else max(known, new, key=_weight)
    ordered = [by_time[at] for at in sorted(by_time)]
    if len(ordered) > MOST_VERSIONS:
        ordered = [one for place, one in enumerate(ordered) if not _within_a_run(ordered, place)][-MOST_VERSIONS:]
    return tuple(ordered)


def _within_a_run(ordered: list[Version], place: int) -> bool:
    """Whether the same was said just before and just after: then this says nothing."""
    return 0 < place < len(ordered) - 1 and (
        ordered[place - 1].value == ordered[place].value == ordered[place + 1].value
    )


def _weight(version: Version) -> tuple[bool, int, str]:
    """Of two versions at one instant: gone before there, the fuller one before the other, in whatever order told."""
    text = json.dumps(version.value, sort_keys=True, ensure_ascii=False)
    return version.value is None, len(text), text


def _plain(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """As it is when it comes back from where it is kept."""
    if value is None:
        return None
    plain: dict[str, Any] = json.loads(json.dumps(value, default=_text))
    return plain


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _read(model: type[M], name: str, value: dict[str, Any]) -> list[M]:
    """The fact as a snapshot has it; none when an adapter told what no snapshot can hold."""
    named = value if model is Approval else {"id": name, **value}
    try:
        return [model.model_validate_json(json.dumps(named))]
    except ValidationError:
        return []


_GROUP_OF: dict[Any, FactGroup] = {Activity: "activity", Contact: "contact", Approval: "approval"}
