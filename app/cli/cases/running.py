"""Asks the engine what a case asks, and compares the answer with what the case expects."""

from typing import Any, NamedTuple

from app.cli.cases.compare import Comparison, compared
from app.cli.cases.reading import Case, CaseFile
from app.engine import decide, suggest
from app.i18n import render_advice, render_decision


class CaseResult(NamedTuple):
    """How a case went. `comparison` holds what was expected and what came out, in the keys of the case."""

    case: Case
    comparison: Comparison

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return self.comparison.expected == self.comparison.actual


def run_case(file: CaseFile, case: Case) -> CaseResult:
    """Run one case. Stages were checked when the file was read."""
    return CaseResult(case, compared(case.shape.expect.given(), answer(file, case)))


def answer(file: CaseFile, case: Case) -> dict[str, Any]:
    """What the engine says, in the shape callers read over HTTP."""
    shape, compiled = case.shape, file.compiled
    asked: dict[str, Any] = {"as_of": case.as_of, "actor": case.actor, "missing": frozenset(shape.missing)}
    if shape.to is not None:
        return render_decision(decide(compiled, case.snapshot, shape.to, **asked), compiled, file.lang)
    advice = suggest(compiled, case.snapshot, goal=shape.goal, limit=shape.limit, **asked)
    return render_advice(advice, compiled, file.lang)
