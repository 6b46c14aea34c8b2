"""Can one value satisfy all of these? For fields and ages, by trying every value that could make a difference."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from app.engine.check.demand import Literal
from app.engine.check.fitting import FITTING, fits
from app.engine.conditions import Between, FieldCondition, FieldRef
from app.engine.operators import COMPARE
from app.engine.process import ProcessField
from app.engine.values import calendar_day, relative_days

_MINUTE = 60
_LONGEST_LIST = 200
_Test = tuple[FieldCondition, bool]


def ages_clash(literals: list[tuple[Between, bool]]) -> bool:
    """Whether no age lies in all the wanted ranges and outside the others."""
    bounds = [(_minutes(one.shortest), _minutes(one.longest), wanted) for one, wanted in literals]
    points = [Fraction(bound) for low, high, _ in bounds for bound in (low, high) if bound is not None]
    return not any(
        all(((low is None or age >= low) and (high is None or age <= high)) == wanted for low, high, wanted in bounds)
        for age in _around([Fraction(0), *points])
        if age >= 0
    )


def _minutes(duration: Any) -> int | None:
    return None if duration is None else int(duration.total_seconds()) // _MINUTE


def _around(points: Iterable[Fraction]) -> list[Fraction]:
    """The points, one between each two, one below and one above: comparisons cannot tell further values apart."""
    ordered = sorted(set(points))
    between = [(low + high) / 2 for low, high in pairwise(ordered)]
    return [*ordered, *between, ordered[0] - 1, ordered[-1] + 1]


def field_clash(field: ProcessField, literals: Iterable[Literal]) -> bool:
    """Whether neither absence nor any value of the field satisfies all the literals."""
    tests = [(one.condition, one.wanted) for one in literals if isinstance(one.condition, FieldCondition)]
    sound = [(condition, wanted) for condition, wanted in tests if _is_sound(field, condition)]
    if all((condition.operand == "absent" and condition.comparison == "is") == wanted for condition, wanted in sound):
        return False
    if field.type == "date":
        return _dates_clash(sound)
    return not _satisfied(sound, _candidates(field, sound), lambda condition: condition.operand)


def _is_sound(field: ProcessField, condition: FieldCondition) -> bool:
    """Comparisons that do not fit are told elsewhere; they and lists that nobody wrote by hand say nothing here."""
    comparison, operand = condition.comparison, condition.operand
    if comparison not in FITTING[field.type] or len(_listed(operand)) > _LONGEST_LIST:
        return False
    if comparison == "is" or isinstance(operand, FieldRef):
        return True
    if field.type == "choice":
        return {choice.key for choice in field.choices}.issuperset(_listed(operand))
    return all(fits(field.type, one) for one in _listed(operand))


def _satisfied(tests: list[_Test], values: Iterable[Any], operand_of: Callable[[FieldCondition], Any]) -> bool:
    def holds(condition: FieldCondition, value: Any) -> bool:
        if condition.comparison == "is":
            return bool(condition.operand == "present")
        return COMPARE[condition.comparison](value, operand_of(condition))

    return any(all(holds(condition, value) == wanted for condition, wanted in tests) for value in values)


def _candidates(field: ProcessField, tests: list[_Test]) -> list[Any]:
    operands = [one for condition, _ in tests if condition.comparison != "is" for one in _listed(condition.operand)]
    if field.type == "boolean":
        return [True, False]
    if field.type == "number":
        return list(_around([Fraction(0), *map(Fraction, operands)]))
    blanks = {word.strip().casefold() for word in field.blank} | {""}
    words = [choice.key for choice in field.choices] if field.type == "choice" else [*operands, _unheard_of(operands)]
    return [word for word in words if word.strip().casefold() not in blanks]


def _unheard_of(words: list[str]) -> str:
    """A text that is none of these."""
    return "x" * (1 + max((len(word) for word in words), default=0))


def _listed(operand: Any) -> list[Any]:
    return operand if isinstance(operand, list) else [operand]


def _dates_clash(tests: list[_Test]) -> bool:
    """Dates compare among fixed days, among days from today, and among days of one field; never across these."""
    based = [(condition, wanted, _base(condition)) for condition, wanted in tests]
    for base in {base for _, _, base in based if base not in (None, "mixed")}:
        group = [(condition, wanted) for condition, wanted, own in based if own in (None, base)]
        days = [day for condition, _ in group if condition.comparison != "is" for day in _days(condition)]
        near = {day + step for day in days for step in (-1, 0, 1)}
        if not _satisfied(group, near, _day_operand):
            return True
    presence = [(condition, wanted) for condition, wanted, base in based if base is None]
    return not _satisfied(presence, [0], _day_operand)


def _base(condition: FieldCondition) -> str | None:
    """What the days of a comparison are counted from; None for mere presence."""
    if condition.comparison == "is":
        return None
    bases = {_counted_from(one) for one in _listed(condition.operand)}
    return bases.pop() if len(bases) == 1 else "mixed"


def _counted_from(operand: Any) -> str:
    if isinstance(operand, FieldRef):
        return f"field {operand.field}"
    return "calendar" if calendar_day(operand) else "today"


def _days(condition: FieldCondition) -> list[int]:
    return [_day(one) for one in _listed(condition.operand)]


def _day_operand(condition: FieldCondition) -> Any:
    days = _days(condition)
    return days if isinstance(condition.operand, list) else days[0]


def _day(operand: Any) -> int:
    if isinstance(operand, FieldRef):
        return 0
    day = calendar_day(operand)
    return day.toordinal() if day else relative_days(operand) or 0
