"""A deal's events by the property that they tell: what one was at a time is found without going through all of them."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime

from app.crm.events import Event


class Changes:
    """INVARIANT: the events come in order."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._of: dict[str | None, list[Event]] = {}
        for event in events:
            self._of.setdefault(event.name, []).append(event)

    def of(self, name: str) -> Sequence[Event]:
        """All that is told of a property."""
        return self._of.get(name, ())

    def latest(self, name: str, at: datetime | None = None) -> Event | None:
        """The last change of a property, up to an instant if one is given."""
        told = self.of(name)
        place = len(told) if at is None else bisect_right(told, at, key=lambda one: one.at)
        return told[place - 1] if place else None

    def first(self, name: str) -> Event | None:
        """The first that is told of a property."""
        return next(iter(self.of(name)), None)

    def known_by(self, name: str, at: datetime) -> Event | None:
        """What tells the value of a property at a time: its last change until then; else what its first change tells of
        before; else its value when it was first seen.
        """
        found, first = self.latest(name, at), self.first(name)
        if found is not None:
            return found
        if first is None or first.kind == "seen":
            return first
        return first._replace(value=first.previous, by=None) if first.tells_previous else None
