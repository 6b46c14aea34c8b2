"""The `activity` requirement: enough such activities are on record."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.engine.conditions import ActivityCondition, StageRef
from app.engine.decision import Remedy
from app.engine.facts import Facts, instant
from app.engine.process import Process
from app.engine.result import MET, Leaf, Result, unknown
from app.engine.snapshot import Activity
from app.engine.values import duration

_MOMENT = timedelta(seconds=1)

_MAY_COUNT = (None, "as_of")
"""Why an activity is ignored now that may count, or does count, when time has passed."""

Base = tuple[datetime | None, str]
"""A starting time, or None and why it is not known."""


class _Window(NamedTuple):
    """From when to when an activity counts; both bounds count."""

    since: datetime | None
    earliest: datetime | None
    latest: datetime | None


def _base_of(condition: ActivityCondition) -> Callable[[Facts], Base] | None:
    since = condition.since
    if since is None:
        return None
    if isinstance(since, StageRef):
        stage = since.stage
        return lambda facts: (facts.first_entry(stage), "stage_never_entered")
    if since == "stage_entry":
        return lambda facts: (facts.stage_entry, "stage_entry_unknown")
    return lambda facts: (facts.created_at, "deal_start_unknown")


class _Matcher:
    """One `activity` requirement over one process."""

    def __init__(self, condition: ActivityCondition, process: Process) -> None:
        declared = {activity.key: activity for activity in process.activities}
        self.condition = condition
        self.kinds = list(declared) if condition.activity == ["any"] else list(dict.fromkeys(condition.activity))
        self.useful = [
            kind
            for kind in self.kinds
            if condition.outcome is None or condition.outcome in {outcome.key for outcome in declared[kind].outcomes}
        ]
        self.base = _base_of(condition)
        self.within = None if condition.within is None else duration(condition.within)
        self.planned = condition.status == "planned"
        self.lacks = {"activities"} | ({"contacts"} if condition.with_role or condition.people else set())
        if isinstance(condition.since, StageRef):
            self.lacks.add("stage_history")

    def candidates(self, facts: Facts) -> Iterable[Activity]:
        """Every activity of the kinds asked for."""
        if len(self.kinds) == 1:
            return facts.of_kind(self.kinds[0])
        return [activity for kind in self.kinds for activity in facts.of_kind(kind)]

    def ignored_because(self, activity: Activity, facts: Facts, window: _Window) -> str | None:
        """Why an activity does not count; None when it does."""
        condition = self.condition
        if activity.status != condition.status:
            return "status"
        if (activity.at <= facts.as_of) if self.planned else (activity.at > facts.as_of):
            return "as_of"
        if condition.outcome is not None and activity.outcome != condition.outcome:
            return "outcome"
        if condition.direction is not None and activity.direction != condition.direction:
            return "direction"
        if window.since is not None and activity.at < window.since:
            return "since"
        if (window.earliest is not None and activity.at < window.earliest) or (
            window.latest is not None and activity.at > window.latest
        ):
            return "within"
        if condition.with_role is not None and facts.people_in(condition.with_role).isdisjoint(activity.contacts):
            return "with"
        return None

    def people(self, matches: Iterable[Activity], facts: Facts) -> set[str]:
        """The distinct contacts of the matches; under `with`, those of that role."""
        met = {contact for activity in matches for contact in activity.contacts}
        role = self.condition.with_role
        return met if role is None else met & facts.people_in(role)

    def window(self, facts: Facts, since: datetime | None) -> _Window:
        """What `since` and `within` leave together."""
        if self.within is None:
            return _Window(since, None, None)
        if self.planned:
            return _Window(since, None, facts.as_of + self.within)
        return _Window(since, facts.as_of - self.within, None)

    def judge(self, facts: Facts) -> Result:
        """Met, unmet with what was ignored and why, or unknown without a base time."""
        since = None
        if self.base is not None:
            since, why = self.base(facts)
            if since is None:
                unsent = why == "stage_never_entered" and "stage_history" in facts.missing
                because = "facts_missing" if unsent else why
                return unknown(because, params=self.params(None, None), count=0, ignored=[])
        window = self.window(facts, since)
        matches: list[Activity] = []
        ignored: list[dict[str, str]] = []
        for activity in self.candidates(facts):
            reason = self.ignored_because(activity, facts, window)
            if reason is None:
                matches.append(activity)
            else:
                ignored.append({"id": activity.id, "because": reason})
        people = None if self.condition.people is None else self.people(matches, facts)
        if len(matches) >= self.condition.at_least and (people is None or len(people) >= (self.condition.people or 0)):
            return MET
        actual: dict[str, Any] = {"count": len(matches), "ignored": ignored}
        if people is not None:
            actual["people"] = len(people)
        params = self.params(since, window.earliest)
        if not self.lacks.isdisjoint(facts.missing):
            return unknown("facts_missing", params=params, **actual)
        return Result(False, "activity_missing", actual, self.remedies(facts, len(matches), people, since), params)

    def params(self, since: datetime | None, earliest: datetime | None) -> dict[str, Any]:
        """What the text needs beyond expected and actual: from when activities count."""
        bounds = [bound for bound in (since, earliest) if bound is not None]
        return {"since": max(bounds, default=None)}

    def remedies(self, facts: Facts, count: int, people: set[str] | None, since: datetime | None) -> tuple[Remedy, ...]:
        """Do (or book) what is lacking; name the people first where nobody has the role."""
        step: dict[str, Any] = {"times": max(self.condition.at_least - count, 1)}
        for option in ("outcome", "direction"):
            value = getattr(self.condition, option)
            if value is not None:
                step[option] = value
        if self.planned and self.condition.within is not None:
            step["within"] = self.condition.within
        before: list[Remedy] = []
        if since is not None and since > facts.as_of:
            before.append({"kind": "wait_until", "until": instant(since)})
        lacking = (self.condition.people or 1) - len(people or ())
        if people is not None and lacking > 0:
            step["people"] = lacking
        role = self.condition.with_role
        if role is not None:
            step["with"] = role
            unmet_people = facts.people_in(role) - (people or set())
            if lacking > len(unmet_people):
                before.append({"kind": "name_contact", "role": role, "times": lacking - len(unmet_people)})
        kind = "book_activity" if self.planned else "do_activity"
        steps: list[Remedy] = [_ordered({"kind": kind, "activity": key, **step}) for key in self.useful]
        if not steps:
            return ()
        return (*before, steps[0] if len(steps) == 1 else {"one_of": steps})

    def observe(self, facts: Facts) -> dict[str, Any]:
        """How many count."""
        return {"count": len(self._matches(facts)), "ignored": []}

    def undo(self, facts: Facts) -> tuple[Remedy, ...]:
        """What is done stays done; only a `within` lets it age out. What is planned is so until its time has come."""
        counting = _Window(self._since(facts), None, None)
        may_count = [one for one in self.candidates(facts) if self.ignored_because(one, facts, counting) in _MAY_COUNT]
        times = sorted((one.at for one in may_count), reverse=True)
        if self.planned:
            return ({"kind": "wait_until", "until": instant(times[0])},)
        if self.within is None:
            return ()
        gone = times[self.condition.at_least - 1] + self.within + _MOMENT
        return ({"kind": "wait_until", "until": instant(gone)},)

    def _since(self, facts: Facts) -> datetime | None:
        return None if self.base is None else self.base(facts)[0]

    def _matches(self, facts: Facts) -> list[Activity]:
        window = self.window(facts, self._since(facts))
        return [one for one in self.candidates(facts) if self.ignored_because(one, facts, window) is None]


_ORDER = ("kind", "activity", "outcome", "direction", "with", "people", "within", "times")


def _ordered(step: Remedy) -> Remedy:
    return {name: step[name] for name in _ORDER if name in step}


def activity(condition: ActivityCondition, process: Process) -> Leaf:
    """Compile an `activity` requirement."""
    matcher = _Matcher(condition, process)
    return Leaf(matcher.judge, matcher.observe, matcher.undo, {"since": None})
