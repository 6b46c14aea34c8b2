"""A deal's events in the CRM's own order, and what follows from them: its stages, its moves, its facts at any time.

Everything here depends on which events are known, never on the order in which they came or how often.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.connection import UNMAPPED, ConnectionSettings, Place, place_of
from app.crm.events import Event
from app.crm.joining import in_order
from app.crm.own_writes import own_moves
from app.crm.reading import Rounds
from app.crm.record import OwnWrite, gone_by
from app.engine.snapshot import EARLIEST, StageEntry

TOLD_TWICE = timedelta(minutes=1)
"""Two sources give the time of one move differently, by this much at most."""


class Entry(NamedTuple):
    """The deal entered a stage: `process` is None when not even that is known, `at` when nobody knows since when.

    `pipeline` and `crm_stage` are the CRM's own ids, where it was the CRM that told.
    """

    process: str | None
    stage: str
    at: datetime | None
    pipeline: str | None = None
    crm_stage: str | None = None

    @property
    def mapped(self) -> bool:
        """Whether this is a stage of a process, rather than one of the CRM's that the mapping does not name."""
        return self.process is not None and not self.stage.startswith(UNMAPPED)


class Move(NamedTuple):
    """A stage event in its place: the entry it made, and the entry before it. `own`: we made it ourselves."""

    event: Event
    place: Place | None
    entry: Entry
    before: Entry | None
    own: bool = False

    @property
    def identity(self) -> str:
        """What names the move whoever told it: one instant, one stage."""
        return identity(self.event)

    @property
    def judgeable(self) -> bool:
        """Whether both ends are stages of one process."""
        before = self.before
        return self.entry.mapped and before is not None and before.mapped and before.process == self.entry.process


class Timeline(NamedTuple):
    """All that the events say: when the deal was made, its moves, and every entry into a stage, oldest first.

    `gone` is the event by which it was deleted or merged into another; `stays` are the entries as a snapshot has them,
    None where nobody knows since when.
    """

    created: Event | None
    moves: tuple[Move, ...]
    entries: tuple[Entry, ...]
    gone: Event | None = None
    stays: tuple[StageEntry | None, ...] = ()


class _Step(NamedTuple):
    """A stage event, where it leads, and where its CRM says it came from."""

    event: Event
    place: Place | None
    entry: Entry
    told: Entry | None


def identity(event: Event) -> str:
    """Names what happened, whatever the key under which somebody told it."""
    if event.kind == "created":
        return "created"
    return hashlib.sha256(f"{event.at.isoformat()} {event.value}".encode("utf-8", "replace")).hexdigest()[:32]


def timeline(
    settings: ConnectionSettings,
    events: Sequence[Event],
    known: Sequence[Entry] = (),
    own: Sequence[OwnWrite] = (),
    whole_until: datetime | None = None,
) -> Timeline:
    """Put a deal's events together, with the entries that are known from elsewhere.

    A stage that the deal already stood in makes no move. One that it comes back to at the very same instant counts a
    microsecond later, so that both are told apart. An entry known from elsewhere at the very moment of an event is
    that event's own trace. Where an event tells another stage before it than the last one known, one went missing:
    the told stage stands between, since a time nobody knows. Up to `whole_until` every change of stage is known: what
    was only seen until then, and when somebody got to say so, makes no move.
    """
    ordered = _apart(settings, in_order(events))
    traced = {_moment(event.at) for event in ordered if event.name == settings.stage_property}
    if whole_until is not None:
        ordered = [event for event in ordered if not _says_nothing_new(settings, event, whole_until)]
    steps: list[Entry | _Step] = [entry for entry in known if entry.at is None or _moment(entry.at) not in traced]
    steps += _placed(settings, ordered)
    moves: list[Move] = []
    entries: list[Entry] = []
    waiting = sorted(steps, key=_when)
    while waiting:
        step = _next(waiting, entries)
        entry = step if isinstance(step, Entry) else step.entry
        if isinstance(step, _Step) and step.told is not None and _is_gap(entries, step.told, entry):
            entries.append(step.told)
        before = entries[-1] if entries else None
        if before is not None and before[:2] == entry[:2]:
            continue
        if isinstance(step, _Step):
            moves.append(Move(step.event, step.place, entry, before))
        entries.append(entry)
    ours = own_moves(moves, own, settings.acts_as)
    created = next((event for event in ordered if event.kind == "created"), None)
    told = tuple(move._replace(own=move.identity in ours) for move in moves)
    stays = (None if one.at is None else StageEntry(stage=one.stage, entered_at=one.at) for one in entries)
    return Timeline(created, told, tuple(entries), gone_by(ordered), tuple(stays))


