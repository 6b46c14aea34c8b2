"""What has to be done before the next move passes: steps taken one by one in an assumed world until nothing blocks."""

from typing import Any, NamedTuple

from app.engine.assume import FieldValues, take
from app.engine.compiled import CompiledProcess, CompiledRequirement, Gate
from app.engine.decide import ask, holds_when
from app.engine.decision import Finding, Nested
from app.engine.effort import Prices, Step
from app.engine.facts import Facts
from app.engine.process import FieldCondition, FieldRef
from app.engine.process import Severity
from app.engine.result import Result

_BADNESS: dict[Severity, int] = {"block": 10_000, "warn": 100, "info": 0}
_TRIES = 2

Because = tuple[str, str, str]


class Item(NamedTuple):
    """A step with what it serves; `urgency` is the lead time of the longest step that waits for it."""

    step: Step
    because: tuple[Because, ...]
    urgency: int


class WorkedOut(NamedTuple):
    """The steps, the world after them, and what still stands in the way."""

    items: tuple[Item, ...]
    facts: Facts
    remaining: tuple[Finding, ...]


class Workbench:
    """Works out one move of one deal."""

    def __init__(self, compiled: CompiledProcess, prices: Prices) -> None:
        self._compiled = compiled
        self._prices = prices
        self._values = FieldValues(compiled.scope)

    def work_out(self, facts: Facts, severity: Severity) -> WorkedOut:
        """Meet every requirement of a severity on the move from `facts.stage` to `facts.to`."""
        gate = self._compiled.gates[facts.stage, facts.to]
        items: list[Item] = []
        tries: dict[str | None, int] = {}
        while True:
            open_ones = [finding for finding in ask(gate, facts).findings if finding.severity == severity]
            finding = self._solvable(open_ones, tries)
            if finding is None:
                return WorkedOut(tuple(items), facts, tuple(open_ones))
            tries[finding.requirement] = tries.get(finding.requirement, 0) + 1
            steps = self._prices.cheapest(finding.remediation)
            after = facts
            for step in steps:
                after = self._take(step, gate, after, len(items))
            served = self._served(open_ones, gate, after)
            items += self._itemised(steps, served or [finding], facts)
            facts = after

    def _solvable(self, findings: list[Finding], tries: dict[str | None, int]) -> Finding | None:
        for finding in findings:
            steps = self._prices.cheapest(finding.remediation)
            if steps and not self._prices.of_steps(steps).blockers and tries.get(finding.requirement, 0) < _TRIES:
                return finding
        return None

    def _served(self, before: list[Finding], gate: Gate, after: Facts) -> list[Finding]:
        still = {finding.requirement for finding in ask(gate, after).findings}
        return [finding for finding in before if finding.requirement not in still]

    def _itemised(self, steps: list[Step], served: list[Finding], facts: Facts) -> list[Item]:
        because = tuple((str(finding.requirement), facts.stage, facts.to) for finding in served)
        leads = [self._prices.of_step(step).lead_time_days for step in steps]
        return [Item(step, because, max(leads[index:])) for index, step in enumerate(steps)]

    def _take(self, step: Step, gate: Gate, facts: Facts, number: int) -> Facts:
        if step["kind"] != "fill_field":
            return take(step, facts, number)
        key = step["field"]
        return facts.copy(fields={**facts.fields, key: self._found_out(step, key, gate, facts)})

    def _found_out(self, step: Step, key: str, gate: Gate, facts: Facts) -> Any:
        """The value that leaves the least unmet; of equals the first."""
        if step.get("is") == "absent":
            return None
        concerned = [one for _, one in gate.requirements if any(_mentions(asked, key) for asked in one.fields)]
        asked = [condition for one in concerned for condition in one.fields if _mentions(condition, key)]
        candidates = self._values.candidates(key, asked, facts)
        return min(candidates, key=lambda value: _badness(concerned, facts.copy(fields={**facts.fields, key: value})))


def _mentions(asked: FieldCondition, key: str) -> bool:
    return asked.field == key or (isinstance(asked.operand, FieldRef) and asked.operand.field == key)


def _badness(concerned: list[CompiledRequirement], facts: Facts) -> int:
    total = 0
    for requirement in concerned:
        if requirement.when is None or holds_when(requirement.when, facts) is not False:
            total += _BADNESS[requirement.severity_at(facts.as_of)] * _unmet(requirement.judge(facts))
    return total


def _unmet(result: Result | Nested) -> int:
    """How much of a requirement does not hold, counting what is nested."""
    return 0 if result.holds else 10 + sum(_unmet(inner) for inner in result.nested)
