"""The requirements on people and time: contact, stage_age, deal_age, approval, mover."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from app.engine.conditions import ApprovalCondition, Between, ContactCondition, MoverCondition
from app.engine.decision import Remedy
from app.engine.facts import Facts, instant
from app.engine.process import Process
from app.engine.result import MET, Leaf, Result, unknown
from app.engine.snapshot import Approval
from app.engine.values import duration

_MOMENT = timedelta(seconds=1)


def contact(condition: ContactCondition, _process: Process) -> Leaf:
    """The role is named on the deal."""
    role, needed = condition.contact, condition.at_least

    def judge(facts: Facts) -> Result:
        count = len(facts.people_in(role))
        if count >= needed:
            return MET
        if "contacts" in facts.missing:
            return unknown("facts_missing", count=count)
        remedy: Remedy = {"kind": "name_contact", "role": role, "times": needed - count}
        return Result(False, "contact_missing", {"count": count}, (remedy,))

    return Leaf(judge, lambda facts: {"count": len(facts.people_in(role))}, lambda _facts: ())


def age(between: Between, since: Callable[[Facts], datetime | None], lacking: str) -> Leaf:
    """The time since something happened is between two durations, bounds counting."""
    shortest, longest = between.shortest, between.longest

    def observe(facts: Facts) -> dict[str, Any]:
        began = since(facts)
        if began is None:
            return {"since": None, "age_minutes": None}
        return {"since": instant(began), "age_minutes": int((facts.as_of - began).total_seconds() // 60)}

    def judge(facts: Facts) -> Result:
        began = since(facts)
        if began is None:
            return unknown(lacking, **observe(facts))
        spent = facts.as_of - began
        if shortest is not None and spent < shortest:
            until = instant(began + shortest)
            return Result(
                False,
                "too_early",
                observe(facts),
                ({"kind": "wait_until", "until": until},),
                {"until": began + shortest},
            )
        if longest is not None and spent > longest:
            return Result(False, "too_late", observe(facts), (), {"until": began + longest})
        return MET

    def undo(facts: Facts) -> tuple[Remedy, ...]:
        began = since(facts)
        if longest is None or began is None:
            return ()
        return ({"kind": "wait_until", "until": instant(began + longest + _MOMENT)},)

    return Leaf(judge, observe, undo)


class _Approvals:
    """One `approval` requirement: someone else with the role said yes to this very move, in this very stage."""

    def __init__(self, condition: ApprovalCondition) -> None:
        self.role = condition.approval
        self.within = None if condition.within is None else duration(condition.within)

    def ignored_because(self, one: Approval, facts: Facts, entry: datetime) -> str | None:
        """Why an approval does not count; None when it does."""
        if (one.from_stage, one.to_stage) != (facts.stage, facts.to):
            return "move"
        if one.at < entry:
            return "stage_entry"
        if one.at > facts.as_of:
            return "as_of"
        if self.within is not None and one.at < facts.as_of - self.within:
            return "within"
        return "same_person" if one.by == facts.mover_id else None

    def sort_out(self, facts: Facts, entry: datetime) -> tuple[list[Approval], list[dict[str, str]]]:
        """Those that count, and those that do not with why."""
        good: list[Approval] = []
        ignored: list[dict[str, str]] = []
        for one in facts.approvals:
            if one.role == self.role:
                because = self.ignored_because(one, facts, entry)
                if because is None:
                    good.append(one)
                else:
                    ignored.append({"role": self.role, "by": one.by, "because": because})
        return good, ignored

    def judge(self, facts: Facts) -> Result:
        """Met, unmet with what was ignored, or unknown without an actor or an entry time."""
        entry = facts.stage_entry
        if facts.mover_id is None:
            return unknown("no_actor", ignored=[])
        if entry is None:
            return unknown("stage_entry_unknown", ignored=[])
        good, ignored = self.sort_out(facts, entry)
        if good:
            return MET
        if "approvals" in facts.missing:
            return unknown("facts_missing", ignored=ignored)
        steps: list[Remedy] = [{"kind": "request_approval", "role": self.role}]
        if entry > facts.as_of:
            steps.insert(0, {"kind": "wait_until", "until": instant(entry)})
        return Result(False, "approval_missing", {"ignored": ignored}, tuple(steps))

    def undo(self, facts: Facts) -> tuple[Remedy, ...]:
        """A yes is not taken back; only a `within` lets it age out."""
        if self.within is None:
            return ()
        latest = max(one.at for one in facts.approvals if one.role == self.role)
        return ({"kind": "wait_until", "until": instant(latest + self.within + _MOMENT)},)


def approval(condition: ApprovalCondition, _process: Process) -> Leaf:
    """Compile an `approval` requirement."""
    approvals = _Approvals(condition)
    return Leaf(approvals.judge, lambda _facts: {"ignored": []}, approvals.undo)


def mover(condition: MoverCondition, process: Process) -> Leaf:
    """The actor has one of the roles."""
    wanted = frozenset(condition.mover)
    others = [role.key for role in process.roles if role.key not in wanted]

    def observe(facts: Facts) -> dict[str, Any]:
        return {"roles": [] if facts.actor is None else list(facts.actor.roles)}

    def judge(facts: Facts) -> Result:
        if facts.actor is None:
            return unknown("no_actor", roles=[])
        if not wanted.isdisjoint(facts.actor.roles):
            return MET
        remedy: Remedy = {"kind": "ask_other_mover", "roles": condition.mover}
        return Result(False, "mover_not_allowed", observe(facts), (remedy,))

    def undo(_facts: Facts) -> tuple[Remedy, ...]:
        return ({"kind": "ask_other_mover", "roles": others},) if others else ()

    return Leaf(judge, observe, undo)
