"""House rules, judged beside requirements: whether a lost deal comes back, and how a deal is first touched."""

from collections.abc import Callable
from typing import Any

from app.engine.decision import Finding
from app.engine.facts import Facts, instant
from app.engine.process import Process, ReopenWithin
from app.engine.snapshot import Activity
from app.engine.values import duration

Rule = Callable[[Facts], Finding | None]

TOUCHES = frozenset({"call", "email"})
"""The kinds between which the rule chooses: nobody meets a buyer whom nobody called or wrote to."""


def reopening(process: Process) -> Rule | None:
    """Judges moves out of a lost stage by `reopen_lost`; None where nothing is said."""
    rule = process.policies.reopen_lost
    if rule is None:
        return None
    return _reopens_within(rule) if isinstance(rule, ReopenWithin) else _new_deal


def _new_deal(facts: Facts) -> Finding:
    actual = {"from": facts.stage, "to": facts.to}
    return _blocked("reopen_not_allowed", {"reopen_lost": "new_deal"}, actual, facts)


def _reopens_within(rule: ReopenWithin) -> Rule:
    longest = duration(rule.reopen_within)
    expected = {"reopen_lost": {"reopen_within": rule.reopen_within}}

    def judge(facts: Facts) -> Finding | None:
        lost = facts.stage_entry
        if lost is None:
            lacking = {"since": None, "age_minutes": None, "because": "stage_entry_unknown"}
            return Finding("cannot_evaluate", "block", None, "transition", None, expected, lacking, (), {})
        spent = facts.as_of - lost
        if spent <= longest:
            return None
        actual: dict[str, Any] = {"since": instant(lost), "age_minutes": int(spent.total_seconds() // 60)}
        return _blocked("reopen_too_late", expected, actual, facts)._replace(params={"until": lost + longest})

    return judge


def _blocked(code: str, expected: dict[str, Any], actual: dict[str, Any], facts: Facts) -> Finding:
    remedy = {"kind": "new_deal", "linked_to": facts.deal_id}
    return Finding(code, "block", None, "transition", None, expected, actual, (remedy,), {})


class FirstTouch:
    """The `first_touch` rule: the first contact that we make is of one kind."""

    def __init__(self, process: Process, wanted: str) -> None:
        self.wanted = wanted
        self.starts = frozenset(process.starts)
        self.kinds = {one.key: one.kind for one in process.activities if one.kind in TOUCHES}
        self.proposed = next((key for key, kind in self.kinds.items() if kind == wanted), None)

    def first(self, facts: Facts) -> Activity | None:
        """Our first contact on record; of several at one instant, one that keeps the rule."""
        touches = [
            one
            for one in facts.activities
            if one.activity in self.kinds
            and one.status == "done" and one.at <= facts.as_of and one.direction != "inbound"
        ]  # fmt: skip
        return min(touches, key=lambda one: (one.at, not self.keeps(one), one.id), default=None)

    def keeps(self, touch: Activity) -> bool:
        """Whether a contact is of the kind that comes first."""
        return self.kinds[touch.activity] == self.wanted

    def judge(self, facts: Facts) -> Finding | None:
        """It has happened, so it only warns and nothing can help."""
        if "activities" in facts.missing:
            return None
        first = self.first(facts)
        if first is None or self.keeps(first):
            return None
        told = {
            "id": first.id,
            "activity": first.activity,
            "kind": self.kinds[first.activity],
            "at": instant(first.at),
        }
        expected = {"first_touch": self.wanted}
        return Finding("first_touch_broken", "warn", None, "transition", None, expected, {"first": told}, (), {})


def first_touch(process: Process) -> FirstTouch | None:
    """The rule on the first contact; None where nothing is said."""
    wanted = process.policies.first_touch
    return None if wanted is None else FirstTouch(process, wanted)
