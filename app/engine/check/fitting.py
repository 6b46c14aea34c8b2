"""What must fit: comparisons the type of their field, options the thing they stand on, bounds each other."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from app.engine.check.declared import Declared
from app.engine.check.walk import asked, every_condition
from app.engine.conditions import Between, Condition, DealAgeCondition, FieldCondition, FieldRef, StageAgeCondition
from app.engine.errors import FileProblem
from app.engine.nodes import Marks, Path, error, shown, warning
from app.engine.process import Process, ProcessField
from app.engine.values import calendar_day, relative_days

_EQUALITY = ("is", "equals", "not_equals", "in", "not_in")
FITTING: dict[str, tuple[str, ...]] = {
    "number": (*_EQUALITY, "at_least", "at_most", "more_than", "less_than"),
    "text": _EQUALITY,
    "boolean": _EQUALITY,
    "date": (*_EQUALITY, "before", "after"),
    "choice": _EQUALITY,
}
"""Field type -> the comparisons that mean something for it."""

_ONLY_FOR = {"choices": "choice", "min_length": "text", "unit": "number"}


@lru_cache(maxsize=1)
def timezones() -> frozenset[str]:
    """The names of all timezones this installation knows; not those that mean something else on each machine."""
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def fitting_problems(process: Process, declared: Declared, marks: Marks) -> Iterator[FileProblem]:
    """Everything that does not fit."""
    if process.timezone not in timezones():
        known = {"name": shown(process.timezone), "near": None}
        yield error("unknown_timezone", marks.place(("timezone",)), **known)
    for index, field in enumerate(process.fields):
        yield from _options(("fields", index), field, marks)
    for path, condition in every_condition(process):
        yield from _condition(path, condition, declared, marks)
    for path, requirement in asked(process):
        if requirement.when is not None and requirement.when.id is not None:
            yield error("id_in_when", marks.key_place((*path, "when", "id")))
    yield from _beginning(process, marks)
    yield from _path(process, marks)


def _options(path: Path, field: ProcessField, marks: Marks) -> Iterator[FileProblem]:
    if field.type == "choice" and not field.choices:
        yield error("needs_choices", marks.place(path), field=field.key)
    for key, kind in _ONLY_FOR.items():
        if field.type != kind and getattr(field, key):
            params = {"key": key, "type": kind, "field": field.key, "found": field.type}
            yield error("only_for", marks.key_place((*path, key)), **params)


def _condition(path: Path, condition: Condition, declared: Declared, marks: Marks) -> Iterator[FileProblem]:
    if isinstance(condition, FieldCondition):
        yield from _comparison(path, condition, declared, marks)
    elif isinstance(condition, StageAgeCondition):
        yield from _bounds((*path, "stage_age"), condition.stage_age, marks)
    elif isinstance(condition, DealAgeCondition):
        yield from _bounds((*path, "deal_age"), condition.deal_age, marks)


def _bounds(path: Path, between: Between, marks: Marks) -> Iterator[FileProblem]:
    if crossed(between):
        params = {"at_least": between.at_least, "at_most": between.at_most}
        yield error("bounds_crossed", marks.place(path), **params)


def crossed(between: Between) -> bool:
    """Whether the lower bound lies above the upper one."""
    return between.shortest is not None and between.longest is not None and between.shortest > between.longest


def _comparison(path: Path, condition: FieldCondition, declared: Declared, marks: Marks) -> Iterator[FileProblem]:
    fact = declared.field_facts.get(condition.field)
    if fact is None or fact.type is None:
        return
    comparison, operand = condition.comparison, condition.operand
    params = {"field": condition.field, "type": fact.type, "comparison": comparison}
    here: Path = (*path, comparison)
    if comparison not in FITTING[fact.type]:
        yield error("comparison_unfit", marks.key_place(here), **params, known=list(FITTING[fact.type]))
    elif isinstance(operand, FieldRef):
        yield from _date_field((*here, "field"), operand.field, declared, marks)
    elif comparison in _EQUALITY[1:]:
        many = isinstance(operand, list)
        places = [((*here, at), one) for at, one in enumerate(operand)] if many else [(here, operand)]
        for place, value in places:
            if not fits(fact.type, value):
                yield error("operand_unfit", marks.place(place), **params, value=shown(value))


def fits(kind: str, value: Any) -> bool:
    """Whether a value can be one of a field of that type."""
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "date":
        return isinstance(value, str) and (calendar_day(value) is not None or relative_days(value) is not None)
    return isinstance(value, str)


def _date_field(path: Path, name: str, declared: Declared, marks: Marks) -> Iterator[FileProblem]:
    fact = declared.field_facts.get(name)
    if fact is not None and fact.type not in (None, "date"):
        yield error("not_a_date_field", marks.place(path), name=name, type=fact.type)


def _beginning(process: Process, marks: Marks) -> Iterator[FileProblem]:
    closed = {stage.key for stage in process.stages if stage.kind != "open"}
    for index, key in enumerate(process.starts):
        if key in closed:
            path: Path = ("start", index) if process.start else ("stages", 0)
            yield error("start_closed", marks.place(path), stage=key)


def _path(process: Process, marks: Marks) -> Iterator[FileProblem]:
    order = {stage.key: index for index, stage in reversed(list(enumerate(process.stages)))}
    closed = {stage.key for stage in process.stages if stage.kind != "open"}
    passed: set[str] = set()
    for index, key in enumerate(process.path):
        place = marks.place(("path", index))
        before = process.path[index - 1] if index else None
        if key in passed:
            yield error("path_repeats", place, stage=key)
        elif before in order and order.get(key, len(order)) < order[before]:
            yield warning("path_goes_back", place, stage=key, after=before)
        if key in closed and index + 1 < len(process.path):
            yield warning("path_leaves_closed", place, stage=key)
        passed.add(key)
