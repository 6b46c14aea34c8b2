"""`stagerail suggest FILE DEAL.json`: what to do next, what blocks the next move first."""

from argparse import Namespace
from typing import Any

from app.cli.judging import Findings, read_question, unknown_stage
from app.cli.terminal import Terminal
from app.engine import UnknownStage, suggest
from app.i18n import render_advice
from app.i18n.labels import Labels


def run(options: Namespace, terminal: Terminal) -> int:
    """Print the suggestions. A goal out of reach is a right answer too."""
    question = read_question(options, terminal)
    try:
        advice = suggest(
            question.compiled,
            question.snapshot,
            as_of=question.as_of,
            goal=options.goal,
            limit=options.limit,
            actor=question.actor,
        )
    except UnknownStage as error:
        raise unknown_stage(error, question.deal, terminal) from error
    shape = render_advice(advice, question.compiled, terminal.locale, detail=options.detail)
    if terminal.json:
        terminal.data(shape)
    else:
        _show(shape, Findings(question.compiled, terminal), terminal)
    return 0


def _show(shape: dict[str, Any], findings: Findings, terminal: Terminal) -> None:
    terminal.line(_plan(shape, findings.labels, terminal))
    findings.show(shape["blocked_by"])
    terminal.line()
    for one in shape["suggestions"]:
        _suggestion(one, terminal)
    if not shape["suggestions"]:
        terminal.line("  " + terminal.text("cli.no_suggestions"))


def _plan(shape: dict[str, Any], labels: Labels, terminal: Terminal) -> str:
    plan = shape["plan"]
    if plan is None:
        return terminal.marked("blocked", terminal.text("cli.no_plan", goal=labels.stage(shape["goal"])))
    stages = " → ".join(labels.stage(key) for key in (shape["stage"], *plan["stages"]))
    said = terminal.text("cli.plan", stages=stages, count=plan["open_requirements"])
    return terminal.paint(", ".join(filter(None, [said, _effort(plan, terminal)])), "bold")


def _suggestion(one: dict[str, Any], terminal: Terminal) -> None:
    need = terminal.text("cli.mandatory" if one["mandatory"] else "cli.optional")
    message = one["message"][:1].upper() + one["message"][1:]
    need = terminal.paint(need, "red" if one["mandatory"] else "blue")
    if "because" not in one:  # a brief one
        terminal.line(f"  {one['rank']}. {message}  ({need})")
        return
    figures = ", ".join(filter(None, [need, _effort(one, terminal)]))
    terminal.line(f"  {one['rank']}. {message}  ({figures})")
    because = dict.fromkeys(reason["requirement"] for reason in one["because"])
    terminal.line("     " + terminal.paint(terminal.text("cli.because", requirements=", ".join(because)), "dim"))


def _effort(figures: dict[str, Any], terminal: Terminal) -> str:
    """`1 h 30 min of work, 3 days ahead`; nothing where both are nothing."""
    hours, minutes = divmod(figures["effort_minutes"], 60)
    said = " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)
    days = figures["lead_time_days"]
    parts = [terminal.text("cli.effort", effort=said) if said else ""]
    parts += [terminal.text("cli.lead_time", count=days) if days else ""]
    return ", ".join(filter(None, parts))
