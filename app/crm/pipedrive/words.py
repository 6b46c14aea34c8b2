"""Pipedrive's words: where a deal stands, its values on one level, and the events that are made of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.crm.events import Event, EventKind, Malformed, text_of
from app.crm.pipedrive.settings import LOST, WON, PipedriveSettings
from app.crm.reading import id_of, id_or_none, key_of, plain, shown

_LONGEST_NUMBER = 18


def number_of(value: Any, field: str) -> str:
    """An id of Pipedrive's: digits, in a text or not. Anything else names nothing that could be asked for."""
    found = id_of(value, field)
    if not is_number(found):
        raise Malformed("event_field_wrong", field=field, found=shown(value))
    return found


def number_or_none(value: Any) -> str | None:
    """An id where there is a usable one."""
    found = id_or_none(value)
    return found if found is not None and is_number(found) else None


def is_number(text: str) -> bool:
    """Whether a text is an id of Pipedrive's."""
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """One level: version 2 keeps custom fields apart, each with its type; version 1 has them among the others."""
    custom = data.get("custom_fields")
    flat = {name: unwrapped(value) for name, value in data.items() if name != "custom_fields"}
    return flat | ({name: unwrapped(value) for name, value in custom.items()} if isinstance(custom, dict) else {})


def unwrapped(value: Any) -> Any:
    """`{"type": …, "value": 5, "currency": "EUR"}` and `{"id": 7, "name": …}` as their value."""
    if isinstance(value, dict):
        return plain(next((value[name] for name in ("value", "id") if name in value), value))
    return plain(value)


def place(data: Mapping[str, Any], settings: PipedriveSettings) -> str | None:
    """Where a deal stands: its status once it is closed, else its stage."""
    if data.get("status") in (WON, LOST):
        return str(data["status"])
    return id_or_none(data.get(settings.stage_property))


def is_deleted(data: Mapping[str, Any]) -> bool:
    """Whether this is a deal in the bin: one version of the API says so by its status, the other apart."""
    return data.get("status") == "deleted" or data.get("is_deleted") is True


def own_name(name: str, settings: PipedriveSettings, data: Mapping[str, Any]) -> str:
    """Version 1 calls the owner `user_id`."""
    return "user_id" if name == settings.owner_property and name not in data else name


class Deal(NamedTuple):
    """A deal that something is told of, by whom; `nth` counts what was so before within one second."""

    settings: PipedriveSettings
    object_id: str
    by: str | None = None
    channel: str | None = None
    nth: int = 0

    def event(self, kind: EventKind, at: datetime, name: str | None = None, value: Any = None, *previous: Any) -> Event:
        """An event; with a previous value, where Pipedrive told it. A webhook and the changelog make the same key."""
        second = at.replace(microsecond=0).isoformat()
        was = previous[0] if previous else None
        key = key_of(self.settings.company_id, self.object_id, kind, name, str(value), text_of(was), second, self.nth)
        return Event(key, self.object_id, kind, at, name, value, self.by, self.channel, was, bool(previous))

    def values(self, data: Mapping[str, Any], at: datetime, kind: EventKind = "changed") -> list[Event]:
        """An event for each property that concerns us and has a value. A deal that is made was in no stage before."""
        events = []
        stage = self.settings.stage_property
        for name in sorted(self.settings.followed):
            value = place(data, self.settings) if name == stage else data.get(own_name(name, self.settings, data))
            if value is not None:
                events.append(self.event(kind, at, name, value, *([None] if name == stage and kind != "seen" else [])))
        return events
