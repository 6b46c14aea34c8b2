"""Which literals cannot all come true: fields and ages by value, the rest when one implies what another denies."""

from collections.abc import Iterable, Mapping
from itertools import chain, combinations

from app.engine.check.demand import Demand, Literal
from app.engine.check.fitting import crossed
from app.engine.check.ranges import ages_clash, field_clash
from app.engine.conditions import (
    ActivityCondition,
    ApprovalCondition,
    Between,
    Condition,
    ContactCondition,
    DataQualityCondition,
    DealAgeCondition,
    FieldCondition,
    MoverCondition,
    StageAgeCondition,
    requirement_kind,
)
from app.engine.kinds_quality import out_of_reach
from app.engine.process import ProcessField
from app.engine.values import duration

_MOST = 40
"""Literals about one thing; beyond that no process was written by hand, and looking at every pair would take long."""

Fields = Mapping[str, ProcessField]


def clash(literals: Iterable[Literal], fields: Fields) -> tuple[Literal, ...]:
    """The first literals found that exclude each other: one, or two, or several of one subject; empty when none do."""
    for group in _by_subject(literals).values():
        if len(group) <= _MOST:
            found = _smallest(group, fields)
            if found:
                return found
    return ()


def possible(demand: Demand, fields: Fields, given: tuple[Literal, ...] = ()) -> bool:
    """Whether a demand can come true beside what is given. Choices are looked at one by one: True may be too kind."""
    literals = (*given, *demand.literals)
    if clash(literals, fields):
        return False
    return all(any(possible(one, fields, literals) for one in choice) for choice in demand.choices)


def _by_subject(literals: Iterable[Literal]) -> dict[tuple[str, str], list[Literal]]:
    groups: dict[tuple[str, str], list[Literal]] = {}
    for literal in literals:
        groups.setdefault(_subject(literal.condition), []).append(literal)
    return groups


def _subject(condition: Condition) -> tuple[str, str]:
    kind = requirement_kind(condition)
    named = kind in ("field", "contact", "approval")
    return kind, getattr(condition, kind) if named else ""


def _smallest(group: list[Literal], fields: Fields) -> tuple[Literal, ...]:
    if not _exclude(group, fields):
        return ()
    some = chain(combinations(group, 1), combinations(group, 2), [tuple(group)])
    return next(literals for literals in some if _exclude(literals, fields))


def _exclude(literals: Iterable[Literal], fields: Fields) -> bool:
    """Whether these literals, all about one subject, cannot all come true."""
    some = list(literals)
    first = some[0].condition
    if isinstance(first, FieldCondition):
        return first.field in fields and field_clash(fields[first.field], some)
    if isinstance(first, StageAgeCondition | DealAgeCondition):
        ages = [(_age(one.condition), one.wanted) for one in some]
        return ages_clash([(between, wanted) for between, wanted in ages if not crossed(between)])
    bars = [(one.condition, one.wanted) for one in some if isinstance(one.condition, DataQualityCondition)]
    if any(_hopeless(condition, fields, wanted=wanted) for condition, wanted in bars):
        return True
    wanted = [one.condition for one in some if one.wanted]
    return any(_implies(one, other.condition) for one in wanted for other in some if not other.wanted)


def _hopeless(condition: DataQualityCondition, fields: Fields, *, wanted: bool) -> bool:
    """Whether a bar lies above the best that its fields can score, or so low that nothing lies below."""
    return out_of_reach(condition, fields) if wanted else condition.data_quality.at_least == 0


def _age(condition: Condition) -> Between:
    age: Between = getattr(condition, requirement_kind(condition))
    return age


def _implies(one: Condition, other: Condition) -> bool:
    """Whether meeting `one` always meets `other`, of the same kind and subject."""
    if isinstance(one, ContactCondition) and isinstance(other, ContactCondition):
        return one.at_least >= other.at_least
    if isinstance(one, ApprovalCondition) and isinstance(other, ApprovalCondition):
        return _no_longer(one.within, other.within)
    if isinstance(one, MoverCondition) and isinstance(other, MoverCondition):
        return set(one.mover) <= set(other.mover)
    if isinstance(one, DataQualityCondition) and isinstance(other, DataQualityCondition):
        same = set(one.data_quality.fields or ()) == set(other.data_quality.fields or ())
        return same and one.data_quality.at_least >= other.data_quality.at_least
    return isinstance(one, ActivityCondition) and isinstance(other, ActivityCondition) and _more_narrow(one, other)


def _more_narrow(one: ActivityCondition, other: ActivityCondition) -> bool:
    """Whether everything that meets `one` counts for `other` too, and is enough."""
    same_kinds = other.activity == ["any"] or set(one.activity) <= set(other.activity)
    filters = ((one.outcome, other.outcome), (one.direction, other.direction), (one.with_role, other.with_role))
    narrowed = all(theirs in (None, own) for own, theirs in (*filters, (one.since, other.since)))
    enough = one.at_least >= other.at_least and _enough_people(one, other)
    return same_kinds and narrowed and enough and one.status == other.status and _no_longer(one.within, other.within)


def _enough_people(one: ActivityCondition, other: ActivityCondition) -> bool:
    if other.people is None:
        return True
    return one.people is not None and one.people >= other.people and one.with_role == other.with_role


def _no_longer(own: str | None, theirs: str | None) -> bool:
    """Whether a span of time lies within another; none at all is the longest."""
    return theirs is None or (own is not None and duration(own) <= duration(theirs))
