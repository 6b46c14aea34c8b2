"""The graph of drawn moves, held by one `transitions` machine per process version. The only import of `transitions`.

The machine never sees text of a file as anything but a name: conditions are functions of ours, automatic transitions
are off (they would draw an edge from every stage to every stage), and no model is registered.
"""

from collections.abc import Iterable
from typing import cast

from transitions import EventData, Machine, Transition

from app.engine.process import Process


class Mover:
    """What the machine moves: a stage, and the verdict on the move it is asked to make."""

    __slots__ = ("blocked", "state")

    def __init__(self, stage: str, *, blocked: bool) -> None:
        self.state = stage
        self.blocked = blocked


def _not_blocked(event: EventData) -> bool:
    return not cast("Mover", event.model).blocked


class Graph:
    """Which moves are drawn, and whether a verdict lets one pass."""

    def __init__(self, process: Process, moves: Iterable[tuple[str, str]]) -> None:
        self._machine = Machine(
            model=None,
            states=[stage.key for stage in process.stages],
            initial=process.starts[0],
            auto_transitions=False,
            send_event=True,
        )
        self._drawn: dict[tuple[str, str], Transition] = {}
        self._next: dict[str, list[str]] = {stage.key: [] for stage in process.stages}
        self._before: dict[str, list[str]] = {stage.key: [] for stage in process.stages}
        for source, to in moves:
            name = _trigger(source, to)
            self._machine.add_transition(name, source, to, conditions=[_not_blocked])
            self._drawn[source, to] = self._machine.events[name].transitions[source][0]
            self._next[source].append(to)
            self._before[to].append(source)
        order = {stage.key: index for index, stage in enumerate(process.stages)}
        for destinations in self._next.values():
            destinations.sort(key=order.__getitem__)

    def draws(self, source: str, to: str) -> bool:
        """Whether the move is drawn."""
        return (source, to) in self._drawn

    def destinations(self, source: str) -> list[str]:
        """Where drawn moves lead from a stage, in the order of the stages."""
        return self._next[source]

    def sources(self, to: str) -> list[str]:
        """Where drawn moves to a stage come from, in the order they are drawn."""
        return self._before[to]

    def passes(self, source: str, to: str, *, blocked: bool) -> bool:
        """Whether the machine lets a drawn move pass, given the verdict of its requirements."""
        transition = self._drawn[source, to]
        event = EventData(None, None, self._machine, Mover(source, blocked=blocked), (), {})
        for condition in transition.conditions:  # noqa: SIM110 - a generator would cost as much as the check
            if not condition.check(event):
                return False
        return True

    def move(self, source: str, to: str, *, blocked: bool) -> str:
        """Make a drawn move; the stage the deal is in afterwards (the old one when the verdict forbids it)."""
        mover = Mover(source, blocked=blocked)
        self._machine.events[_trigger(source, to)].trigger(mover)
        return mover.state


def _trigger(source: str, to: str) -> str:
    return f"{source} > {to}"
