"""Ids and times of generic deliveries: as text or number, as ISO or since 1970."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.crm.events import Malformed, from_milliseconds
from app.crm.generic.pointer import MISSING, resolve
from app.crm.generic.settings import DeliveryPointers
from app.engine.snapshot import EARLIEST, LATEST

_LONGEST_ID = 100
_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)
_LOOKS_LIKE_MILLISECONDS = 100_000_000_000
"""As seconds, this is the year 5138; as milliseconds, 1973."""


def identifier(item: Any, pointer: str) -> str:
    """An id, as text. Raises Malformed."""
    value = resolve(item, pointer)
    if value is MISSING or value is None:
        raise Malformed("event_field_missing", field=pointer)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable():
        return value
    raise Malformed("event_field_wrong", field=pointer, found=shown(value))


def moment(value: Any, pointers: DeliveryPointers, field: str) -> datetime:
    """A time, in the form that the settings name, or in the one that it looks like. Raises Malformed."""
    if value is MISSING or value is None:
        raise Malformed("event_field_missing", field=field)
    try:
        at = _read(value, pointers)
    except (ValueError, OverflowError, OSError):
        at = None
    if at is None or not EARLIEST <= at <= LATEST:
        raise Malformed("event_field_wrong", field=field, found=shown(value))
    return at


def _read(value: Any, pointers: DeliveryPointers) -> datetime | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return None
    if _WHOLE.fullmatch(text):
        if pointers.times == "iso":
            return None
        number = int(text)
        in_milliseconds = pointers.times == "ms" or (pointers.times is None and number >= _LOOKS_LIKE_MILLISECONDS)
        return from_milliseconds(number if in_milliseconds else number * 1000)
    if pointers.times in ("ms", "s"):
        return None
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(pointers.timezone))).astimezone(UTC)


def shown(value: Any) -> str:
    """What was found, short enough for a sentence."""
    return json.dumps(value, ensure_ascii=False)[:60]
