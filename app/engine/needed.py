"""The steps of a plan, and what of them is really needed: a step that others make needless is left out."""

from bisect import bisect_left
from typing import Any, NamedTuple

from app.engine.assume import take
from app.engine.compiled import Gate
from app.engine.decide import ask
from app.engine.decision import Finding
from app.engine.effort import Step
from app.engine.facts import Facts
from app.engine.tops import Severity

_MAY_SERVE_TWICE = frozenset({"do_activity", "book_activity", "name_contact", "wait_until"})

Because = tuple[str, str, str]


class Item(NamedTuple):
    """A step with what it serves; `urgency` is the lead time of the longest step that waits for it."""

    step: Step
    because: tuple[Because, ...]
    urgency: int
    value: Any = None
    """What the plan assumes is found out, for a field; never shown."""


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
        still_open = open_findings(self._gate, redone(items, self._facts), {self._severity})
        return {finding.requirement for finding in still_open} <= self._remaining

    def _explained(self, items: list[Item], kept: list[Item]) -> list[Item]:
        """The reasons of what is left out go to the step after which they are met."""
        said = {reason for item in kept for reason in item.because}
        unsaid = [reason for item in items for reason in item.because if reason not in said]
        explained: list[Item] = []
        for count, item in enumerate(kept, 1):
            after = ask(self._gate, redone(kept[:count], self._facts))
            satisfied = {judged.requirement for judged in after.satisfied}
            met = [reason for reason in dict.fromkeys(unsaid) if reason[0] in satisfied]
            unsaid = [reason for reason in unsaid if reason[0] not in satisfied]
            explained.append(item._replace(because=(*met, *item.because)))
        return explained


def _as_often(item: Item, items: list[Item]) -> int:
    return sum(one.step["kind"] == item.step["kind"] for one in items)


def open_findings(gate: Gate, facts: Facts, severities: set[Severity]) -> list[Finding]:
    """What of these severities stands in the way."""
    return [finding for finding in ask(gate, facts).findings if finding.severity in severities]


def after_step(step: Step, value: Any, facts: Facts, number: int) -> Facts:
    """The facts after a step; `value` is what is found out, `number` keeps made-up ids apart."""
    if step["kind"] == "fill_field":
        return facts.copy(fields={**facts.fields, step["field"]: value})
    return take(step, facts, number)


def redone(items: list[Item], facts: Facts) -> Facts:
    """The facts after all of these steps."""
    for number, item in enumerate(items):
        facts = after_step(item.step, item.value, facts, number)
    return facts
