"""A second decision, written slowly from the words of the documentation and with nothing of the engine's code.

It reads the process as the mapping of its file and answers what each requirement is: met, unmet or unknown.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.engine import Actor, Snapshot
from tests.builders_engine import Parts

Verdict = bool | None
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Case(NamedTuple):
    """One question: this process, this deal, this move, now, by this person, lacking these facts."""

    file: Parts
    deal: Snapshot
    to: str
    as_of: datetime
    actor: Actor | None
    lacking: frozenset[str] = frozenset()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.file["timezone"])

    @property
    def today(self) -> date:
        return self.as_of.astimezone(self.zone).date()


def span(text: str) -> timedelta:
    return timedelta(**{UNITS[text[-1]]: int(text[:-1])})


def entry(case: Case) -> datetime | None:
    """When the deal entered its stage: as given, else its last entry if that is into this stage."""
    if case.deal.stage_entered_at is not None:
        return case.deal.stage_entered_at
    if not case.deal.stage_history:
        return None
    last = sorted(case.deal.stage_history, key=lambda one: one.entered_at)[-1]  # noqa: FURB192 - of equals the last
    return last.entered_at if last.stage == case.deal.stage else None


def first_entry(case: Case, stage: str) -> datetime | None:
    known = [one.entered_at for one in case.deal.stage_history if one.stage == stage]
    if case.deal.stage == stage and case.deal.stage_entered_at is not None:
        known.append(case.deal.stage_entered_at)
    return min(known) if known else None


def people(case: Case, role: str) -> set[str]:
    return {contact.id for contact in case.deal.contacts if contact.role == role}


def activity(asked: Parts, case: Case) -> Verdict:  # noqa: C901 - one requirement, option by option
    kinds = [one["key"] for one in case.file["activities"]] if asked["activity"] == "any" else asked["activity"]
    status, since, lower = asked.get("status", "done"), asked.get("since"), None
    if since is not None:
        if since == "stage_entry":
            lower = entry(case)
        else:
            lower = case.deal.created_at if since == "deal_start" else first_entry(case, since["stage"])
        if lower is None:
            return None
    matches = []
    for one in case.deal.activities:
        good = one.activity in kinds and one.status == status
        good = good and (one.at > case.as_of if status == "planned" else one.at <= case.as_of)
        good = good and asked.get("outcome") in (None, one.outcome) and asked.get("direction") in (None, one.direction)
        good = good and (lower is None or one.at >= lower)
        if "within" in asked:
            good = good and abs(one.at - case.as_of) <= span(asked["within"])
        if "with" in asked:
            good = good and bool(people(case, asked["with"]) & set(one.contacts))
        if good:
            matches.append(one)
    met = {contact for one in matches for contact in one.contacts}
    if "with" in asked:
        met &= people(case, asked["with"])
    if len(matches) >= asked.get("at_least", 1) and len(met) >= asked.get("people", 0):
        return True
    needed = {"activities"} | ({"contacts"} if "with" in asked or "people" in asked else set())
    if isinstance(since, dict):
        needed.add("stage_history")
    return None if needed & case.lacking else False


class Unreadable(Exception):
    """A value of the wrong type, or outside its choices."""


def calendar(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-11-23") else None
    except ValueError:
        return None


def read(key: str, case: Case) -> Any:
    """The value of a field; None when it is absent."""
    field = next(one for one in case.file["fields"] if one["key"] == key)
    raw = case.deal.fields.get(key)
    if raw is None or (isinstance(raw, str) and raw.strip() in ("", *field.get("blank", []))):
        return None
    kind = field["type"]
    wanted: dict[str, type | tuple[type, ...]] = {"number": (int, float), "boolean": bool}
    if not isinstance(raw, wanted.get(kind, str)) or (kind == "number" and isinstance(raw, bool)):
        raise Unreadable
    if kind == "choice" and raw not in field["choices"]:
        raise Unreadable
    if kind != "date":
        return raw
    text = str(raw)
    if calendar(text) is not None:
        return calendar(text)
    try:
        return datetime.fromisoformat(text).astimezone(case.zone).date()
    except ValueError:
        raise Unreadable from None


def day(said: Any, case: Case) -> date | None:
    if isinstance(said, dict):
        found: date | None = read(said["field"], case)
        return found
    if said == "today":
        return case.today
    if said[0] in "+-":
        return case.today + (span(said[1:]) if said[0] == "+" else -span(said[1:]))
    return calendar(said)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": lambda value, other: value == other,
    "not_equals": lambda value, other: value != other,
    "in": lambda value, other: value in other,
    "not_in": lambda value, other: value not in other,
    "at_least": lambda value, other: value >= other,
    "at_most": lambda value, other: value <= other,
    "more_than": lambda value, other: value > other,
    "less_than": lambda value, other: value < other,
    "before": lambda value, other: value < other,
    "after": lambda value, other: value > other,
}


def field(asked: Parts, case: Case) -> Verdict:
    key = asked["field"]
    if "fields" in case.lacking and key not in case.deal.fields:
        return None
    name = next(one for one in asked if one in ("is", *COMPARISONS))
    try:
        value = read(key, case)
        if name == "is":
            declared = next(one for one in case.file["fields"] if one["key"] == key)
            if asked["is"] == "absent":
                return value is None
            return value is not None and len(str(value).strip()) >= declared.get("min_length", 0)
        if value is None:
            return False
        other = asked[name]
        if isinstance(value, date):
            other = [day(one, case) for one in other] if isinstance(other, list) else day(other, case)
        return None if other is None else COMPARISONS[name](value, other)
    except Unreadable:
        return None


def age(bounds: Parts, began: datetime | None, case: Case) -> Verdict:
    if began is None:
        return None
    spent = case.as_of - began
    early = "at_least" in bounds and spent < span(bounds["at_least"])
    late = "at_most" in bounds and spent > span(bounds["at_most"])
    return not early and not late


def quality(asked: Parts, case: Case) -> Verdict:
    """Valid structured values count one, valid texts a half, everything else nothing; the mean must be enough."""
    declared = {one["key"]: one for one in case.file["fields"]}
    keys = asked.get("fields", list(declared))
    total = 0.0
    for key in keys:
        text = declared[key]["type"] == "text"
        try:
            value = read(key, case)
        except Unreadable:
            continue
        if value is not None and not (text and len(value.strip()) < declared[key].get("min_length", 1)):
            total += 0.5 if text else 1
    if total / len(keys) >= asked["at_least"]:
        return True
    brought = all(key in case.deal.fields for key in keys)
    return None if "fields" in case.lacking and not brought else False


def approval(asked: Parts, case: Case) -> Verdict:
    entered = entry(case)
    if case.actor is None or entered is None:
        return None
    for one in case.deal.approvals:
        good = one.role == asked["approval"] and (one.from_stage, one.to_stage) == (case.deal.stage, case.to)
        good = good and entered <= one.at <= case.as_of and one.by != case.actor.id
        if good and ("within" not in asked or one.at >= case.as_of - span(asked["within"])):
            return True
    return None if "approvals" in case.lacking else False


def verdict(asked: Parts, case: Case) -> Verdict:  # noqa: C901, PLR0911 - one answer a kind
    """Met, unmet or unknown, whatever the kind."""
    if "any" in asked:
        found = [verdict(one, case) for one in asked["any"]]
        return True if True in found else None if None in found else False
    if "all" in asked:
        found = [verdict(one, case) for one in asked["all"]]
        return False if False in found else None if None in found else True
    if "not" in asked:
        inner = verdict(asked["not"], case)
        return None if inner is None else not inner
    if "activity" in asked:
        return activity(asked, case)
    if "field" in asked:
        return field(asked, case)
    if "data_quality" in asked:
        return quality(asked["data_quality"], case)
    if "approval" in asked:
        return approval(asked, case)
    if "mover" in asked:
        return None if case.actor is None else any(role in asked["mover"] for role in case.actor.roles)
    if "contact" in asked:
        enough = len(people(case, asked["contact"])) >= asked.get("at_least", 1)
        return True if enough else None if "contacts" in case.lacking else False
    if "stage_age" in asked:
        return age(asked["stage_age"], entry(case), case)
    return age(asked["deal_age"], case.deal.created_at, case)


def severity(mode: Any, case: Case) -> str:
    names = {"enforce": "block", "warn": "warn", "observe": "info"}
    if isinstance(mode, str):
        return names[mode]
    begun = [(start, name) for name, start in mode.items() if calendar(start) <= case.today]  # type: ignore[operator]
    return names[max(begun)[1]] if begun else "info"


def drawn(file: Parts) -> dict[tuple[str, str], list[Parts]]:
    """Every drawn move with what its own entry asks."""
    moves: dict[tuple[str, str], list[Parts]] = {move: [] for move in pairwise(file["path"])}
    still_open = [stage["key"] for stage in file["stages"] if stage.get("kind", "open") == "open"]
    for edge in sorted(file["transitions"], key=lambda one: one["from"] != "open"):
        for source in still_open if edge["from"] == "open" else [edge["from"]]:
            if edge["from"] != "open" or source != edge["to"]:
                moves[source, edge["to"]] = edge["requires"]
    return moves


def last_loss(case: Case) -> tuple[datetime | None, str | None]:
    """Since when the deal is lost without a break, and the stage it was lost from."""
    kinds = {stage["key"]: stage.get("kind", "open") for stage in case.file["stages"]}
    now = entry(case)
    way = sorted((one.entered_at, place, one.stage) for place, one in enumerate(case.deal.stage_history))
    way = [one for one in way if now is None or one[0] <= now]
    if now is not None:
        way.append((now, len(way), case.deal.stage))
    since = None
    while way and kinds.get(way[-1][2]) == "lost":
        since = way.pop()[0]
    return since, way[-1][2] if way else None


def reopening(said: Any, case: Case) -> list[tuple[str, str, str, bool]]:
    """What is held against taking a lost deal up again."""
    if said is None:
        return []
    if said == "new_deal":
        return [("reopen_not_allowed", "transition", "block", False)]
    lost, lost_from = last_loss(case)
    if lost is None:
        return [("cannot_evaluate", "transition", "block", True)]
    if case.as_of > lost + span(said["reopen_within"]):
        return [("reopen_too_late", "transition", "block", False)]
    if lost_from is None and "stage_history" in case.lacking:
        return [("cannot_evaluate", "transition", "block", True)]
    return []


def beyond(case: Case, *, by_rule: bool) -> list[tuple[str, str, str, bool]]:
    """What is held against taking a deal up, in time, where it had not come before it was lost."""
    keys = [stage["key"] for stage in case.file["stages"] if stage.get("kind", "open") == "open"]
    every = [stage["key"] for stage in case.file["stages"]]
    _, lost_from = last_loss(case)
    if not by_rule or case.to == keys[0]:
        return []
    if lost_from not in every:
        return [("cannot_evaluate", "transition", "warn", True)]
    if lost_from not in keys or keys.index(case.to) <= keys.index(lost_from):
        return []
    between = keys[keys.index(lost_from) + 1 : keys.index(case.to)]
    code, policy = ("skips_stage", "skip") if set(between) & set(case.file["path"]) else ("no_transition", "undrawn")
    return [(code, "transition", severity(case.file["policies"].get(policy, "enforce"), case), False)]


def first_touch(case: Case) -> list[tuple[str, str, str, bool]]:
    """What is held against our first call or e-mail, on a move out of the stage where deals begin."""
    wanted = case.file["policies"].get("first_touch")
    begins = case.deal.stage == case.file["stages"][0]["key"] != case.to
    kinds = {one["key"]: one["kind"] for one in case.file["activities"]}
    ours = [
        one
        for one in case.deal.activities
        if one.status == "done" and one.at <= case.as_of and one.direction != "inbound"
        and kinds.get(one.activity) in ("call", "email")
    ]  # fmt: skip
    if wanted is None or not begins or "activities" in case.lacking or not ours:
        return []
    first = min(one.at for one in ours)
    kept = any(one.at == first and kinds[one.activity] == wanted for one in ours)
    return [] if kept else [("first_touch_broken", "transition", "warn", False)]


def answer(case: Case) -> Parts:
    """The outcome, the findings as (code or requirement, place, severity, unknown), and what else became of each."""
    stages = {stage["key"]: stage for stage in case.file["stages"]}
    keys, source, to = list(stages), case.deal.stage, case.to
    kinds = {key: stages[key].get("kind", "open") for key in keys}
    moves = drawn(case.file)
    later = kinds[to] == "open" and keys.index(to) > keys.index(source)
    forward = source != to and (kinds[to] == "won" or later)
    findings: list[tuple[str, str, str, bool]] = []
    reopens = case.file["policies"].get("reopen_lost") if kinds[source] == "lost" != kinds[to] else None
    ruled = reopening(reopens, case)
    drawn_by_policy = reopens == "new_deal" or (reopens is not None and kinds[to] == "open")
    if (source, to) not in moves and not drawn_by_policy:
        if ruled:
            return {"outcome": "blocked", "findings": ruled, "satisfied": [], "not_applicable": []}
        code, policy = "no_transition", "undrawn"
        if source != to and kinds[source] == "open" and kinds[to] != "lost":
            end = keys.index(to) if kinds[to] == "open" else len(keys)
            between = [key for key in case.file["path"] if kinds[key] == "open" and key != to]
            if not forward:
                code, policy = "moves_back", "back"
            elif any(keys.index(source) < keys.index(key) < end for key in between):
                code, policy = "skips_stage", "skip"
        found = severity(case.file["policies"].get(policy, "enforce"), case)
        findings.append((code, "transition", found, False))
        if found == "block":
            return {"outcome": "blocked", "findings": findings, "satisfied": [], "not_applicable": []}
    by_rule = drawn_by_policy and (source, to) not in moves
    findings += [*(ruled or beyond(case, by_rule=by_rule)), *first_touch(case)]
    asked = [("exit", one) for one in stages[source].get("exit", []) if forward]
    asked += [("transition", one) for one in moves.get((source, to), [])]
    asked += [("enter", one) for one in stages[to].get("enter", [])]
    satisfied, not_applicable = [], []
    for place, one in asked:
        applies = verdict(one["when"], case) if "when" in one else True
        holds = verdict(one, case)
        if applies is False:
            not_applicable.append((one["id"], place))
        elif holds:
            satisfied.append((one["id"], place))
        else:
            unknown = holds is None or applies is None
            findings.append((one["id"], place, severity(one.get("mode", "enforce"), case), unknown))
    outcome = "blocked" if any(one[2] == "block" for one in findings) else "allowed"
    return {"outcome": outcome, "findings": findings, "satisfied": satisfied, "not_applicable": not_applicable}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def plain(snapshot: Snapshot) -> Parts:
    """A deal as a caller would send it."""
    sent: Parts = json.loads(snapshot.model_dump_json(by_alias=True))
    return sent
