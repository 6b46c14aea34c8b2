"""Adherence: what became of each requirement when a deal really moved, written with the decision and counted by SQL.

What counts is what happened: moves that were made here, and moves made elsewhere whose facts were complete. A question
(`POST /validate-transition`) counts for nothing; a move that was refused here is counted apart, as `refused`.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from app.engine import CompiledProcess, Decision, Finding, never_asked
from app.services.refusals import InvalidRequest
from app.store.database import Reader, Transaction
from app.store.decisions import LoggedDecision, insert_decision
from app.store.insights import DIMENSIONS, RESULTS, Dimension, Kept, Period, count_kept, delete_kept, insert_kept

DRAWN = "drawn"
"""The rule that a move is one the process draws: asked of every move, so its `activated` counts the moves."""
UNDRAWN_CODES = frozenset({"no_transition", "skips_stage", "moves_back", "unknown_stage"})
UNKNOWN = "cannot_evaluate"
FIRST_TOUCH, REOPEN_LOST = "first_touch", "reopen_lost"
HOUSE_RULES = (FIRST_TOUCH, REOPEN_LOST)
"""Named as in the file's policies."""


class Asked(NamedTuple):
    """What is counted: of one process, in a period, of one owner or all."""

    process: str
    by: tuple[Dimension, ...]
    period: Period = Period()
    owner: str | None = None

    @property
    def width(self) -> int:
        """How many values name a group."""
        return sum(len(DIMENSIONS[one]) for one in set(self.by))


class Adherence(NamedTuple):
    """One page of groups, and the sums behind them by kind and name."""

    groups: list[dict[str, Any]]
    places: list[list[str]]
    sums: list[dict[str, Any]]


async def record_move(
    tx: Transaction, entry: LoggedDecision, decision: Decision, compiled: CompiledProcess, *, owner: str | None
) -> None:
    """Log a decision about a move that was made or tried, with what it means for adherence.

    One that supersedes another counts in its place: a move counts once.
    """
    await insert_decision(tx, entry)
    if entry.supersedes is not None:
        await delete_kept(tx, entry.tenant_id, entry.supersedes)
    if decision.outcome == "not_judged" or not facts_complete(decision, compiled) or entry.source == "api":
        return
    at = decision.as_of.astimezone(compiled.zone)
    refused = entry.source == "move" and not entry.applied
    found = dict(_refused(decision) if refused else _happened(decision))
    moved = (
        entry.process_key,
        decision.from_stage or "",
        decision.to_stage,
        owner or "",
        week_of(at),
        f"{at:%Y-%m-%d}",
    )
    against = {_what(finding) for finding in decision.findings if blocks_surely(finding)}
    rows = [
        Kept(entry.tenant_id, entry.decision_id, *what, *moved, result, what in against)
        for what, result in found.items()
    ]
    await insert_kept(tx, rows)


def facts_complete(decision: Decision, compiled: CompiledProcess) -> bool:
    """Whether nothing lacked that the process asks about."""
    return never_asked(compiled).issuperset(decision.missing)


def blocks_surely(finding: Finding) -> bool:
    """Whether it blocks, and not for doubt: nobody is held to what could not be evaluated."""
    return finding.severity == "block" and finding.code not in (UNKNOWN, "unknown_stage")


def _happened(decision: Decision) -> Iterator[tuple[tuple[str, str], str]]:
    """Every requirement and rule that was asked, and whether it was kept."""
    for rule in (DRAWN, *decision.kept):
        yield ("rule", rule), "met"
    for judged in decision.satisfied:
        yield ("requirement", judged.requirement), "met"
    for finding in decision.findings:
        yield _what(finding), "unknown" if finding.code == UNKNOWN else "missed"


def _refused(decision: Decision) -> Iterator[tuple[tuple[str, str], str]]:
    """What stood in the way of a move that was not made."""
    for finding in decision.findings:
        if finding.severity == "block":
            yield _what(finding), "refused"


def _what(finding: Finding) -> tuple[str, str]:
    if finding.code in UNDRAWN_CODES:
        return "rule", DRAWN
    if finding.requirement is not None:
        return "requirement", finding.requirement
    return "rule", next((rule for rule in HOUSE_RULES if rule in finding.expected), finding.code)


def week_of(at: datetime) -> str:
    """The ISO week of a time, in its own zone."""
    year, week, _ = at.isocalendar()
    return f"{year:04}-W{week:02}"


def period(first: date | None, last: date | None) -> Period:
    """Days from and to, both counted in. Raises InvalidRequest when they stand the wrong way round."""
    if first is not None and last is not None and first > last:
        raise InvalidRequest("from", "period_reversed", first=first.isoformat(), last=last.isoformat())
    return Period(first.isoformat() if first else None, last.isoformat() if last else None)


async def adherence(db: Reader, tenant_id: str, asked: Asked, *, limit: int, after: list[str] | None) -> Adherence:
    """One group more than `limit`, to know whether there is another page; and the sums over all groups."""
    by = tuple(one for one in DIMENSIONS if one in asked.by)
    within = {"period": asked.period, "owner": asked.owner}
    rows = await count_kept(db, tenant_id, asked.process, by=by, **within, limit=limit, after=after)  # type: ignore[arg-type]
    sums = await count_kept(db, tenant_id, asked.process, by=("requirement",), **within)  # type: ignore[arg-type]
    return Adherence(
        [_group(row, by) for row in rows],
        [list(row[: asked.width]) for row in rows],
        [_group(row, ("requirement",)) for row in sums],
    )


def _group(row: tuple[Any, ...], by: tuple[Dimension, ...]) -> dict[str, Any]:
    columns = [column for one in by for column in DIMENSIONS[one]]
    values = dict(zip(columns, row, strict=False))
    group: dict[str, Any] = {}
    if "kind" in values:
        group["requirement"] = values["name"] if values["kind"] == "requirement" else None
        group["rule"] = values["name"] if values["kind"] == "rule" else None
    if "from_stage" in values:
        group |= {"from": values["from_stage"], "to": values["to_stage"]}
    if "owner" in values:
        group["owner"] = values["owner"] or None
    if "week" in values:
        group["week"] = values["week"]
    return group | counts(dict(zip(RESULTS, row[len(columns) :], strict=True)))


def counts(found: dict[str, int]) -> dict[str, Any]:
    """The counts with their denominator: `activated` is what was met, waived or missed."""
    activated = found["met"] + found["waived"] + found["missed"]
    rate = round(found["missed"] / activated, 4) if activated else None
    return {"activated": activated, **found, "deviation": rate}


def added(groups: list[dict[str, Any]]) -> dict[str, Any]:
    """Groups added up."""
    return counts({name: sum(group[name] for group in groups) for name in RESULTS})


def moves(rules: list[dict[str, Any]]) -> dict[str, int]:
    """The moves behind the counts: every one of them was asked whether it is drawn."""
    drawn = next((one for one in rules if one["rule"] == DRAWN), counts(dict.fromkeys(RESULTS, 0)))
    return {
        "total": drawn["activated"], "drawn": drawn["met"], "undrawn": drawn["missed"], "refused": drawn["refused"],
    }  # fmt: skip
