"""The facts of a deal as snapshots have them: now, and as they stood at a move."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from app.crm.events import FactGroup
from app.crm.facts import Facts, Version, Versions
from app.engine.snapshot import Activity, Approval, Contact

M = TypeVar("M", Activity, Contact, Approval)
_GROUP_OF: dict[Any, FactGroup] = {Activity: "activity", Contact: "contact", Approval: "approval"}


class KnownFacts:
    """What a CRM told of one deal beside its fields. Each version is read once, however many moves it is asked for."""

    def __init__(self, facts: Facts) -> None:
        self._facts = {group: sorted(of_group.items()) for group, of_group in facts.items()}
        self._read_already: dict[tuple[FactGroup, str, datetime], Any] = {}
        self._planned: dict[tuple[str, datetime], Activity] = {}
        self._ids: dict[FactGroup, frozenset[str]] = {}

    def now(self, model: type[M]) -> list[M]:
        """What there is now, in an order of its own."""
        latest = ((name, versions[-1]) for name, versions in self._of(_GROUP_OF[model]))
        return [one for name, version in latest for one in self._read(model, name, version)]

    def at(self, model: type[M], until: datetime) -> list[M]:
        """What there was at a time. What is only known from later may have been there before, and counts."""
        then = ((name, version_at(versions, until)) for name, versions in self._of(_GROUP_OF[model]))
        return [one for name, version in then for one in self._read(model, name, version)]

    def ever(self, model: type[M]) -> list[M]:
        """Every version of every fact of a kind."""
        return [one for name, version in self._ever(_GROUP_OF[model]) for one in self._read(model, name, version)]

    def ids(self, group: FactGroup) -> frozenset[str]:
        """The ids of all facts of a group that the CRM ever told of, as snapshots have them."""
        if group not in self._ids:
            told = (str((version.value or {}).get("id", name)) for name, version in self._ever(group))
            self._ids[group] = frozenset({*(name for name, _ in self._of(group)), *told})
        return self._ids[group]

    def activities_at(self, moved_at: datetime, until: datetime) -> list[Activity]:
        """The activities as they stood at a move, with what was learnt later of what had happened by then.

        What was saved together with the move (up to `until`) counts as done at the move.
        """
        found = []
        for name, versions in self._of("activity"):
            for activity in self._activity_at(name, versions, until):
                late = activity.status == "done" and moved_at < activity.at <= until
                found.append(activity.model_copy(update={"at": moved_at}) if late else activity)
        return found

    def _activity_at(self, name: str, versions: Versions, until: datetime) -> list[Activity]:
        """What came after a move says nothing about it, save what it tells of the time before.

        An activity that was taken off the record since then was on it at the time.
        """
        then = version_at(versions, until)
        if then is None or then.value is None:
            return []
        latest = then if then is versions[-1] else next(one for one in reversed(versions) if one.value is not None)
        told = self._read(Activity, name, latest)
        if not told or told[0].at <= until:
            return told
        if then.at <= until or (then is not versions[0] and _was_there(versions, until)):
            return self._read(Activity, name, then)  # still to come at the time: as it was planned then
        key = (name, latest.at)
        if key not in self._planned:
            self._planned[key] = told[0].model_copy(update={"status": "planned", "outcome": None})
        return [self._planned[key]]

    def _of(self, group: FactGroup) -> list[tuple[str, Versions]]:
        return self._facts.get(group, [])

    def _ever(self, group: FactGroup) -> Iterator[tuple[str, Version]]:
        return (
            (name, version) for name, versions in self._of(group) for version in versions if version.value is not None
        )

    def _read(self, model: type[M], name: str, version: Version | None) -> list[M]:
        """The fact as a snapshot has it; none when it was gone, or an adapter told what no snapshot can hold."""
        if version is None or version.value is None:
            return []
        key = (_GROUP_OF[model], name, version.at)
        if key not in self._read_already:
            named = version.value if model is Approval else {"id": name, **version.value}
            try:
                self._read_already[key] = [model.model_validate_json(json.dumps(named))]
            except ValidationError:
                self._read_already[key] = []
        found: list[M] = self._read_already[key]
        return found


def _was_there(versions: Versions, until: datetime) -> bool:
    return any(version.at <= until and version.value is not None for version in versions)


def version_at(versions: Versions, until: datetime) -> Version | None:
    """What was known at a time; where it is not known to have been there, what is first known after that.

    CRMs say when a fact was changed, and seldom since when it belongs to the deal: it gets the benefit of the doubt.
    """
    if len(versions) == 1:
        return versions[0]
    before = [version for version in versions if version.at <= until]
    if before and before[-1].value is not None:
        return before[-1]
    return next(iter(versions[len(before) :]), None)
