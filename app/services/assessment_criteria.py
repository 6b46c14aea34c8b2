"""The criteria of the assessment: for each level its questions, every answer with figure, threshold and evidence.

Below the least evidence nothing is judged: too little data is said, not guessed.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from app.engine import Process
from app.services.adherence import added
from app.store.insights import Amounts

Level = Literal["crawl", "walk", "run"]
Result = Literal["pass", "fail", "too_little_data"]
LEVELS: tuple[Level, ...] = ("crawl", "walk", "run")

MOST_DEVIATION = 0.2
LEAST_ENTERED = 0.8
LEAST_STRUCTURED = 0.7
LEAST_LOGGED = 0.8
MOST_ACTIVITIES = 5
MOST_RULES = 20
LEAST_ASKED = 30
"""Requirements asked of moves that happened, before a rate of deviation means anything."""
LEAST_DEALS = 20
"""Stored deals, before a share of them means anything."""

RULE_FINDINGS = frozenset({"no_lost_stage", "no_lost_reason", "no_reopen_rule", "no_first_touch_rule"})
STAGE_FINDINGS = frozenset(
    {"vague_stage_name", "unobservable_stage", "look_alike_stages", "skippable_stage", "too_many_stages"}
)
ACTIVITY_FINDINGS = frozenset({"too_many_activities", "trifling_activity"})
BUYER_FINDINGS = frozenset({"seller_named_stage", "no_buyer_step"})


class Evidence(NamedTuple):
    """All that is looked at. Without stored deals the sums are empty."""

    process: Process | None
    findings: Mapping[str, int]
    rules: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    amounts: Amounts


class Criterion(NamedTuple):
    """One question with its answer."""

    key: str
    level: Level
    result: Result
    figure: float | None
    threshold: dict[str, float]
    evidence: dict[str, Any]
    worst: str = "-"


def criteria_of(evidence: Evidence) -> tuple[Criterion, ...]:
    """Every criterion, judged; without a process there is only one to ask."""
    if evidence.process is None:
        return (Criterion("process_exists", "crawl", "fail", 0, {"at_least": 1}, {"processes": 0}),)
    return tuple(judge(evidence) for judge in _CRITERIA)


def _process_exists(_evidence: Evidence) -> Criterion:
    return Criterion("process_exists", "crawl", "pass", 1, {"at_least": 1}, {"processes": 1})


def _house_rules_set(evidence: Evidence) -> Criterion:
    return _by_findings("house_rules_set", "crawl", evidence, RULE_FINDINGS)


def _process_kept(evidence: Evidence) -> Criterion:
    total = added(evidence.rules)
    broken = sorted(evidence.rules, key=lambda one: (-(one["deviation"] or 0), -one["missed"]))
    worst = (broken[0]["requirement"] or broken[0]["rule"]) if broken else "-"
    rules = [
        {"requirement": one["requirement"], "rule": one["rule"], "activated": one["activated"], "missed": one["missed"],
         "deviation": one["deviation"]}
        for one in broken[:MOST_RULES]
    ]  # fmt: skip
    counts = {"activated": total["activated"], "missed": total["missed"], "least": LEAST_ASKED, "rules": rules}
    return Criterion(
        "process_kept", "crawl", _at_most(total["deviation"], MOST_DEVIATION, total["activated"] >= LEAST_ASKED),
        total["deviation"], {"at_most": MOST_DEVIATION}, counts, worst,
    )  # fmt: skip


def _data_entered(evidence: Evidence) -> Criterion:
    return _by_fields("data_entered", "crawl", evidence, LEAST_ENTERED, good=_entered, whole=lambda one: one["count"])


def _stages_factual(evidence: Evidence) -> Criterion:
    return _by_findings("stages_factual", "walk", evidence, STAGE_FINDINGS)


def _activities_few(evidence: Evidence) -> Criterion:
    number = len(evidence.process.activities) if evidence.process else 0
    found = _of(evidence, ACTIVITY_FINDINGS)
    good = 1 <= number <= MOST_ACTIVITIES and not found
    return Criterion(
        "activities_few", "walk", "pass" if good else "fail", number, {"at_least": 1, "at_most": MOST_ACTIVITIES},
        {"activities": number, "findings": found},
    )  # fmt: skip


def _activities_logged(evidence: Evidence) -> Criterion:
    amounts = evidence.amounts
    share = _share(amounts.deals_with_activity, amounts.deals)
    return Criterion(
        "activities_logged", "walk", _at_least(share, LEAST_LOGGED, amounts.deals >= LEAST_DEALS), share,
        {"at_least": LEAST_LOGGED}, {**amounts._asdict(), "least": LEAST_DEALS},
    )  # fmt: skip


def _data_structured(evidence: Evidence) -> Criterion:
    return _by_fields(
        "data_structured", "walk", evidence, LEAST_STRUCTURED, good=lambda one: one["structured"], whole=_entered
    )


def _path_buyers(evidence: Evidence) -> Criterion:
    open_stages = [stage for stage in evidence.process.stages if stage.kind == "open"] if evidence.process else []
    found = _of(evidence, BUYER_FINDINGS)
    share = _share(sum(stage.buyer is not None for stage in open_stages), len(open_stages))
    good = share == 1 and not found
    return Criterion(
        "path_buyers", "run", "pass" if good else "fail", share, {"at_least": 1},
        {"open_stages": len(open_stages), "findings": found},
    )  # fmt: skip


_CRITERIA: tuple[Callable[[Evidence], Criterion], ...] = (
    _process_exists, _house_rules_set, _process_kept, _data_entered,
    _stages_factual, _activities_few, _activities_logged, _data_structured, _path_buyers,
)  # fmt: skip


def _by_findings(key: str, level: Level, evidence: Evidence, codes: frozenset[str]) -> Criterion:
    found = _of(evidence, codes)
    number = sum(found.values())
    return Criterion(key, level, "fail" if number else "pass", number, {"at_most": 0}, {"findings": found})


def _entered(field: dict[str, Any]) -> int:
    """How many values of a field say anything; what the field cannot hold says nothing."""
    return int(field["structured"] + field["text"])


def _by_fields(
    key: str,
    level: Level,
    evidence: Evidence,
    least: float,
    *,
    good: Callable[[dict[str, Any]], int],
    whole: Callable[[dict[str, Any]], int],
) -> Criterion:
    """A share of values over all fields; the worst field is the one with the smallest share of its own."""
    values = sum(map(whole, evidence.fields))
    number = sum(map(good, evidence.fields))
    share = _share(number, values)
    held = [one for one in evidence.fields if whole(one)]
    worst = min(held, key=lambda one: good(one) / whole(one), default={"field": "-"})
    enough = evidence.amounts.deals >= LEAST_DEALS
    counts = {"deals": evidence.amounts.deals, "values": values, "good": number, "least": LEAST_DEALS}
    return Criterion(key, level, _at_least(share, least, enough), share, {"at_least": least}, counts, worst["field"])


def _of(evidence: Evidence, codes: Iterable[str]) -> dict[str, int]:
    return {code: evidence.findings[code] for code in sorted(codes) if code in evidence.findings}


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _at_most(figure: float | None, most: float, enough: bool) -> Result:
    if figure is None or not enough:
        return "too_little_data"
    return "pass" if figure <= most else "fail"


def _at_least(figure: float | None, least: float, enough: bool) -> Result:
    if figure is None or not enough:
        return "too_little_data"
    return "pass" if figure >= least else "fail"
