"""`stagerail decide FILE DEAL.json --to STAGE`: may the deal move there, and if not, every reason."""

from argparse import Namespace
from typing import Any

from app.cli.judging import Findings, Question, read_question, unknown_stage
from app.cli.terminal import Terminal
from app.engine import Decision, UnknownStage, decide
from app.i18n import render_decision
from app.i18n.figures import timed


def run(options: Namespace, terminal: Terminal) -> int:
    """Print the decision; 1 when the move is blocked."""
    question = read_question(options, terminal)
    try:
        decision = decide(question.compiled, question.snapshot, options.to, as_of=question.as_of, actor=question.actor)
    except UnknownStage as error:
        raise unknown_stage(error, question.deal, terminal) from error
    shape = render_decision(decision, question.compiled, terminal.locale)
    if terminal.json:
        terminal.data({"decision_id": None, **shape})
    else:
        _show(decision, shape, question, terminal)
    return 0 if decision.outcome == "allowed" else 1


def _show(decision: Decision, shape: dict[str, Any], question: Question, terminal: Terminal) -> None:
    findings = Findings(question.compiled, terminal)
    labels = findings.labels
    head = terminal.text(
        "cli.move",
        outcome=terminal.text(f"outcome.{decision.outcome}"),
        source=labels.stage(decision.from_stage or ""),
        to=labels.stage(decision.to_stage),
        as_of=timed(decision.as_of, labels.zone, terminal.locale),
    )
    terminal.line(terminal.marked(decision.outcome, head))
    findings.show(shape["findings"])
    terminal.line()
    if not shape["findings"]:
        terminal.line("  " + terminal.text("cli.no_findings"))
    for name in ("satisfied", "not_applicable"):
        if shape[name]:
            ids = ", ".join(one["requirement"] for one in shape[name])
            terminal.line("  " + terminal.paint(terminal.text(f"cli.{name}", requirements=ids), "dim"))
    for note in shape.get("notes", ()):
        terminal.line("  " + terminal.marked("info", note["message"]))
