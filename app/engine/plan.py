"""The cheapest way from a stage to a goal: uniform-cost search, backwards from the goal over the drawn moves.

A move costs the sum of its open enforced requirements, an `any` its cheapest branch (see effort.py). The next move is
priced on the facts as they are, later ones as if their stage had just been entered.
"""

import heapq
from datetime import timedelta
from typing import NamedTuple

from app.engine.compiled import CompiledProcess
from app.engine.decide import ask
from app.engine.decision import Finding
from app.engine.effort import BLOCKED, NOTHING, Cost, Prices, Step
from app.engine.facts import Facts
from app.engine.snapshot import StageEntry

_SOON = timedelta(seconds=1)


class OpenRequirement(NamedTuple):
    """An enforced requirement of a move that does not hold, with the cheapest way to meet it."""

    finding: Finding
    early: bool
    steps: tuple[Step, ...]


class Move(NamedTuple):
    """A drawn move with its price."""

    source: str
    to: str
    cost: Cost
    open: tuple[OpenRequirement, ...]


class Planner:
    """Prices moves and finds ways for one deal at one instant."""

    def __init__(self, compiled: CompiledProcess, facts: Facts) -> None:
        self.compiled = compiled
        self.facts = facts
        self.prices = Prices(compiled.activities, facts.as_of)
        facts.index()  # once, for all the copies
        arrival = facts.as_of + _SOON
        entered = {entry.stage for entry in facts.history} | {facts.stage}
        ahead = [
            StageEntry.model_construct(stage=key, entered_at=arrival) for key in compiled.stages if key not in entered
        ]
        self._later = facts.copy(as_of=arrival, stage_entered_at=arrival, history=[*facts.history, *ahead])

    def next_move(self, to: str) -> Move:
        """The move from where the deal stands, on the facts as they are."""
        return self._price(self.facts.copy(to=to), first=True)

    def later_move(self, source: str, to: str) -> Move:
        """A move further on, as if its stage had just been entered and nothing done there yet."""
        return self._price(self._later.copy(stage=source, to=to), first=False)

    def ways_to(self, goal: str) -> dict[str, tuple[Cost, str]]:
        """For every stage that can reach the goal: the cost from there, and the stage to move to next.

        No way leads through a lost deal: giving one up to take it up again is no advice.
        """
        found: dict[str, tuple[Cost, str]] = {}
        waiting: list[tuple[Cost, int, str, str]] = [(NOTHING, 0, goal, goal)]
        wanted = set(self.compiled.graph.destinations(self.facts.stage))
        while waiting and wanted:
            cost, _, stage, following = heapq.heappop(waiting)
            if stage in found:
                continue
            found[stage] = (cost, following)
            wanted.discard(stage)
            for source in self.compiled.graph.sources(stage):
                if source not in found and self.compiled.stages[source].kind != "lost":
                    price = self.later_move(source, stage).cost
                    heapq.heappush(waiting, (price.plus(cost), self.compiled.order[source], source, stage))
        return found

    def _price(self, facts: Facts, *, first: bool) -> Move:
        pair = (facts.stage, facts.to)
        gate = self.compiled.gates[pair]
        early = {requirement.id: requirement.early for _, requirement in gate.requirements}
        total = Cost(order=self.compiled.edge_order[pair])
        opened: list[OpenRequirement] = []
        for finding in ask(gate, facts).findings:
            if finding.severity != "block":
                continue
            steps = tuple(self.prices.cheapest(finding.remediation))
            total = total.plus(self._cost(finding, steps, first=first))
            opened.append(OpenRequirement(finding, early.get(str(finding.requirement), False), steps))
        return Move(*pair, total, tuple(opened))

    def _cost(self, finding: Finding, steps: tuple[Step, ...], *, first: bool) -> Cost:
        """On the next move, what nothing helps blocks; later, what cannot be told yet costs nothing."""
        if not first:
            if finding.code == "cannot_evaluate" and not steps:
                return NOTHING
            steps = tuple(step for step in steps if step["kind"] != "ask_other_mover") if finding.remediation else ()
            return self.prices.of_steps(steps) if finding.remediation else BLOCKED
        return self.prices.of_steps(steps) if steps else BLOCKED
