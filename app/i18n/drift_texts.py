"""What is left on a deal that was moved against its process: a note with every reason, and a task."""

from app.engine.decision import Advice, Decision
from app.i18n.advice import render_advice
from app.i18n.decisions import render_finding
from app.i18n.details import Move
from app.i18n.labels import Compiled, labels_of
from app.i18n.remedies import way_out
from app.i18n.texts import Locale


def drift_note(decision: Decision, compiled: Compiled, locale: Locale, *, put_back: str | None) -> str:
    """Which move it was, every reason that blocks it with its way out, and the stage that the deal was put back to."""
    labels = labels_of(compiled, locale)
    text = labels.catalogue.text
    move = Move(decision.from_stage, decision.to_stage, decision.version, decision.as_of)
    said = {"source": labels.stage(decision.from_stage or ""), "to": labels.stage(decision.to_stage)}
    lines = [text("drift.put_back", **said, home=labels.stage(put_back)) if put_back else text("drift.note", **said)]
    for finding in decision.findings:
        if finding.severity == "block":
            reason = render_finding(finding, labels, move)
            lines.append(text("drift.reason", message=_begun(reason["message"]), detail=reason["detail"]))
            way = way_out(finding.remediation, labels)
            if way and way != reason["message"]:
                lines.append(text("drift.way_out", way=way))
    return "\n".join(lines)


def drift_task(advice: Advice | None, decision: Decision, compiled: Compiled, locale: Locale) -> str:
    """What to do first, in one line: the first suggestion, else the first reason."""
    if advice is not None and advice.suggestions:
        first = render_advice(advice, compiled, locale, detail="brief")["suggestions"][0]
        return _begun(first["message"])
    labels = labels_of(compiled, locale)
    move = Move(decision.from_stage, decision.to_stage, decision.version, decision.as_of)
    blocking = next(finding for finding in decision.findings if finding.severity == "block")
    return _begun(render_finding(blocking, labels, move)["message"])


def _begun(text: str) -> str:
    """Ours begin in lower case; on a line of its own, among what people wrote, a text begins like a sentence."""
    return text[:1].upper() + text[1:]
