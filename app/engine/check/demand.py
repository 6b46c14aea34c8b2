"""A requirement as what it demands: literals that must all come true, and choices of which one must."""

from collections.abc import Iterator
from typing import NamedTuple

from app.engine.check.walk import nested_list
from app.engine.conditions import AllCondition, AnyCondition, Condition, NotCondition


class Literal(NamedTuple):
    """One leaf requirement that must hold, or (`wanted` false) must not; `owner` is the id of the top requirement."""

    condition: Condition
    wanted: bool
    owner: str


class Demand(NamedTuple):
    """All literals, and of every choice at least one alternative."""

    literals: tuple[Literal, ...]
    choices: tuple[tuple["Demand", ...], ...] = ()

    def size(self) -> int:
        """How many literals it has, alternatives included."""
        return len(self.literals) + sum(one.size() for choice in self.choices for one in choice)


def demand_of(condition: Condition, owner: str, *, wanted: bool = True) -> Demand:
    """What must come true for a requirement to be met (or, unwanted, to be unmet)."""
    if isinstance(condition, NotCondition):
        return demand_of(condition.negated, owner, wanted=not wanted)
    if isinstance(condition, AnyCondition | AllCondition):
        nested = tuple(demand_of(one, owner, wanted=wanted) for one in nested_list(condition)[1])
        together = isinstance(condition, AllCondition) == wanted
        if together or len(nested) == 1:
            return _joined(nested)
        return Demand((), (nested,))
    return Demand((Literal(condition, wanted, owner),))


def _joined(demands: tuple[Demand, ...]) -> Demand:
    literals = tuple(literal for one in demands for literal in one.literals)
    return Demand(literals, tuple(_choices(demands)))


def _choices(demands: tuple[Demand, ...]) -> Iterator[tuple[Demand, ...]]:
    for one in demands:
        yield from one.choices
