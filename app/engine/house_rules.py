"""House rules, judged beside requirements, and the one on how a deal is first touched (the other: reopening.py)."""

from collections.abc import Callable
from typing import NamedTuple

from app.engine.decision import Finding
from app.engine.facts import Facts, instant
from app.engine.process import Process
from app.engine.snapshot import Activity

FIRST_TOUCH = "first_touch"


class Rule(NamedTuple):
    """A house rule on a move, by its name in the policies: True when it is kept, False when it asks nothing."""

    name: str
    judge: Callable[[Facts], Finding | bool]


TOUCHES = frozenset({"call", "email"})
"""The kinds between which the rule chooses: nobody meets a buyer whom nobody called or wrote to."""


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

    def judge(self, facts: Facts) -> Finding | bool:
        """It has happened, so it only warns and nothing can help; where nobody was in touch, nothing is asked."""
        first = None if "activities" in facts.missing else self.first(facts)
        if first is None:
            return False
        if self.keeps(first):
            return True
        told = {
            "id": first.id,
            "activity": first.activity,
            "kind": self.kinds[first.activity],
            "at": instant(first.at),
        }
        expected = {FIRST_TOUCH: self.wanted}
        return Finding("first_touch_broken", "warn", None, "transition", None, expected, {"first": told}, (), {})


def first_touch(process: Process) -> FirstTouch | None:
    """The rule on the first contact; None where nothing is said."""
    wanted = process.policies.first_touch
    return None if wanted is None else FirstTouch(process, wanted)
