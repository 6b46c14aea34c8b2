"""The activities, contacts and approvals that a CRM told of a deal, each in all its versions.

Of each fact every version is kept, by the CRM's own time of it, so that what is known depends on which versions came
and never on their order.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.crm.events import Fact, FactGroup, Group

GROUPS: dict[FactGroup, Group] = {"activity": "activities", "contact": "contacts", "approval": "approvals"}
MOST_VERSIONS = 20
"""Versions kept of one fact; older ones matter to no verdict that is still open."""
MOST_FACTS = 2000
"""Facts kept of one group of a deal: all of them are gone through whenever it is judged."""


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
    facts = {group: _without_long_gone(of_group) for group, of_group in known.items()}
    for fact in new:
        of_group = facts.setdefault(fact.group, {})
        versions = _added(of_group.get(fact.id, ()), Version(fact.at, _plain(fact.value)))
        reading = readings.get(GROUPS[fact.group])
        if reading is not None and fact.id not in reading.ids:
            versions = _gone(versions, reading.at)
        of_group[fact.id] = versions
    return {group: _newest(of_group) for group, of_group in facts.items()}


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


def _newest(of_group: dict[str, Versions]) -> dict[str, Versions]:
    """What is beyond the newest counts as gone. Its id stays known: else it would be taken for what was stored by API.

    A contact with a role goes by the name of both, and has an id of its own.
    """
    old = {name: of_group[name][-1] for name in _by_time(of_group, there=True)[:-MOST_FACTS]}
    gone = {name: (Version(version.at, None),) for name, version in old.items()}
    ids = {str((version.value or {}).get("id", name)): gone[name] for name, version in old.items()}
    return {**ids, **of_group, **gone}


def _without_long_gone(of_group: Mapping[str, Versions]) -> dict[str, Versions]:
    """What has been gone for long is let go: by now it is in no stored deal any more."""
    old = set(_by_time(of_group, there=False)[:-MOST_FACTS])
    return {name: versions for name, versions in of_group.items() if name not in old}


def _by_time(of_group: Mapping[str, Versions], *, there: bool) -> list[str]:
    """The names of what is there, or of what is gone, oldest first."""
    if len(of_group) <= MOST_FACTS:
        return []
    found = [
        (versions[-1].at, name) for name, versions in of_group.items() if (versions[-1].value is not None) == there
    ]
    return [name for _, name in sorted(found)]


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


def _weight(version: Version) -> tuple[bool, bool, int, str]:
    """Of two versions at one instant: gone before there, done before planned, the fuller one before the other, in
    whatever order told.
    """
    text = json.dumps(version.value, sort_keys=True, ensure_ascii=False)
    return version.value is None, (version.value or {}).get("status") == "done", len(text), text


def _plain(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """As it is when it comes back from where it is kept."""
    if value is None:
        return None
    plain: dict[str, Any] = json.loads(json.dumps(value, default=_text))
    return plain


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
