"""Reading a field's value by its declared type, and the table of comparisons."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from app.engine.conditions import FieldRef
from app.engine.facts import Facts
from app.engine.process import ProcessField
from app.engine.values import calendar_day, relative_days

ABSENT = object()
"""Nothing was entered."""


class Unreadable(Exception):
    """A value that cannot be compared; its text says why: `wrong_type` or `outside_choices`."""


Reader = Callable[[Any, Facts], Any]
Comparison = Callable[[Any, Any], bool]

COMPARE: dict[str, Comparison] = {
    "equals": lambda value, operand: bool(value == operand),
    "not_equals": lambda value, operand: bool(value != operand),
    "in": lambda value, operand: value in operand,
    "not_in": lambda value, operand: value not in operand,
    "at_least": lambda value, operand: bool(value >= operand),
    "at_most": lambda value, operand: bool(value <= operand),
    "more_than": lambda value, operand: bool(value > operand),
    "less_than": lambda value, operand: bool(value < operand),
    "before": lambda value, operand: bool(value < operand),
    "after": lambda value, operand: bool(value > operand),
}
"""Comparison -> function of a typed value and a typed operand. `before` and `after` are strict."""

_MOMENT = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}.*([Zz]|[+-][0-9]{2}:[0-9]{2})$")
_SAFE_YEARS = range(1800, 3100)


def _number(raw: Any, _facts: Facts) -> Any:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise Unreadable("wrong_type")
    if isinstance(raw, float) and not math.isfinite(raw):
        raise Unreadable("wrong_type")
    return raw


def _text(raw: Any, _facts: Facts) -> Any:
    if not isinstance(raw, str):
        raise Unreadable("wrong_type")
    return raw


def _boolean(raw: Any, _facts: Facts) -> Any:
    if not isinstance(raw, bool):
        raise Unreadable("wrong_type")
    return raw


def _date(raw: Any, facts: Facts) -> date:
    """A calendar day as written, or the day a moment falls on in the process's timezone."""
    if not isinstance(raw, str):
        raise Unreadable("wrong_type")
    day = calendar_day(raw)
    if day is not None:
        return day
    try:
        moment = datetime.fromisoformat(raw) if _MOMENT.match(raw) else None
    except ValueError:
        moment = None
    if moment is None or moment.year not in _SAFE_YEARS:
        raise Unreadable("wrong_type")
    return moment.astimezone(facts.zone).date()


def _choice(declared: frozenset[str]) -> Reader:
    def read(raw: Any, _facts: Facts) -> str:
        if not isinstance(raw, str):
            raise Unreadable("wrong_type")
        if raw not in declared:
            raise Unreadable("outside_choices")
        return raw

    return read


_READERS: dict[str, Reader] = {"number": _number, "text": _text, "boolean": _boolean, "date": _date}


def reader(field: ProcessField) -> Reader:
    """A function that reads this field: its typed value, ABSENT, or Unreadable raised."""
    typed = (
        _choice(frozenset(choice.key for choice in field.choices)) if field.type == "choice" else _READERS[field.type]
    )
    blanks = frozenset(word.strip().casefold() for word in field.blank) | {""}

    def read(raw: Any, facts: Facts) -> Any:
        if raw is None or (isinstance(raw, str) and raw.strip().casefold() in blanks):
            return ABSENT
        return typed(raw, facts)

    return read


def operand_reader(
    field: ProcessField, comparison: str, operand: Any, readers: Mapping[str, Reader]
) -> Callable[[Facts], Any]:
    """A function that gives what the value is compared with; ABSENT when another field holds nothing.

    The loader has made sure that the operand fits the field's type.
    """
    if field.type != "date":
        fixed = frozenset(operand) if comparison in ("in", "not_in") and field.type == "choice" else operand
        return lambda _facts: fixed
    if isinstance(operand, FieldRef):
        other, read = operand.field, readers[operand.field]
        return lambda facts: read(facts.fields.get(other), facts)
    if comparison in ("in", "not_in"):
        days = [_day(one) for one in operand]
        return lambda facts: [day(facts) for day in days]
    return _day(operand)


def _day(text: str) -> Callable[[Facts], date]:
    ahead = relative_days(text)
    if ahead is not None:
        return lambda facts: facts.today + timedelta(days=ahead)
    fixed = date.fromisoformat(text)
    return lambda _facts: fixed
