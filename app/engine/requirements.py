"""Requirements compiled to functions: one table from kind to function, and the logic of three values."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from app.engine import kinds_activity, kinds_field, kinds_other, kinds_quality
from app.engine.conditions import (
    ActivityCondition,
    AllCondition,
    AnyCondition,
    Condition,
    ContactCondition,
    DataQualityCondition,
    DealAgeCondition,
    FieldCondition,
    NotCondition,
    StageAgeCondition,
    requirement_kind,
)
from app.engine.decision import Nested, Remedy
from app.engine.facts import Facts
from app.engine.operators import Reader, reader
from app.engine.process import Process, ProcessField
from app.engine.result import MET, Judge, Leaf, Result, negated
from app.engine.tops import Requirement


class Scope:
    """What compiling a requirement needs to know of its process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.fields: Mapping[str, ProcessField] = {field.key: field for field in process.fields}
        self.readers: Mapping[str, Reader] = {key: reader(field) for key, field in self.fields.items()}


def _field(condition: Condition, scope: Scope) -> Leaf:
    return kinds_field.field(cast("FieldCondition", condition), scope.fields, scope.readers)


def _stage_age(condition: Condition, _scope: Scope) -> Leaf:
    between = cast("StageAgeCondition", condition).stage_age
    return kinds_other.age(between, lambda facts: facts.stage_entry, "stage_entry_unknown")


def _deal_age(condition: Condition, _scope: Scope) -> Leaf:
    between = cast("DealAgeCondition", condition).deal_age
    return kinds_other.age(between, lambda facts: facts.created_at, "deal_start_unknown")


def _data_quality(condition: Condition, scope: Scope) -> Leaf:
    return kinds_quality.data_quality(cast("DataQualityCondition", condition), scope.fields, scope.readers)


def _of_process(compile_kind: Callable[[Any, Process], Leaf]) -> Callable[[Condition, Scope], Leaf]:
    return lambda condition, scope: compile_kind(condition, scope.process)


LEAVES: dict[str, Callable[[Condition, Scope], Leaf]] = {
    "activity": _of_process(kinds_activity.activity),
    "field": _field,
    "contact": _of_process(kinds_other.contact),
    "stage_age": _stage_age,
    "deal_age": _deal_age,
    "approval": _of_process(kinds_other.approval),
    "mover": _of_process(kinds_other.mover),
    "data_quality": _data_quality,
}
"""Kind -> function that compiles it. `any`, `all` and `not` are logic, below."""


def compile_condition(condition: Condition, scope: Scope, *, negate: bool = False) -> Judge:
    """A function that judges a requirement, or its opposite: `not` is carried down to the leaves."""
    if isinstance(condition, NotCondition):
        return compile_condition(condition.negated, scope, negate=not negate)
    if isinstance(condition, AnyCondition):
        return _group(condition.alternatives, scope, every=negate, negate=negate)
    if isinstance(condition, AllCondition):
        return _group(condition.parts, scope, every=not negate, negate=negate)
    leaf = LEAVES[requirement_kind(condition)](condition, scope)
    return negated(leaf) if negate else leaf.judge


class _Member(NamedTuple):
    name: str | None
    expected: dict[str, Any]
    judge: Judge


_GROUP_CODES = {
    (True, False): "not_all_met",
    (False, False): "none_met",
    (True, True): "must_not_hold",
    (False, True): "must_not_hold",
}


def _group(conditions: Sequence[Condition], scope: Scope, *, every: bool, negate: bool) -> Judge:
    members = [
        _Member(one.id, _opposite(expected_of(one), negate=negate), compile_condition(one, scope, negate=negate))
        for one in conditions
    ]
    code = _GROUP_CODES[every, negate]
    decisive = not every

    def judge(facts: Facts) -> Result:
        results = [member.judge(facts) for member in members]
        verdicts = [result.holds for result in results]
        if decisive in verdicts:
            holds: bool | None = decisive
        else:
            holds = None if None in verdicts else every
        if holds:
            return MET
        nested = tuple(_nested(member, result) for member, result in zip(members, results, strict=True))
        counts = {"met": verdicts.count(True), "unmet": verdicts.count(False), "unknown": verdicts.count(None)}
        remedies = _every_way(results) if every else _one_way(results)
        return Result(holds, code if holds is False else "cannot_evaluate", counts, remedies, {}, nested)

    return judge


def _nested(member: _Member, result: Result) -> Nested:
    return Nested(member.name, result.holds, result.code, member.expected, *result[2:])


def _one_way(results: Sequence[Result]) -> tuple[Remedy, ...]:
    """Any alternative will do; those that nothing can help are left out."""
    ways = [result.remediation for result in results if result.remediation]
    steps = [way[0] if len(way) == 1 else {"all_of": list(way)} for way in ways]
    return ({"one_of": steps},) if steps else ()


def _every_way(results: Sequence[Result]) -> tuple[Remedy, ...]:
    """All that do not hold must be put right; where one cannot, nothing helps."""
    open_ones = [result.remediation for result in results if not result.holds]
    if not all(open_ones):
        return ()
    return tuple(step for way in open_ones for step in way)


def _opposite(expected: dict[str, Any], *, negate: bool) -> dict[str, Any]:
    return {"not": expected} if negate else expected


_NOT_ASKED = set(Requirement.model_fields)
_ACTIVITY_ORDER = ("activity", "status", "outcome", "at_least", "direction", "within", "since", "with", "people")
_GOES_WITHOUT_SAYING = {"status": "done", "since": "stage_entry"}
"""What most requirements on activities say; `expected` names the other values only."""


def expected_of(condition: Condition, *, top: bool = False) -> dict[str, Any]:
    """What a requirement asks, as data: the `expected` of its finding."""
    if isinstance(condition, NotCondition):
        return {"not": expected_of(condition.negated)}
    if isinstance(condition, AnyCondition):
        return {"any": [expected_of(one) for one in condition.alternatives]}
    if isinstance(condition, AllCondition):
        return {"all": [expected_of(one) for one in condition.parts]}
    kind = requirement_kind(condition)
    asked = condition.model_dump(by_alias=True, exclude_none=True, exclude=_NOT_ASKED, mode="json")
    if kind == "activity":
        asked["activity"] = asked["activity"][0] if len(asked["activity"]) == 1 else asked["activity"]
        told = [name for name in _ACTIVITY_ORDER if name in asked and asked[name] != _GOES_WITHOUT_SAYING.get(name)]
        asked = {name: asked[name] for name in told}
    if top and kind == "field":
        del asked["field"]
    return asked


def nested_in(condition: Condition) -> list[Condition]:
    """The requirements that stand directly inside one."""
    if isinstance(condition, NotCondition):
        return [condition.negated]
    if isinstance(condition, AnyCondition):
        return list(condition.alternatives)
    return list(condition.parts) if isinstance(condition, AllCondition) else []


def leaves_of(condition: Condition) -> list[Condition]:
    """Every requirement within one that nests nothing, itself included."""
    inner = nested_in(condition)
    return [leaf for one in inner for leaf in leaves_of(one)] if inner else [condition]


def counts_early(condition: Condition) -> bool:
    """Whether meeting it before its stage is reached counts: nothing in it looks at stages, ages or approvals."""
    return all(_timeless(leaf) for leaf in leaves_of(condition))


def _timeless(leaf: Condition) -> bool:
    if isinstance(leaf, ActivityCondition):
        return leaf.since in (None, "deal_start") and leaf.within is None and leaf.status == "done"
    return isinstance(leaf, FieldCondition | ContactCondition | DataQualityCondition)
