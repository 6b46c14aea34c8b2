"""Ids, times and texts as CRMs write them, for adapters whose vendor is not strict about types. Raises Malformed."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from app.crm.events import Malformed, from_milliseconds
from app.engine.snapshot import EARLIEST, LATEST
from app.safe_json import UnsafeJson, read_json

_LONGEST_ID = 100
_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)
_WITHIN_SECOND = timedelta(seconds=1) - timedelta(microseconds=1)
_MILLISECONDS_FROM = 100_000_000_000
"""As seconds, this is the year 5138; as milliseconds, 1973."""


def json_of(body: bytes) -> Any:
    """The JSON of a body, safe to keep."""
    try:
        return read_json(body)
    except UnsafeJson as error:
        raise Malformed(error.code, **error.params) from error


def object_of(value: Any) -> dict[str, Any]:
    """The value, which must be an object."""
    if not isinstance(value, dict):
        raise Malformed("event_not_an_object")
    return value


def part_of(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object within an object; an empty one where it is left out or null."""
    found = value.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Malformed("event_field_wrong", field=name, found=shown(found))
    return found


def id_of(value: Any, field: str) -> str:
    """An id, as text: some send numbers, some digits in a text."""
    if value is None:
        raise Malformed("event_field_missing", field=field)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable():
        return value
    raise Malformed("event_field_wrong", field=field, found=shown(value))


def id_or_none(value: Any) -> str | None:
    """An id where there is a usable one."""
    try:
        return id_of(value, "")
    except Malformed:
        return None


def time_of(value: Any, field: str) -> datetime:
    """An instant: ISO 8601 (UTC where it has no offset), or seconds or milliseconds since 1970, as number or text."""
    if value is None:
        raise Malformed("event_field_missing", field=field)
    at = _instant(value)
    if at is None or not EARLIEST <= at <= LATEST:
        raise Malformed("event_field_wrong", field=field, found=shown(value))
    return at


def time_or_none(value: Any) -> datetime | None:
    """An instant where there is a usable one."""
    at = None if value is None else _instant(value)
    return at if at is not None and EARLIEST <= at <= LATEST else None


def within_second(at: datetime, of: datetime | None) -> datetime:
    """A precise time, kept inside the second that the record itself gives for the same change."""
    return at if of is None else min(max(at, of), of + _WITHIN_SECOND)


def key_of(*parts: Any) -> str:
    """The key by which every copy of what these parts say is known."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, default=str).encode()).hexdigest()


T = TypeVar("T", bound=tuple[Any, ...])


def oldest_first(entries: Sequence[T]) -> list[T]:
    """A history whose entries begin with their time, whichever way round it came; those of one second in its order.

    Where that does not show, because it is all of one second, the newest came first: so CRMs list what happened.
    """
    newest_first = bool(entries) and entries[0][0] >= entries[-1][0]
    return sorted(reversed(entries) if newest_first else entries, key=lambda one: one[0])


class Rounds:
    """Tells the changes of one property apart that a history told to the second has within one second.

    They come in their order. Where the property comes back to what it has been within that second, a new round begins,
    a microsecond later: within a round each change follows from what it says was before it, and from that alone.
    """

    def __init__(self) -> None:
        self._second: datetime | None = None
        self._round = 0
        self._been: set[str] = set()
        self._times: dict[tuple[str, str], int] = {}

    def place(self, at: datetime, old: Any, new: Any) -> tuple[datetime, int]:
        """When to say that it was, and how often the very same change was made within that second before."""
        was, now = str(old), str(new)
        if at != self._second:
            self._second, self._round, self._been, self._times = at, 0, {was}, {}
        if now in self._been:
            self._round += 1
            self._been = {was}
        self._been.add(now)
        nth = self._times.get((was, now), 0)
        self._times[was, now] = nth + 1
        return at + timedelta(microseconds=self._round), nth


def objects_in(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none where there is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def plain(value: Any) -> Any:
    """A value as it may be kept: text, number, truth, or the JSON of anything else."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def shown(value: Any) -> str:
    """What was found, short enough for a sentence."""
    return json.dumps(value, ensure_ascii=False, default=str)[:60]


def _instant(value: Any) -> datetime | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return None
    try:
        if _WHOLE.fullmatch(text):
            number = int(text)
            return from_milliseconds(number if number >= _MILLISECONDS_FROM else number * 1000)
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
