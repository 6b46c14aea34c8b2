"""What asking one requirement gives: met, unmet or unknown, with the figures and the ways out."""

from collections.abc import Callable
from typing import Any, NamedTuple

from app.engine.decision import Nested, Remedy
from app.engine.facts import Facts


class Result(NamedTuple):
    """Met (True), unmet (False) or unknown (None)."""

    holds: bool | None
    code: str | None = None
    actual: dict[str, Any] = {}
    remediation: tuple[Remedy, ...] = ()
    params: dict[str, Any] = {}
    nested: tuple[Nested, ...] = ()


MET = Result(True)


def unknown(
    because: str, remediation: tuple[Remedy, ...] = (), *, params: dict[str, Any] | None = None, **actual: Any
) -> Result:
    """It cannot be told, and why."""
    return Result(None, "cannot_evaluate", {**actual, "because": because}, remediation, params or {})


Judge = Callable[[Facts], Result]


class Leaf(NamedTuple):
    """A requirement that nests nothing, compiled.

    `observe` gives the figures of a met one, and `undo` the ways to make it unmet: both serve `not`. `unreadable_undo`
    is the way out for `not` where the value cannot be read and the opposite asks for another one.
    """

    judge: Judge
    observe: Callable[[Facts], dict[str, Any]]
    undo: Callable[[Facts], tuple[Remedy, ...]]
    params: dict[str, Any] = {}
    unreadable_undo: tuple[Remedy, ...] = ()


def negated(leaf: Leaf) -> Judge:
    """The opposite of a leaf: unknown stays unknown."""

    def judge(facts: Facts) -> Result:
        result = leaf.judge(facts)
        if result.holds is None:
            turned = bool(leaf.unreadable_undo and result.remediation)
            return result._replace(remediation=leaf.unreadable_undo) if turned else result
        if not result.holds:
            return MET
        return Result(False, "must_not_hold", leaf.observe(facts), leaf.undo(facts), leaf.params)

    return judge
