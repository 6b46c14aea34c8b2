"""What a way out costs: the documented defaults, and the sums by which plans are compared.

A cost is (blockers, effort in minutes, lead time in days, weight, order); costs add up part by part and compare part by
part, so that effort decides, then lead time, then how many things of which kind are asked, then the order of the file.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from app.engine.decision import Remedy
from app.engine.process import ActivityType
from app.engine.values import duration

DEFAULT_ACTIVITY_MINUTES = 30
"""Effort of an activity that states none; its lead time is then 0 days."""

WEIGHTS = {
    "fill_field": 1,
    "name_contact": 2,
    "request_approval": 3,
    "do_activity": 4,
    "book_activity": 4,
    "wait_until": 5,
}
"""Fields, contacts and approvals cost no effort and no lead time; these weights order them among equals."""

MOST_WAYS = 8
"""How many ways out of one finding are tried before the cheapest is told."""

_DAY_SECONDS = 86_400


class Cost(NamedTuple):
    """The price of a step, a requirement, a move or a plan."""

    blockers: int = 0
    effort_minutes: int = 0
    lead_time_days: int = 0
    weight: int = 0
    order: int = 0

    def plus(self, other: "Cost") -> "Cost":
        """The sum, part by part."""
        return Cost(*(mine + its for mine, its in zip(self, other, strict=True)))


NOTHING = Cost()
BLOCKED = Cost(blockers=1)

Step = Remedy
"""One thing to do: a remedy that holds no alternatives."""


class Prices:
    """The prices of one process at one instant."""

    def __init__(self, activities: Mapping[str, ActivityType], as_of: datetime) -> None:
        self._activities = activities
        self._as_of = as_of

    def of_step(self, step: Step) -> Cost:
        """The price of one step; a step that only somebody else can take is a blocker."""
        kind = step["kind"]
        if kind not in WEIGHTS:
            return BLOCKED
        if kind == "wait_until":
            days = (datetime.fromisoformat(step["until"]) - self._as_of).total_seconds() / _DAY_SECONDS
            return Cost(lead_time_days=max(math.ceil(days), 0), weight=WEIGHTS[kind])
        times = int(step.get("times", 1))
        if kind not in ("do_activity", "book_activity"):
            return Cost(weight=WEIGHTS[kind] * times)
        activity = self._activities[step["activity"]]
        effort = 0 if kind == "book_activity" else self._minutes(activity)
        return Cost(0, effort * times, self._days(activity), WEIGHTS[kind] * times)

    def of_steps(self, steps: Iterable[Step]) -> Cost:
        """The price of doing all of them."""
        total = NOTHING
        for step in steps:
            total = total.plus(self.of_step(step))
        return total

    def cheapest(self, remediation: Iterable[Remedy]) -> list[Step]:
        """The steps of the cheapest way through a remediation; of equals the first."""
        steps: list[Step] = []
        for remedy in remediation:
            if "one_of" in remedy:
                ways = [self.cheapest([way]) for way in remedy["one_of"]]
                steps += min(ways, key=self.of_steps)
            elif "all_of" in remedy:
                steps += self.cheapest(remedy["all_of"])
            else:
                steps.append(remedy)
        return steps

    def ways(self, remediation: Iterable[Remedy]) -> list[list[Step]]:
        """The ways through a remediation that need nobody else, the cheapest first; no more than a few."""
        found: list[list[Step]] = [[]]
        for remedy in remediation:
            if "one_of" in remedy:
                options = [way for one in remedy["one_of"] for way in self.ways([one])]
            else:
                options = self.ways(remedy["all_of"]) if "all_of" in remedy else [[remedy]]
            found = sorted(([*before, *way] for before in found for way in options), key=self.of_steps)[:MOST_WAYS]
        return [way for way in found if not self.of_steps(way).blockers]

    @staticmethod
    def _minutes(activity: ActivityType) -> int:
        if activity.effort is None:
            return DEFAULT_ACTIVITY_MINUTES
        return math.ceil(duration(activity.effort).total_seconds() / 60)

    @staticmethod
    def _days(activity: ActivityType) -> int:
        if activity.lead_time is None:
            return 0
        return math.ceil(duration(activity.lead_time).total_seconds() / _DAY_SECONDS)
