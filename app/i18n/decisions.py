"""A decision in the shape callers read, with texts in their language."""

from datetime import UTC, datetime
from typing import Any

from app.engine.decision import Decision, Finding, Judged, Nested, Note
from app.i18n.details import Move, detail
from app.i18n.kept import Said, said_of
from app.i18n.labels import Compiled, Labels, labels_of
from app.i18n.remedies import way_out
from app.i18n.texts import Locale, author_text

Shape = dict[str, Any]


def render_decision(decision: Decision, compiled: Compiled, locale: Locale, *, decision_id: str | None = None) -> Shape:
    """The decision as JSON-ready data; `decision_id` comes first where there is one."""
    labels = labels_of(compiled, locale)
    move = Move(decision.from_stage, decision.to_stage, decision.version, decision.as_of)
    shape: Shape = {} if decision_id is None else {"decision_id": decision_id}
    shape["outcome"] = decision.outcome
    shape["process"] = {"key": decision.process, "version": decision.version, "digest": decision.digest}
    shape["from"] = decision.from_stage
    shape["to"] = decision.to_stage
    for end, stage in (("from_buyer", decision.from_stage), ("to_buyer", decision.to_stage)):
        if stage in labels.buyers:
            shape[end] = labels.buyers[stage]
    shape["as_of"] = instant(decision.as_of)
    shape["findings"] = [render_finding(finding, labels, move) for finding in decision.findings]
    shape["satisfied"] = _judged(decision.satisfied)
    shape["not_applicable"] = _judged(decision.not_applicable)
    shape["waived"] = []
    shape["facts"] = {"complete": not decision.missing, "missing": list(decision.missing)}
    if decision.notes:
        shape["notes"] = [_note(note, labels) for note in decision.notes]
    return shape


def render_finding(finding: Finding, labels: Labels, move: Move) -> Shape:
    """One reason: the author's words or ours, our detail with the figures, and the way out."""
    said = said_of(finding, labels, lambda: _said(finding, labels, move))
    shape: Shape = {
        "code": finding.code,
        "severity": finding.severity,
        "requirement": finding.requirement,
        "at": finding.at,
        "message": said.message,
        "detail": _relaxed(finding, said.detail, labels),
        "expected": finding.expected,
        "actual": finding.actual,
        "remediation": list(finding.remediation),
    }
    if finding.relaxed_for is not None:
        shape["relaxed_for"] = finding.relaxed_for
    if finding.nested:
        shape["nested"] = [_nested(one, labels, move) for one in finding.nested]
    return shape


def _said(finding: Finding, labels: Labels, move: Move) -> Said:
    message = author_text(finding.say, labels.locale) or _message(finding, labels)
    return Said(message, detail(finding, labels, move))


def _relaxed(finding: Finding, said: str, labels: Labels) -> str:
    if finding.relaxed_for is None:
        return said
    return labels.catalogue.text("finding.relaxed", detail=said, role=labels.person(finding.relaxed_for))


def instant(moment: datetime) -> str:
    """RFC 3339, in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _message(finding: Finding, labels: Labels) -> str:
    """What to do, in short; what is wrong where nothing can be done, or where it is not even known to apply."""
    if finding.actual.get("because") != "when_unknown":
        said = way_out(finding.remediation, labels)
        if said:
            return said
    return labels.catalogue.text(f"finding.{finding.code}.message")


def _nested(result: Nested, labels: Labels, move: Move) -> Shape:
    shape: Shape = {
        "requirement": result.requirement,
        "holds": result.holds,
        "code": result.code,
        "detail": detail(result, labels, move) or None,
        "expected": result.expected,
        "actual": result.actual,
        "remediation": list(result.remediation),
    }
    if result.nested:
        shape["nested"] = [_nested(one, labels, move) for one in result.nested]
    return shape


def _judged(judged: tuple[Judged, ...]) -> list[Shape]:
    return [{"requirement": one.requirement, "at": one.at} for one in judged]


def _note(note: Note, labels: Labels) -> Shape:
    return {"code": note.code, "key": note.key, "message": labels.catalogue.text(f"note.{note.code}", key=note.key)}
