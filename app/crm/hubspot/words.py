"""HubSpot's values, read: ids, times, authors; and the key by which every copy of an event is known."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from app.crm.events import Event, EventKind, from_milliseconds
from app.crm.hubspot.settings import whole_number
from app.engine.snapshot import EARLIEST, LATEST

_LONGEST_ID = 100
_BY_SOFTWARE = frozenset({"INTEGRATION", "API", "PRIVATE_APP"})
HAPPENED: dict[EventKind, str] = {
    "created": "deal.creation",
    "changed": "deal.propertyChange",
    "seen": "seen",
    "deleted": "deal.deletion",
    "merged": "deal.merge",
    "restored": "deal.restore",
}
"""What HubSpot calls it; its generic subscriptions (`object.*`) tell the same things, and get the same keys."""


def make_event(
    portal_id: int,
    object_id: str,
    kind: EventKind,
    at: datetime,
    *,
    name: str | None = None,
    value: Any = None,
    by: str | None = None,
    channel: str | None = None,
) -> Event:
    """An event with its key. A property's value is text, None where it was emptied: history and webhooks then agree."""
    plain = plain_value(value)
    named = json.dumps([portal_id, object_id, HAPPENED[kind], name, plain, at.isoformat()], ensure_ascii=False)
    return Event(hashlib.sha256(named.encode()).hexdigest(), object_id, kind, at, name, plain, by, channel)


def plain_value(value: Any) -> str | None:
    """The value of a property as HubSpot keeps it."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def author(source: Any, source_id: Any, user_id: Any = None) -> str | None:
    """Who made a change: the user; where software made it, the app."""
    named = source_id if isinstance(source_id, str) else ""
    if named.startswith("userId:"):
        return id_of(named.removeprefix("userId:"))
    by_software = isinstance(source, str) and source in _BY_SOFTWARE
    return id_of(source_id) if by_software else id_of(user_id)


def channel_of(source: Any) -> str | None:
    """HubSpot's word for where a change was made."""
    return id_of(source)


def id_of(value: Any) -> str | None:
    """An id as text; None for what is none."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)[:_LONGEST_ID]
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable():
        return value
    return None


def moment(value: Any) -> datetime | None:
    """A time as HubSpot writes it, in milliseconds or as ISO 8601, cut to milliseconds; None for what is none."""
    number = whole_number(value)
    try:
        if isinstance(number, int) and not isinstance(number, bool):
            at = from_milliseconds(number)
        elif isinstance(value, str):
            at = datetime.fromisoformat(value)
        else:
            return None
        if at.tzinfo is None:
            return None
        at = from_milliseconds((at - from_milliseconds(0)) // timedelta(milliseconds=1))
    except (ValueError, OverflowError, OSError):
        return None
    return at if EARLIEST <= at <= LATEST else None


def shown(value: Any) -> str:
    """What was found, short enough for a sentence."""
    return json.dumps(value, ensure_ascii=False)[:60]
