"""What `decide` and `suggest` share: who, when, and how findings are shown to people."""

from argparse import Namespace
from datetime import datetime
from typing import Any, NamedTuple

from app import clock
from app.cli.files import STDIN, Document, at_place, read_deal, sound_process
from app.cli.refusals import BadFile, Refusal
from app.cli.terminal import Terminal
from app.engine import Actor, CompiledProcess, Snapshot, UnknownStage, compile_process
from app.engine.snapshot import EARLIEST, LATEST
from app.i18n.labels import Labels, labels_of
from app.i18n.remedies import way_out


class Question(NamedTuple):
    """Everything a judgement needs."""

    compiled: CompiledProcess
    snapshot: Snapshot
    as_of: datetime
    actor: Actor | None
    deal: Document


def read_question(options: Namespace, terminal: Terminal) -> Question:
    """Read the process, the deal, the instant and the actor."""
    if options.file == options.deal == STDIN:
        raise Refusal("cli.stdin_twice")
    as_of = read_instant(options.as_of)
    actor = _actor(options)
    compiled = compile_process(sound_process(options.file, terminal))
    snapshot, deal = read_deal(options.deal, terminal)
    return Question(compiled, snapshot, as_of, actor, deal)


def read_instant(text: str | None) -> datetime:
    """A time with an offset; now if not said."""
    if text is None:
        return clock.now()
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None and EARLIEST <= moment <= LATEST:
            return moment
    except (ValueError, OverflowError) as error:
        raise Refusal("cli.bad_as_of", value=text) from error
    raise Refusal("cli.bad_as_of", value=text)


def _actor(options: Namespace) -> Actor | None:
    if options.actor:
        return Actor(id=options.actor, roles=tuple(options.role))
    if options.role:
        raise Refusal("cli.role_without_actor")
    return None


def unknown_stage(error: UnknownStage, deal: Document, terminal: Terminal) -> Exception:
    """Whoever named a stage that the process lacks: the deal's file, or whoever typed the command."""
    known = ", ".join(f"`{stage}`" for stage in error.known)
    if error.place == "from":
        return BadFile(at_place(deal, ("stage",), terminal, "cli.unknown_stage", stage=error.stage, known=known))
    return Refusal("cli.unknown_stage", stage=error.stage, known=known)


class Findings:
    """Shows findings: what, the figures, the way out."""

    def __init__(self, compiled: CompiledProcess, terminal: Terminal) -> None:
        self.terminal = terminal
        self.labels: Labels = labels_of(compiled, terminal.locale)

    def show(self, findings: list[dict[str, Any]]) -> None:
        """Each finding as it stands in the answer over HTTP, in a few lines."""
        for finding in findings:
            self._show(finding)

    def _show(self, finding: dict[str, Any]) -> None:
        terminal = self.terminal
        name = finding["requirement"] or finding["code"]
        terminal.line()
        terminal.line("  " + terminal.marked(finding["severity"], _capital(finding["message"])) + f"  [{name}]")
        if finding["detail"]:
            terminal.line(f"      {finding['detail']}")
        said = way_out(finding["remediation"], self.labels)
        if said and said != finding["message"]:
            terminal.line(f"      → {said}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
