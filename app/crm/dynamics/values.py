"""Dataverse's values, as plugins write them and as the Web API does: plain, however they are wrapped."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from app.crm.dynamics.settings import is_guid, plain_guid
from app.crm.events import from_milliseconds
from app.crm.reading import time_or_none
from app.engine.snapshot import EARLIEST, LATEST

_DATE = re.compile(r"/Date\((-?[0-9]{1,15})([+-][0-9]{4})?\)/", re.ASCII)
_DEEPEST = 8
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Reference(NamedTuple):
    """Another record."""

    table: str
    id: str


def plain(value: Any, depth: int = 0) -> Any:
    """A value without its wrapping; text of an instant for a date. Labels are let go: they are in a user's language."""
    if isinstance(value, dict):
        if "Value" in value and depth < _DEEPEST:
            return plain(value["Value"], depth + 1)
        reference = reference_of(value)
        return None if reference is None else reference.id
    if isinstance(value, list):
        found = [plain(one, depth + 1) for one in value] if depth < _DEEPEST else []
        return ";".join(sorted(str(one) for one in found if one is not None)) or None
    at = moment(value) if isinstance(value, str) and value.startswith("/Date(") else None
    return value if at is None else at.isoformat()


def text_of(value: Any) -> str | None:
    """A value as both ways tell it."""
    found = plain(value)
    if found is None or found == "":
        return None
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def moment(value: Any) -> datetime | None:
    """A time: `/Date(1506384247000-0700)/`, where the offset is for show, or ISO 8601."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return time_or_none(value)
    try:
        at = from_milliseconds(int(found[1])).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if EARLIEST <= at <= LATEST else None


def guid_of(value: Any) -> str | None:
    """An id; None for what is none, such as the one of noughts. It may stand in addresses as it is."""
    found = plain_guid(value)
    return found if isinstance(found, str) and is_guid(found) and found != _NOBODY else None


def reference_of(value: Any) -> Reference | None:
    """The record that a value points to."""
    if not isinstance(value, dict):
        return None
    found = guid_of(value.get("Id"))
    return None if found is None else Reference(str(value.get("LogicalName")), found)


def attributes(entity: Any) -> dict[str, Any]:
    """The columns of a record, as they came: a list of keys and values, or an object."""
    found = entity.get("Attributes") if isinstance(entity, dict) else None
    if isinstance(found, list):
        return pairs(found)
    return dict(found) if isinstance(found, dict) else {}


def pairs(found: Any) -> dict[str, Any]:
    """A list of keys and values; of a key that stands there twice, the first."""
    values: dict[str, Any] = {}
    for one in found if isinstance(found, list) else []:
        if isinstance(one, dict) and isinstance(one.get("key"), str):
            values.setdefault(one["key"], one.get("value"))
    return values


def column(data: Mapping[str, Any], name: str) -> Any:
    """The value of a column; the Web API calls one that points to another record `_name_value`."""
    return data.get(name, data.get(f"_{name}_value"))
