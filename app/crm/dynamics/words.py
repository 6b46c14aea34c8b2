"""Dynamics' words: where an opportunity stands, and its events with the key by which each copy is known."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.crm.dynamics.settings import LOST, WON, DynamicsSettings
from app.crm.dynamics.values import column, plain, text_of
from app.crm.events import Event, EventKind
from app.crm.reading import key_of

STATE = "statecode"
OPEN = "0"
_CLOSED = {"1": WON, "2": LOST}


def place(data: Mapping[str, Any], settings: DynamicsSettings) -> str | None:
    """Where an opportunity stands: its state once it is closed, else its stage."""
    closed = _CLOSED.get(str(plain(data.get(STATE))))
    return closed if closed is not None else text_of(column(data, settings.stage_property))


class Deal(NamedTuple):
    """An opportunity that something is told of."""

    settings: DynamicsSettings
    object_id: str
    by: str | None = None
    channel: str | None = None

    def event(self, kind: EventKind, at: datetime, name: str | None = None, value: Any = None, *previous: Any) -> Event:
        """An event; with a previous value, where Dynamics told it.

        Steps and audit tell the same to the second. Sent again, a step is the same.
        """
        told, was = text_of(value), text_of(previous[0]) if previous else None
        organization = self.settings.organization_id or self.settings.organization_name
        key = key_of(organization, self.object_id, kind, name, told, at.replace(microsecond=0).isoformat())
        return Event(key, self.object_id, kind, at, name, told, self.by, self.channel, was, bool(previous))

    def values(self, data: Mapping[str, Any], at: datetime, kind: EventKind) -> Iterator[Event]:
        """An event for each column that concerns us and has a value. What is seen to be empty is told as empty."""
        for name in sorted(self.settings.followed):
            is_stage = name == self.settings.stage_property
            found = place(data, self.settings) if is_stage else column(data, name)
            is_empty = kind == "seen" and not is_stage and (name in data or f"_{name}_value" in data)
            if text_of(found) is not None or is_empty:
                yield self.event(kind, at, name, found)