def _apart(settings: ConnectionSettings, ordered: list[Event]) -> list[Event]:
    rounds = Rounds()
    return [
        event._replace(at=rounds.place(event.at, event.previous, event.value)[0])
        if event.name == settings.stage_property
        else event
        for event in ordered
    ]


def _moment(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _next(waiting: "list[Entry | _Step]", entries: list[Entry]) -> "Entry | _Step":
    """Take the first step. Of several at one instant (some CRMs tell seconds), the one that goes on from where the
    deal stands, where they say from where they go on.
    """
    first = waiting[0]
    if isinstance(first, _Step) and len(waiting) > 1 and entries:
        at_once = [one for one in waiting if isinstance(one, _Step) and one.event.at == first.event.at]
        last = entries[-1]
        first = next((one for one in at_once if one.told is not None and one.told[:2] == last[:2]), first)
    waiting.remove(first)
    return first


def _says_nothing_new(settings: ConnectionSettings, event: Event, whole_until: datetime) -> bool:
    return event.kind == "seen" and event.name == settings.stage_property and event.at <= whole_until


def _is_gap(entries: list[Entry], told: Entry, entry: Entry) -> bool:
    """Whether the stage that an event tells as the one before is another than the last one known.

    Where the deal has only just come to where the event leads, somebody else told the same move before.
    """
    if not entries:
        return told[:2] != entry[:2]
    last = entries[-1]
    if last[:2] == told[:2] or told[:2] == entry[:2]:
        return False
    is_same_move = last[:2] == entry[:2] and last.at is not None and entry.at is not None
    return not (is_same_move and entry.at - last.at <= TOLD_TWICE)  # type: ignore[operator]


def history_of(line: Timeline, process: str, count: int) -> tuple[StageEntry, ...]:
    """The stage history after so many entries, in one process: what a deal did in another is not told in its words."""
    known = zip(line.entries[:count], line.stays, strict=False)
    return tuple(stay for entry, stay in known if stay is not None and entry.process in (process, None))


def _placed(settings: ConnectionSettings, ordered: list[Event]) -> list[_Step]:
    """The stage events, each looked up in the pipeline that the deal was in by then.

    Where no change of pipeline is known up to that time, the first one known later says nothing about before.
    """
    changes = [event for event in ordered if event.name == settings.pipeline_property]
    steps = []
    for event in ordered:
        if event.name == settings.stage_property:
            place, entry = _entry(settings, _pipeline(changes, event.at), event.value, event.at)
            steps.append(_Step(event, place, entry, _told(settings, changes, event)))
    return steps


def _told(settings: ConnectionSettings, changes: list[Event], event: Event) -> Entry | None:
    """The stage that the event says the deal was in before, looked up in the pipeline of before."""
    if not event.tells_previous or event.previous in (None, ""):
        return None
    at_once = [one for one in changes if one.at == event.at]
    telling = next((one for one in at_once if one.tells_previous), None)
    if telling is not None:
        pipeline = None if telling.previous in (None, "") else str(telling.previous)
    else:
        pipeline = _pipeline([one for one in changes if one.at < event.at], event.at)
        if pipeline is None and at_once and at_once[-1].kind == "seen":
            pipeline = str(at_once[-1].value)
    return _entry(settings, pipeline, event.previous, None)[1]


def _pipeline(changes: list[Event], at: datetime) -> str | None:
    change = next((one for one in reversed(changes) if one.at <= at), None)
    return str(change.value) if change and change.value else None


def _entry(
    settings: ConnectionSettings, pipeline: str | None, value: Any, at: datetime | None
) -> tuple[Place | None, Entry]:
    stage = "" if value is None else str(value)
    place = place_of(settings, pipeline, stage)
    if place is None or place.stage is None:
        return place, Entry(place.process if place else None, f"{UNMAPPED}{stage}"[:200], at, pipeline, stage)
    return place, Entry(place.process, place.stage, at, pipeline, stage)


def _when(step: Entry | _Step) -> tuple[datetime, bool]:
    """Entries without a time were there from before; at one instant what is known from elsewhere comes first."""
    if isinstance(step, Entry):
        return step.at or EARLIEST, False
    return step.event.at, True
