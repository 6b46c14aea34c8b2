"""What the facts would be, were a step taken: the plan's own small world. Nothing here is ever stored or shown."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from app.engine.conditions import FieldCondition, FieldRef
from app.engine.effort import Step
from app.engine.facts import Facts
from app.engine.operators import ABSENT, Unreadable
from app.engine.process import ProcessField
from app.engine.requirements import Scope
from app.engine.snapshot import Activity, Approval, Contact
from app.engine.values import calendar_day, relative_days

_FIRST_DAY, _LAST_DAY = date.min.toordinal(), date.max.toordinal()

SOMEBODY = "\x00plan"
"""Prefix of the people and activities a plan makes up; no snapshot may hold a NUL."""


def take(step: Step, facts: Facts, number: int) -> Facts:
    """The facts after a step that is not about a field; `number` keeps made-up ids apart."""
    kind = step["kind"]
    if kind == "wait_until":
        return _later(facts, datetime.fromisoformat(step["until"]))
    if kind == "name_contact":
        named = [Contact(id=f"{SOMEBODY}-{number}-{n}", role=step["role"]) for n in range(step["times"])]
        return facts.copy(contacts=[*facts.contacts, *named])
    if kind == "request_approval":
        yes = Approval.model_construct(
            role=step["role"], by=f"{SOMEBODY}-{number}", from_stage=facts.stage, to_stage=facts.to, at=facts.as_of
        )
        return facts.copy(approvals=[*facts.approvals, yes])
    return facts.copy(activities=[*facts.activities, *_activities(step, facts, number)])


def _later(facts: Facts, until: datetime) -> Facts:
    """Time passes; what the plan does is done at the end of it."""
    moved = [
        one.model_copy(update={"at": one.at + (until - facts.as_of)}) if one.id.startswith(SOMEBODY) else one
        for one in facts.activities
    ]
    agreed = [one.model_copy(update={"at": until}) if one.by.startswith(SOMEBODY) else one for one in facts.approvals]
    return facts.copy(as_of=until, activities=moved, approvals=agreed)


def _activities(step: Step, facts: Facts, number: int) -> list[Activity]:
    planned = step["kind"] == "book_activity"
    at = facts.as_of + timedelta(seconds=1) if planned else facts.as_of
    people = _people(step, facts, number)
    return [
        Activity.model_construct(
            id=f"{SOMEBODY}-{number}-{n}",
            activity=step["activity"],
            at=at,
            status="planned" if planned else "done",
            outcome=step.get("outcome"),
            direction=step.get("direction"),
            contacts=people,
            by=None,
        )
        for n in range(step["times"])
    ]


def _people(step: Step, facts: Facts, number: int) -> tuple[str, ...]:
    """Who takes part: everybody who has the role, or as many new people as the step asks for."""
    if "with" in step:
        return tuple(sorted(facts.people_in(step["with"])))
    return tuple(f"{SOMEBODY}-{number}-contact-{n}" for n in range(step.get("people", 0)))


class FieldValues:
    """Values that could be found out for a field, made from what is asked of it."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def candidates(self, key: str, asked: list[FieldCondition], facts: Facts) -> list[Any]:
        """Values worth trying for a field, those named in the file first; None (nothing) last."""
        field = self._scope.fields[key]
        values: list[Any] = []
        if field.type == "choice":
            values = [choice.key for choice in field.choices]
        elif field.type == "boolean":
            values = [True, False]
        elif field.type == "number":
            values = _numbers([one for one in asked if one.field == key])
        elif field.type == "date":
            values = [day.isoformat() for day in self._days(key, asked, facts)]
        else:
            values = _texts(field, [one for one in asked if one.field == key])
        return [*values, None]

    def _days(self, key: str, asked: list[FieldCondition], facts: Facts) -> list[date]:
        near = {facts.today}
        for condition in asked:
            operands = condition.operand if isinstance(condition.operand, list) else [condition.operand]
            if condition.field != key:  # this field is what another one is compared with
                operands = [FieldRef(field=condition.field)]
            near.update(day for one in operands if (day := self._day(one, facts)) is not None)
        ordinals = sorted({day.toordinal() + shift for day in near for shift in (-1, 0, 1)})
        return [date.fromordinal(one) for one in ordinals if _FIRST_DAY <= one <= _LAST_DAY]

    def _day(self, operand: Any, facts: Facts) -> date | None:
        if isinstance(operand, FieldRef):
            try:
                other = self._scope.readers[operand.field](facts.fields.get(operand.field), facts)
            except Unreadable:
                return None
            return None if other is ABSENT else other
        ahead = relative_days(operand)
        return calendar_day(operand) if ahead is None else facts.today + timedelta(days=ahead)


def _operands(asked: list[FieldCondition]) -> list[Any]:
    named: list[Any] = []
    for condition in asked:
        named += condition.operand if isinstance(condition.operand, list) else [condition.operand]
    return named


def _numbers(asked: list[FieldCondition]) -> list[Any]:
    named = sorted({value for value in _operands(asked) if not isinstance(value, str)})
    between = [(low + high) / 2 for low, high in pairwise(named)]
    beyond = [step for value in named for step in (value + 1 + abs(value), value - 1 - abs(value))]
    return [*named, *between, *(value + 1 for value in named), *(value - 1 for value in named), *beyond, 0, 1]


def _texts(field: ProcessField, asked: list[FieldCondition]) -> list[str]:
    named = [value for condition in asked if condition.comparison != "is" for value in _operands([condition])]
    long_enough = max(field.min_length or 1, 1)
    return [*named, *("\x00" * (long_enough + extra) for extra in range(len(named) + 1))]
