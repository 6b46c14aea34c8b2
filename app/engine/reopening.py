"""The house rule `reopen_lost`: whether a lost deal is taken up again, until when, and how far on.

What counts as one loss is the unbroken run of lost stages at the end of the deal's way: passing from one lost stage to
another neither restarts its time nor changes where it was lost from.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.engine.decision import Finding, Remedy
from app.engine.facts import Facts, instant
from app.engine.process import Process, ReopenWithin, Stage
from app.engine.tops import Severity
from app.engine.values import duration

REOPEN_LOST = "reopen_lost"


class Loss(NamedTuple):
    """A deal's present loss: since when, and which stage it was lost from, each None when its history does not tell."""

    since: datetime | None
    lost_from: str | None


def loss_of(facts: Facts, lost: Collection[str]) -> Loss:
    """Walk the deal's way back to where it was still open. INVARIANT: the deal stands in a lost stage."""
    entered = facts.stage_entry
    way = [(one.entered_at, one.stage) for one in facts.history if entered is None or one.entered_at <= entered]
    if entered is not None and (entered, facts.stage) not in way:
        way.append((entered, facts.stage))
    since: datetime | None = None
    for at, stage in sorted(way, key=lambda one: one[0])[::-1]:
        if stage not in lost:
            return Loss(since, stage)
        since = at
    return Loss(since, None)


class Further(NamedTuple):
    """What it means to reopen a deal in a stage that it had not reached when it was lost."""

    code: str
    severity: Severity


FurtherAt = Callable[[str, str, datetime], Further]
"""From where it was lost, to where it would be taken up, and when."""


class Reopening:
    """`reopen_lost: {reopen_within: …}` for one process."""

    def __init__(self, process: Process, rule: ReopenWithin, further: FurtherAt) -> None:
        self._longest = duration(rule.reopen_within)
        self._expected = {REOPEN_LOST: {"reopen_within": rule.reopen_within}}
        self._lost = frozenset(stage.key for stage in process.stages if stage.kind == "lost")
        self._stages: Mapping[str, Stage] = {stage.key: stage for stage in process.stages}
        self._open = process.open_stages
        self._further = further

    def in_time(self, facts: Facts) -> Finding | bool:
        """Whether the deal was lost lately enough. What the rule says no to is a new deal."""
        since, lost_from = loss_of(facts, self._lost)
        if since is None:
            return self._unknown({"since": None, "age_minutes": None, "because": "stage_entry_unknown"})
        spent = facts.as_of - since
        actual: dict[str, Any] = {"since": instant(since), "age_minutes": int(spent.total_seconds() // 60)}
        if spent > self._longest:
            found = blocked("reopen_too_late", self._expected, actual, facts)
            return found._replace(params={"until": since + self._longest})
        if lost_from is None and "stage_history" in facts.missing:
            return self._unknown({**actual, "because": "stage_history_missing"})
        return True

    def judge(self, facts: Facts) -> Finding | bool:
        """The same, and whether the move leads no further than the deal had come."""
        found = self.in_time(facts)
        if found is not True or facts.to == self._open[0]:
            return found
        _, lost_from = loss_of(facts, self._lost)
        if lost_from not in self._stages:
            lacking = {"lost_from": lost_from, "because": "lost_from_unknown"}
            return self._unknown(lacking)._replace(severity="warn")
        reached = self.reached(facts)
        if facts.to in reached:
            return True
        further = self._further(str(lost_from), facts.to, facts.as_of)
        actual = {"to": facts.to, "lost_from": lost_from}
        return Finding(
            further.code,
            further.severity,
            None,
            "transition",
            None,
            {"to": reached},
            actual,
            self.ways(facts, reached),
            {},
        )

    def ways(self, facts: Facts, back: list[str]) -> tuple[Remedy, ...]:
        """Take it up there, until when it may be, or make a new deal. INVARIANT: it is in time."""
        since, _ = loss_of(facts, self._lost)
        until = {} if since is None else {"until": instant(since + self._longest)}
        reopen = {"kind": "take_drawn_move", "to": back, **until}
        return ({"one_of": [reopen, new_deal(facts)]},)

    def reached(self, facts: Facts) -> list[str]:
        """The open stages up to the one it was lost from: all where it was won before; the first where nobody tells."""
        _, lost_from = loss_of(facts, self._lost)
        if lost_from not in self._stages:
            return self._open[:1]
        if lost_from not in self._open:
            return self._open
        return self._open[: self._open.index(lost_from) + 1]

    def _unknown(self, actual: dict[str, Any]) -> Finding:
        return Finding("cannot_evaluate", "block", None, "transition", None, self._expected, actual, (), {})


def never(facts: Facts) -> Finding:
    """`reopen_lost: new_deal`."""
    actual = {"from": facts.stage, "to": facts.to}
    return blocked("reopen_not_allowed", {REOPEN_LOST: "new_deal"}, actual, facts)


def new_deal(facts: Facts) -> Remedy:
    """Make a new deal, linked to this one."""
    return {"kind": "new_deal", "linked_to": facts.deal_id}


def blocked(code: str, expected: dict[str, Any], actual: dict[str, Any], facts: Facts) -> Finding:
    """A finding whose way out is a new deal."""
    return Finding(code, "block", None, "transition", None, expected, actual, (new_deal(facts),), {})
