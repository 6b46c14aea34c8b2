"""Values of a CRM arrive as text; here they become what the process expects. The engine coerces nothing.

What does not convert is kept as it came: the engine then says that the value is of the wrong type, which is the truth.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, time, tzinfo
from typing import Any

from app.crm.connection import FieldMapping, FieldType
from app.crm.events import from_milliseconds

_NUMBER = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_MILLISECONDS = re.compile(r"-?[0-9]{9,14}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LARGEST = 2**63


def convert(value: Any, mapping: FieldMapping, zone: tzinfo = UTC) -> Any:
    """The value of a mapped property as the process's field; None when the property was emptied."""
    if value is None or value == "":
        return None
    return _CONVERTERS[mapping.type or "text"](value, mapping, zone)


def _number(value: Any, _mapping: FieldMapping, _zone: tzinfo) -> Any:
    text = value.strip() if isinstance(value, str) else ""
    if not _NUMBER.fullmatch(text):
        return value
    number = float(text) if set(text) & set(".eE") else int(text)
    if isinstance(number, float):
        return number if math.isfinite(number) else value
    return number if -_LARGEST <= number < _LARGEST else value


def _boolean(value: Any, _mapping: FieldMapping, _zone: tzinfo) -> Any:
    return {"true": True, "false": False}.get(str(value).strip().lower(), value)


def _date(value: Any, _mapping: FieldMapping, zone: tzinfo) -> Any:
    """A day: an ISO date, an ISO time, or milliseconds. Midnight UTC is how CRMs write a day that has no time."""
    text = str(value).strip()
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).date().isoformat()
        moment = from_milliseconds(int(text)) if _MILLISECONDS.fullmatch(text) else datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return moment.date().isoformat()
        utc = moment.astimezone(UTC)
        return (utc if utc.time() == time() else moment.astimezone(zone)).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return value


def _choice(value: Any, mapping: FieldMapping, _zone: tzinfo) -> Any:
    return mapping.choices.get(str(value), value)


def _text(value: Any, _mapping: FieldMapping, _zone: tzinfo) -> Any:
    """A number or a tick of the CRM's in words: some tell them as text themselves, some as they are."""
    return json.dumps(value) if isinstance(value, bool | int | float) else value


_CONVERTERS: dict[FieldType, Callable[[Any, FieldMapping, tzinfo], Any]] = {
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "choice": _choice,
    "text": _text,
}
