"""What has to be done before the next move passes: steps taken one by one in an assumed world until nothing blocks."""

from bisect import bisect_left
from typing import Any, NamedTuple

from app.engine.assume import FieldValues, take
from app.engine.compiled import CompiledProcess, CompiledRequirement, Gate
from app.engine.decide import ask, holds_when
from app.engine.decision import Finding, Nested
from app.engine.effort import Prices, Step
from app.engine.facts import Facts
from app.engine.process import FieldCondition, FieldRef, Severity
from app.engine.result import Result

_BADNESS: dict[Severity, int] = {"block": 10_000, "warn": 100, "info": 0}
_TRIES = 2
_MAY_SERVE_TWICE = frozenset({"do_activity", "book_activity", "name_contact", "wait_until"})

Because = tuple[str, str, str]


class Item(NamedTuple):
    """A step with what it serves; `urgency` is the lead time of the longest step that waits for it."""

    step: Step
    because: tuple[Because, ...]
    urgency: int
    value: Any = None
    """What the plan assumes is found out, for a field; never shown."""


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
        now = facts
        while True:
            open_ones = _open(gate, now, severity)
            finding = self._solvable(open_ones, tries)
            if finding is None:
                break
            tries[finding.requirement] = tries.get(finding.requirement, 0) + 1
            steps = self._prices.cheapest(finding.remediation)
            before, values = now, []
            for index, step in enumerate(steps):
                values.append(self._found_out(step, gate, now))
                now = _after(step, values[-1], now, len(items) + index)
            items += self._itemised(steps, values, self._served(open_ones, gate, now) or [finding], before)
        needed = Needed(gate, facts, severity, open_ones).of(items)
        return WorkedOut(tuple(needed), now if needed is items else _redone(needed, facts), tuple(open_ones))

    def _solvable(self, findings: list[Finding], tries: dict[str | None, int]) -> Finding | None:
        for finding in findings:
            steps = self._prices.cheapest(finding.remediation)
            if steps and not self._prices.of_steps(steps).blockers and tries.get(finding.requirement, 0) < _TRIES:
                return finding
        return None

    def _served(self, before: list[Finding], gate: Gate, after: Facts) -> list[Finding]:
        met = {judged.requirement for judged in ask(gate, after).satisfied}
        return [finding for finding in before if finding.requirement in met]

    def _itemised(self, steps: list[Step], values: list[Any], served: list[Finding], facts: Facts) -> list[Item]:
        because = tuple(_because(finding, facts) for finding in served)
        leads = [self._prices.of_step(step).lead_time_days for step in steps]
        return [
            Item(step, because, max(leads[index:]), value)
            for index, (step, value) in enumerate(zip(steps, values, strict=True))
        ]

    def _found_out(self, step: Step, gate: Gate, facts: Facts) -> Any:
        """The value of a field that leaves the least unmet; of equals the first."""
        if step["kind"] != "fill_field" or step.get("is") == "absent":
            return None
        key = step["field"]
        concerned = [one for _, one in gate.requirements if any(_mentions(asked, key) for asked in one.fields)]
        asked = [condition for one in concerned for condition in one.fields if _mentions(condition, key)]
        candidates = self._values.candidates(key, asked, facts)
        return min(candidates, key=lambda value: _badness(concerned, facts.copy(fields={**facts.fields, key: value})))


class Needed:
    """Leaves out what later steps made needless: a call, once a demo that must be held anyway counts for it too."""

    def __init__(self, gate: Gate, facts: Facts, severity: Severity, remaining: list[Finding]) -> None:
        self._gate = gate
        self._facts = facts
        self._severity = severity
        self._remaining = {finding.requirement for finding in remaining}

    def of(self, items: list[Item]) -> list[Item]:
        """The items without which something would stay open; the same list where all are needed."""
        kept = items
        for item in items:
            if item.step["kind"] in _MAY_SERVE_TWICE and _as_often(item, kept) > 1:
                kept = self._with_less_of(item, kept)
        return items if kept is items else self._explained(items, kept)

    def _with_less_of(self, item: Item, items: list[Item]) -> list[Item]:
        at = next(index for index, one in enumerate(items) if one is item)
        times = item.step.get("times", 1)

        def fewer(count: int) -> list[Item]:
            less = [item._replace(step={**item.step, "times": count})] if count else []
            return [*items[:at], *less, *items[at + 1 :]]

        least = bisect_left(range(times), 1, key=lambda count: self._suffices(fewer(count)))
        return items if least == times else fewer(least)

    def _suffices(self, items: list[Item]) -> bool:
        still_open = _open(self._gate, _redone(items, self._facts), self._severity)
        return {finding.requirement for finding in still_open} <= self._remaining

    def _explained(self, items: list[Item], kept: list[Item]) -> list[Item]:
        """The reasons of what is left out go to the step after which they are met."""
        said = {reason for item in kept for reason in item.because}
        unsaid = [reason for item in items for reason in item.because if reason not in said]
        explained: list[Item] = []
        for count, item in enumerate(kept, 1):
            after = ask(self._gate, _redone(kept[:count], self._facts))
            satisfied = {judged.requirement for judged in after.satisfied}
            met = [reason for reason in dict.fromkeys(unsaid) if reason[0] in satisfied]
            unsaid = [reason for reason in unsaid if reason[0] not in satisfied]
            explained.append(item._replace(because=(*met, *item.because)))
        return explained


def _as_often(item: Item, items: list[Item]) -> int:
    return sum(one.step["kind"] == item.step["kind"] for one in items)


def _open(gate: Gate, facts: Facts, severity: Severity) -> list[Finding]:
    return [finding for finding in ask(gate, facts).findings if finding.severity == severity]


def _because(finding: Finding, facts: Facts) -> Because:
    return str(finding.requirement), facts.stage, facts.to


def _after(step: Step, value: Any, facts: Facts, number: int) -> Facts:
    if step["kind"] == "fill_field":
        return facts.copy(fields={**facts.fields, step["field"]: value})
    return take(step, facts, number)


def _redone(items: list[Item], facts: Facts) -> Facts:
    for number, item in enumerate(items):
        facts = _after(item.step, item.value, facts, number)
    return facts


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
