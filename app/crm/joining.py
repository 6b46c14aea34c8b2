"""Events joined: copies are one, whoever told them, and what one of them knew more is kept."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from app.crm.events import Event, text_of

MOST_CHANGES = 200
"""Changes kept of one property; older ones matter to no verdict that is still open."""


def in_order(events: Iterable[Event]) -> list[Event]:
    """By the CRM's own time; at one instant in an order that is the same whatever the order of arrival.

    Several changes of one property at one instant follow each other as each tells what was before it: CRMs whose times
    are whole seconds have no other way to tell.
    """
    ordered = sorted(events, key=lambda one: (one.at, one.kind != "created", one.name or "", str(one.value), one.key))
    last: dict[str | None, Any] = {}
    chained: list[Event] = []
    for _, at_once in groupby(ordered, key=lambda one: (one.at, one.kind != "created", one.name)):
        run = list(at_once)
        chained += run if len(run) == 1 or run[0].name is None else _chained(run, last.get(run[0].name))
        last[run[0].name] = chained[-1].value
    return chained


def joined(known: Sequence[Event], new: Iterable[Event]) -> tuple[Event, ...]:
    """All of them in order, each once; of one property the oldest changes are let go."""
    by_key: dict[str, Event] = {}
    for event in (*known, *new):
        by_key[event.key] = _same(by_key[event.key], event) if event.key in by_key else event
    by_content: dict[tuple[str, ...], list[Event]] = {}
    for event in by_key.values():
        content = (event.at.isoformat(), _sort(event), event.name or "", str(event.value))
        by_content.setdefault(content, []).append(event)
    ordered = in_order(event for alike in by_content.values() for event in _copies(alike))
    counts: dict[str | None, int] = {}
    for event in ordered:
        counts[event.name] = counts.get(event.name, 0) + 1
    return tuple(ordered if max(counts.values(), default=0) <= MOST_CHANGES else _thinned(ordered))


def _chained(run: list[Event], before: Any) -> list[Event]:
    """Changes at one instant, one after another as each tells what was before it.

    First comes what follows from the value before, last what was only seen. Where nobody can say where a round began
    that neither begins with the value before nor is left again, it stays as it is.
    """
    into: dict[str, list[Event]] = {}
    for event in run:
        into.setdefault(text_of(event.value), []).append(event)
    left = Counter(text_of(one.previous) for one in run if one.tells_previous)
    ends = [value for value, came in into.items() if len(came) > left[value]]
    trails = [_trail(into, end) for end in (*ends, text_of(before))]
    trails = [one for one in trails if one]
    trails.sort(key=lambda one: (not _follows(one[0], before), one[0].kind == "seen"))
    return [*(event for one in trails for event in one), *(event for came in into.values() for event in came)]


def _trail(into: dict[str, list[Event]], end: str) -> list[Event]:
    """The changes that lead to a value, taken out of all: walked back from it, round trips on the way included."""
    walked: list[tuple[str | None, Event | None]] = [(end, None)]
    trail: list[Event] = []
    while walked:
        value, event = walked[-1]
        if value is not None and into.get(value):
            found = into[value].pop()
            walked.append((text_of(found.previous) if found.tells_previous else None, found))
            continue
        walked.pop()
        if event is not None:
            trail.append(event)
    return trail


def _copies(alike: list[Event]) -> list[Event]:
    """Events of one content, each once: those that tell another previous value than others are not their copies."""
    if len(alike) == 1:
        return alike
    by_previous: dict[str, Event] = {}
    for event in sorted(alike, key=lambda one: not one.tells_previous):
        told = text_of(event.previous) if event.tells_previous else min(by_previous, default="")
        by_previous[told] = _same(by_previous[told], event) if told in by_previous else event
    return list(by_previous.values())


def _follows(event: Event, before: Any) -> bool:
    return event.tells_previous and text_of(event.previous) == text_of(before)


def _sort(event: Event) -> str:
    """A change told and a value seen at the same instant are the same; what happens to the whole deal stays apart."""
    return "changed" if event.kind == "seen" else event.kind


def _same(one: Event, other: Event) -> Event:
    """Two copies as one: what either knows, and the smaller where they disagree, so that order does not matter."""
    telling = [event.previous for event in (one, other) if event.tells_previous]
    return one._replace(
        key=min(one.key, other.key),
        kind=other.kind if one.kind == "seen" else one.kind,
        at=min(one.at, other.at, key=_finest),
        value=min(one.value, other.value, key=repr),
        by=_least(one.by, other.by),
        channel=_least(one.channel, other.channel),
        previous=min(telling, key=repr) if telling else None,
        tells_previous=bool(telling),
    )


def _finest(at: datetime) -> tuple[datetime, int]:
    """Sorts times: the earliest second, and in it the last. Some tell only the second, and some that a property came
    back to a value within one: what counts then is where it stayed.
    """
    return at.replace(microsecond=0), -at.microsecond


def _least(one: str | None, other: str | None) -> str | None:
    return min((text for text in (one, other) if text is not None), default=None)


def _thinned(ordered: list[Event]) -> list[Event]:
    """What was only seen once more goes first, then the oldest."""
    runs: dict[str | None, list[Event]] = {}
    for event in ordered:
        runs.setdefault(event.name, []).append(event)
    kept: set[str] = set()
    for of_name in runs.values():
        telling = [event for place, event in enumerate(of_name) if not _says_nothing(of_name, place)]
        kept |= {event.key for event in telling[-MOST_CHANGES:]}
    return [event for event in ordered if event.key in kept]


def _says_nothing(of_name: list[Event], place: int) -> bool:
    around = of_name[max(place - 1, 0) : place + 2]
    return (
        of_name[place].kind == "seen"
        and 0 < place < len(of_name) - 1
        and len({str(event.value) for event in around}) == 1
    )
