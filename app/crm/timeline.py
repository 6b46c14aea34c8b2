"""A deal's events in the CRM's own order, and what follows from them: its stages, its moves, its facts at any time.

Everything here depends on which events are known, never on the order in which they came or how often.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from app.crm.connection import UNMAPPED, ConnectionSettings, Place, place_of
from app.crm.events import Event
from app.engine.snapshot import EARLIEST, StageEntry


class Entry(NamedTuple):
    """The deal entered a stage: `process` is None when not even that is known, `at` when it was there from before."""

    process: str | None
    stage: str
    at: datetime | None

    @property
    def mapped(self) -> bool:
        """Whether this is a stage of a process, rather than one of the CRM's that the mapping does not name."""
        return self.process is not None and not self.stage.startswith(UNMAPPED)


class Move(NamedTuple):
    """A stage event in its place: the entry it made, and the entry before it."""

    event: Event
    place: Place | None
    entry: Entry
    before: Entry | None

    @property
    def judgeable(self) -> bool:
        """Whether both ends are stages of one process."""
        before = self.before
        return self.entry.mapped and before is not None and before.mapped and before.process == self.entry.process


class Timeline(NamedTuple):
    """All that the events say: when the deal was made, its moves, and every entry into a stage, oldest first."""

    created: Event | None
    moves: tuple[Move, ...]
    entries: tuple[Entry, ...]


def in_order(events: Iterable[Event]) -> list[Event]:
    """By the CRM's own time; at one instant in an order that is the same whatever the order of arrival."""
    return sorted(events, key=lambda one: (one.at, one.kind != "created", one.name or "", str(one.value), one.key))


def timeline(settings: ConnectionSettings, events: Sequence[Event], known: Sequence[Entry] = ()) -> Timeline:
    """Put a deal's events together, with the entries that are known from elsewhere.

    A stage that the deal already stood in makes no move. An entry known from elsewhere at the very instant of an event
    is that event's own trace.
    """
    ordered = in_order(events)
    traced = {event.at for event in ordered if event.name == settings.stage_property}
    steps: list[Entry | tuple[Event, Place | None]] = [entry for entry in known if entry.at not in traced]
    steps += _placed(settings, ordered)
    moves: list[Move] = []
    entries: list[Entry] = []
    for step in sorted(steps, key=_when):
        before = entries[-1] if entries else None
        if isinstance(step, Entry):
            entry = step
        else:
            entry = _entry(*step)
            if before is None or before[:2] != entry[:2]:
                moves.append(Move(*step, entry, before))
        if before is None or before[:2] != entry[:2]:
            entries.append(entry)
    created = next((event for event in ordered if event.kind == "created"), None)
    return Timeline(created, tuple(moves), tuple(entries))


def latest(events: Sequence[Event], name: str, at: datetime | None = None) -> Event | None:
    """The last change of a property, up to an instant if one is given. INVARIANT: the events are in order."""
    return next((one for one in reversed(events) if one.name == name and (at is None or one.at <= at)), None)


def history_of(entries: Iterable[Entry], process: str) -> list[StageEntry]:
    """The stage history of a deal in one process: what it did in another is not told in that one's words."""
    return [
        StageEntry(stage=entry.stage, entered_at=entry.at)
        for entry in entries
        if entry.at is not None and entry.process in (process, None)
    ]


def _placed(settings: ConnectionSettings, ordered: list[Event]) -> list[tuple[Event, Place | None]]:
    """The stage events, each looked up in the pipeline that the deal was in by then.

    Where no change of pipeline is known up to that time, the first one known later says nothing about before.
    """
    changes = [event for event in ordered if event.name == settings.pipeline_property]
    return [
        (event, place_of(settings, _pipeline(settings, changes, event.at), _stage_id(event)))
        for event in ordered
        if event.name == settings.stage_property
    ]


def _pipeline(settings: ConnectionSettings, changes: list[Event], at: datetime) -> str | None:
    change = latest(changes, settings.pipeline_property, at)
    return str(change.value) if change and change.value else None


def _stage_id(event: Event) -> str:
    return "" if event.value is None else str(event.value)


def _entry(event: Event, place: Place | None) -> Entry:
    if place is None or place.stage is None:
        return Entry(place.process if place else None, f"{UNMAPPED}{_stage_id(event)}"[:200], event.at)
    return Entry(place.process, place.stage, event.at)


def _when(step: Entry | tuple[Event, Place | None]) -> tuple[datetime, bool]:
    """Entries without a time were there from before; at one instant what is known from elsewhere comes first."""
    if isinstance(step, Entry):
        return step.at or EARLIEST, False
    return step[0].at, True
