"""Every requirement of a process with its path, written as in the file."""

from collections.abc import Iterator
from typing import NamedTuple

from app.engine.conditions import AllCondition, AnyCondition, Condition, NotCondition
from app.engine.nodes import Path
from app.engine.process import Process
from app.engine.tops import Top


class Asked(NamedTuple):
    """A top requirement and where it stands."""

    path: Path
    requirement: Top


def asked(process: Process) -> Iterator[Asked]:
    """Every top requirement, in the order of the file."""
    for index, stage in enumerate(process.stages):
        for name, requirements in (("enter", stage.enter), ("exit", stage.exit)):
            for number, requirement in enumerate(requirements):
                yield Asked(("stages", index, name, number), requirement)
    for index, edge in enumerate(process.transitions):
        for number, requirement in enumerate(edge.requires):
            yield Asked(("transitions", index, "requires", number), requirement)


def within(path: Path, condition: Condition) -> Iterator[tuple[Path, Condition]]:
    """A requirement and everything nested in it, outermost first; not its `when`."""
    yield path, condition
    if isinstance(condition, NotCondition):
        yield from within((*path, "not"), condition.negated)
    elif isinstance(condition, AnyCondition | AllCondition):
        name, nested = nested_list(condition)
        for index, one in enumerate(nested):
            yield from within((*path, name, index), one)


def nested_list(condition: AnyCondition | AllCondition) -> tuple[str, list[Condition]]:
    """The key and the requirements of an `any` or `all`."""
    if isinstance(condition, AnyCondition):
        return "any", list(condition.alternatives)
    return "all", list(condition.parts)


def every_condition(process: Process) -> Iterator[tuple[Path, Condition]]:
    """Every requirement, nested ones and those of a `when` included."""
    for path, requirement in asked(process):
        yield from within(path, requirement)
        if requirement.when is not None:
            yield from within((*path, "when"), requirement.when)
