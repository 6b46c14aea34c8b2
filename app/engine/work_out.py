"""What has to be done before the next move passes: steps taken one by one in an assumed world until nothing blocks."""

from typing import Any, NamedTuple

from app.engine.assume import FieldValues
from app.engine.compiled import CompiledProcess, CompiledRequirement, Gate
from app.engine.conditions import FieldCondition, FieldRef
from app.engine.decide import Asked, ask, holds_when
from app.engine.decision import Finding, Nested
from app.engine.effort import Prices, Step
from app.engine.facts import Facts
from app.engine.grades import grade
from app.engine.needed import Item, Needed, after_step, open_findings, redone
from app.engine.result import Result
from app.engine.tops import Severity

_BADNESS: dict[Severity, int] = {"block": 10_000, "warn": 100, "info": 0}
_TRIES = 2


class WorkedOut(NamedTuple):
    """The steps, the world after them, and what still stands in the way."""

    items: tuple[Item, ...]
    facts: Facts
    remaining: tuple[Finding, ...]


class _Trial(NamedTuple):
    """One way out of a finding, tried: its steps with the values found out, and the world after them."""

    steps: list[Step]
    values: list[Any]
    facts: Facts
    met: list[frozenset[str]]
    """What holds after each step."""
    open: frozenset[str]


class Workbench:
    """Works out one move of one deal."""

    def __init__(self, compiled: CompiledProcess, prices: Prices) -> None:
        self._compiled = compiled
        self._prices = prices
        self._scope = compiled.scope
        self._values = FieldValues(compiled.scope)

    def work_out(self, facts: Facts, severity: Severity) -> WorkedOut:
        """Meet every requirement of a severity on the move from `facts.stage` to `facts.to`."""
        gate = self._compiled.gates[facts.stage, facts.to]
        items: list[Item] = []
        tries: dict[str | None, int] = {}
        now = facts
        while True:
            open_ones = open_findings(gate, now, {severity})
            finding = self._solvable(open_ones, tries)
            if finding is None:
                break
            tries[finding.requirement] = tries.get(finding.requirement, 0) + 1
            trial = self._best(finding, gate, now, {"block", severity}, len(items))
            items += self._itemised(trial, finding, open_ones, now)
            now = trial.facts
        needed = Needed(gate, facts, severity, open_ones).of(items)
        return WorkedOut(tuple(needed), now if needed is items else redone(needed, facts), tuple(open_ones))

    def _solvable(self, findings: list[Finding], tries: dict[str | None, int]) -> Finding | None:
        for finding in sorted(findings, key=lambda one: one.code == "data_quality_low"):  # others may fill fields too
            steps = self._prices.cheapest(finding.remediation)
            if steps and not self._prices.of_steps(steps).blockers and tries.get(finding.requirement, 0) < _TRIES:
                return finding
        return None

    def _best(self, finding: Finding, gate: Gate, facts: Facts, severities: set[Severity], number: int) -> _Trial:
        """The cheapest way out that breaks nothing else; where each one does, the cheapest."""
        first = self._tried(self._prices.cheapest(finding.remediation), gate, facts, severities, number)
        before = frozenset(str(one.requirement) for one in open_findings(gate, facts, severities))
        if first.open < before:
            return first
        for steps in self._prices.ways(finding.remediation):
            trial = self._tried(steps, gate, facts, severities, number)
            if trial.open < before:
                return trial
        return first

    def _tried(self, steps: list[Step], gate: Gate, facts: Facts, severities: set[Severity], number: int) -> _Trial:
        values: list[Any] = []
        answers: list[Asked] = []
        for index, step in enumerate(steps):
            values.append(self._found_out(step, gate, facts))
            facts = after_step(step, values[-1], facts, number + index)
            answers.append(ask(gate, facts))
        met = [frozenset(one.requirement for one in asked.satisfied) for asked in answers]
        still = frozenset(str(one.requirement) for one in answers[-1].findings if one.severity in severities)
        return _Trial(steps, values, facts, met, still)

    def _itemised(self, trial: _Trial, finding: Finding, open_ones: list[Finding], facts: Facts) -> list[Item]:
        """The steps, each with the requirements that hold from then on; all serve the one they were taken for."""
        leads = [self._prices.of_step(step).lead_time_days for step in trial.steps]
        items: list[Item] = []
        met: frozenset[str] = frozenset()
        for index, (step, value) in enumerate(zip(trial.steps, trial.values, strict=True)):
            new = trial.met[index] - met
            met |= new
            served = [str(one.requirement) for one in open_ones if one is finding or one.requirement in new]
            because = tuple((requirement, facts.stage, facts.to) for requirement in served)
            items.append(Item(step, because, max(leads[index:]), value))
        return items

    def _found_out(self, step: Step, gate: Gate, facts: Facts) -> Any:
        """The value of a field that leaves the least unmet; of equals the best filled, then the first."""
        if step["kind"] != "fill_field" or step.get("is") == "absent":
            return None
        key = step["field"]
        concerned = [
            one
            for _, one in gate.requirements
            if key in one.graded or any(_mentions(asked, key) for asked in one.fields)
        ]
        asked = [condition for one in concerned for condition in one.fields if _mentions(condition, key)]
        candidates = self._values.candidates(key, asked, facts)
        field, read = self._scope.fields[key], self._scope.readers[key]

        def poor(value: Any) -> tuple[int, float]:
            world = facts.copy(fields={**facts.fields, key: value})
            return _badness(concerned, world), -grade(field, read, value, world).score

        return min(candidates, key=poor)


def _mentions(asked: FieldCondition, key: str) -> bool:
    return asked.field == key or (isinstance(asked.operand, FieldRef) and asked.operand.field == key)


def _badness(concerned: list[CompiledRequirement], facts: Facts) -> int:
    total = 0
    for requirement in concerned:
        if requirement.when is None or holds_when(requirement.when, facts) is not False:
            total += _BADNESS[requirement.severity(facts)[0]] * _unmet(requirement.judge(facts))
    return total


def _unmet(result: Result | Nested) -> int:
    """How much of a requirement does not hold, counting what is nested."""
    return 0 if result.holds else 10 + sum(_unmet(inner) for inner in result.nested)
