"""`stagerail check FILE`: is this process file sound? Every problem at once, with its place."""

from argparse import Namespace

from app.cli.files import checked_process, named, read_bytes
from app.cli.refusals import BadFile, Located
from app.cli.terminal import Terminal
from app.engine import Process, digest_of


def run(options: Namespace, terminal: Terminal) -> int:
    """Tell what is wrong or doubtful; warnings alone are no reason to fail."""
    file = named(options.file)
    process, problems = checked_process(read_bytes(options.file), file, terminal)
    if terminal.json and process is None:
        raise BadFile(*problems, kind="invalid-process-file")
    if terminal.json and process is not None:
        ref = {"key": process.process, "version": None, "digest": digest_of(process)}
        terminal.data({"process": ref, "created": False, "warnings": [problem._asdict() for problem in problems]})
    else:
        terminal.problems(problems)
        for line in _summary(file, process, problems, terminal):
            terminal.line(line)
    return 1 if process is None else 0


def _summary(file: str, process: Process | None, problems: tuple[Located, ...], terminal: Terminal) -> list[str]:
    counts = {kind: sum(problem.severity == kind for problem in problems) for kind in ("error", "warning")}
    lines = [terminal.text(f"cli.file_{kind}s", count=count, file=file) for kind, count in counts.items() if count]
    if process is None:
        return lines
    asked = {
        requirement.id
        for group in (*(one for stage in process.stages for one in (stage.enter, stage.exit)), *process.edges.values())
        for requirement in group
    }
    figures = {"stages": len(process.stages), "moves": len(process.edges), "requirements": len(asked)}
    good = terminal.text("cli.file_good", file=file) + ": " + terminal.text("cli.file_summary", **figures)
    return [*lines, terminal.marked("allowed", good)]
