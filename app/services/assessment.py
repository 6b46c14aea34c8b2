"""The assessment: where a team stands (crawl, walk, run), from its process and from what it has stored here.

Every criterion has its figure, its threshold and the evidence behind it. Below the least evidence nothing is judged:
too little data is said, not guessed. The answer ends in ONE next step and the starter that fits it.
"""

from typing import Any, NamedTuple

from app.engine import Process
from app.engine.check.quality import quality_problems
from app.engine.nodes import Marks
from app.i18n import Locale, texts
from app.services.adherence import Asked, adherence
from app.services.assessment_criteria import LEVELS, Criterion, Evidence, Level, criteria_of
from app.services.data_quality import quality_of_process
from app.services.processes import Processes
from app.services.refusals import InvalidRequest
from app.store.database import Database
from app.store.insights import Amounts, count_amounts
from app.store.processes import list_processes


class Assessment(NamedTuple):
    """All of it, with the level that the process claims; `process` is None where there is none."""

    process: dict[str, Any] | None
    maturity: Level
    criteria: tuple[Criterion, ...]


async def assess(db: Database, processes: Processes, tenant_id: str, key: str | None) -> Assessment:
    """The assessment of a process with its stored deals. Raises UnknownProcess; InvalidRequest when unnamed."""
    named = key or await _only_process(db, tenant_id)
    if named is None:
        return Assessment(None, "crawl", criteria_of(Evidence(None, {}, [], [], Amounts(0, 0, 0))))
    compiled = await processes.asked(db, tenant_id, named)
    kept = await adherence(db, tenant_id, Asked(named, ("requirement",)), limit=1, after=None)
    quality = await quality_of_process(db, tenant_id, named, owner=None, limit=1, after=None)
    amounts = await count_amounts(db, tenant_id, named)
    evidence = Evidence(compiled.process, _findings(compiled.process), kept.sums, quality.fields, amounts)
    ref = {"key": named, "version": compiled.version, "digest": compiled.digest}
    return Assessment(ref, compiled.process.maturity, criteria_of(evidence))


def assess_file(process: Process, digest: str) -> Assessment:
    """The assessment of a process file alone: what needs deals has too little data."""
    evidence = Evidence(process, _findings(process), [], [], Amounts(0, 0, 0))
    ref = {"key": process.process, "version": None, "digest": digest}
    return Assessment(ref, process.maturity, criteria_of(evidence))


async def _only_process(db: Database, tenant_id: str) -> str | None:
    known = [one.process_key for one in await list_processes(db, tenant_id, limit=20)]
    if len(known) > 1:
        raise InvalidRequest("process", "name_one_process", known=", ".join(f"`{one}`" for one in known))
    return known[0] if known else None


def _findings(process: Process) -> dict[str, int]:
    """How often the checker finds what, as if the process claimed to run: every check applies; its silences hold."""
    found: dict[str, int] = {}
    for problem in quality_problems(process.model_copy(update={"maturity": "run"}), Marks()):
        found[problem.code] = found.get(problem.code, 0) + 1
    return found


def document(assessment: Assessment, locale: Locale) -> dict[str, Any]:
    """The assessment in JSON, its texts in a language."""
    catalogue = texts(locale)
    criteria = [
        {
            "criterion": one.key,
            "level": one.level,
            "name": catalogue.text(f"assessment.{one.key}.name"),
            "result": one.result,
            "figure": one.figure,
            "threshold": one.threshold,
            "evidence": one.evidence,
        }
        for one in assessment.criteria
    ]
    stands, next_step = _stands(assessment.criteria), _next(assessment, locale)
    return {
        "process": assessment.process,
        "claims": assessment.maturity,
        "stands": stands,
        "criteria": criteria,
        "next_step": next_step,
    }


def _stands(criteria: tuple[Criterion, ...]) -> Level | None:
    """The highest level that is reached, every level below it too; None when not even the first is."""
    reached: Level | None = None
    for level in LEVELS:
        asked = [one for one in criteria if one.level == level]
        if not asked or any(one.result != "pass" for one in asked):
            return reached
        reached = level
    return reached


def _next(assessment: Assessment, locale: Locale) -> dict[str, Any]:
    """One step: what fails at the level the process claims or below; then what needs data; then what fails above."""
    catalogue = texts(locale)
    claimed = LEVELS.index(assessment.maturity)

    def urgency(one: Criterion) -> tuple[int, int]:
        level = LEVELS.index(one.level)
        return (1 if one.result == "too_little_data" else 0 if level <= claimed else 2), level

    open_ones = [one for one in assessment.criteria if one.result != "pass"]
    one = min(open_ones, key=urgency, default=None)
    if one is None:
        return {"criterion": None, "message": catalogue.text("assessment.done.step"), "starter": assessment.maturity}
    starter = one.level if one.result == "fail" else assessment.maturity
    if one.result == "fail":
        message = catalogue.text(f"assessment.{one.key}.step", worst=one.worst)
    else:
        found = one.evidence["activated"] if "activated" in one.evidence else one.evidence["deals"]
        name = catalogue.text(f"assessment.{one.key}.name")
        message = catalogue.text(
            "assessment.too_little_data.step", name=name, needed=one.evidence["least"], found=found
        )
    return {"criterion": one.key, "message": message, "starter": starter}
