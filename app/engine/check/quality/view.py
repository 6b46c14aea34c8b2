"""A process as the quality checks look at it: its stages with their places, its moves with all they ask."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from app.engine.check.walk import within
from app.engine.conditions import AllCondition, AnyCondition, Condition, NotCondition
from app.engine.nodes import Marks, Place
from app.engine.process import Process, Stage
from app.engine.tops import Top

Move = tuple[str, str]
_NOT_SEEN = ("mover", "stage_age", "deal_age")
"""Who moves a deal, and how long it lay, say nothing about what happened with the buyer."""


class Found(NamedTuple):
    """What a check found: where, its params, and the keys that a silence may name it by."""

    place: Place
    params: dict[str, Any]
    about: tuple[str, ...] = ()


class View:
    """What several checks ask about a process, worked out once. Names are known to be declared."""

    def __init__(self, process: Process, marks: Marks) -> None:
        self.process = process
        self.marks = marks
        self.stages: dict[str, Stage] = {stage.key: stage for stage in process.stages}
        self.order = {stage.key: index for index, stage in enumerate(process.stages)}

    def stage_place(self, key: str) -> Place:
        """Where a stage stands in the file."""
        return self.marks.place(("stages", self.order[key]))

    def kind(self, key: str) -> str:
        """The kind of a stage."""
        return self.stages[key].kind

    def of_kind(self, kind: str) -> list[Stage]:
        """The stages of a kind, in the order of the file."""
        return [stage for stage in self.process.stages if stage.kind == kind]

    def asks(self, move: Move) -> list[Top]:
        """All that a drawn move asks: exit, edge, enter."""
        source, to = move
        later = self.kind(to) == "open" and self.order[to] > self.order[source]
        forward = later or (self.kind(to) == "won" and source != to)
        leaving = self.stages[source].exit if forward else []
        return [*leaving, *self.process.edges[move], *self.stages[to].enter]

    @cached_property
    def observable(self) -> frozenset[str]:
        """The open stages that something observable leads into or out of; a way to or from lost tells no progress."""
        seen: set[str] = set()
        for move in self.process.edges:
            if "lost" not in (self.kind(move[0]), self.kind(move[1])) and any(map(_observable, self.asks(move))):
                seen.update(move)
        for stage in self.process.stages:
            if any(map(_observable, [*stage.enter, *stage.exit])):
                seen.add(stage.key)
        return frozenset(seen)


def _observable(requirement: Top) -> bool:
    return any(not any(hasattr(one, name) for name in _NOT_SEEN) for one in leaves(requirement))


def leaves(condition: Condition) -> Iterator[Condition]:
    """The requirements without others inside, at any depth."""
    for _, one in within((), condition):
        if not isinstance(one, AnyCondition | AllCondition | NotCondition):
            yield one
