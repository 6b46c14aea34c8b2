"""`stagerail test FILE…`: run case files. A case that fails shows what was expected and what came out instead."""

from argparse import Namespace
from typing import Any

from app.cli.cases import CaseFile, CaseResult, find_case_files, read_case_file, run_case
from app.cli.cases.diff import difference
from app.cli.refusals import BadFile, Located
from app.cli.terminal import Terminal

_COLOURS = {"-": "red", "+": "green"}


class _Tally:
    """What all the files together gave."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self.cases: list[dict[str, Any]] = []
        self.problems: list[Located] = []

    @property
    def good(self) -> bool:
        """Whether there were cases and every one passed."""
        return self.passed > 0 and not self.failed and not self.problems


def run(options: Namespace, terminal: Terminal) -> int:
    """Run every case of every file; a file that cannot be read fails and the others are run all the same."""
    tally = _Tally()
    for name in find_case_files(options.files):
        try:
            file = read_case_file(name, terminal)
        except BadFile as bad:
            tally.problems += bad.problems
            if not terminal.json:
                terminal.problems(bad.problems)
            continue
        for case in file.cases:
            _note(tally, file, run_case(file, case), terminal)
    if terminal.json:
        _data(tally, terminal)
    else:
        _summary(tally, terminal)
    return 0 if tally.good else 1


def _note(tally: _Tally, file: CaseFile, result: CaseResult, terminal: Terminal) -> None:
    entry = {"file": file.file, "line": result.case.line, "name": result.case.shape.name, "passed": result.passed}
    if result.passed:
        tally.passed += 1
    else:
        tally.failed += 1
        entry |= {"expected": result.comparison.expected, "actual": result.comparison.actual}
        if not terminal.json:
            _show(file, result, terminal)
    tally.cases.append(entry)


def _show(file: CaseFile, result: CaseResult, terminal: Terminal) -> None:
    """A failed case: where it stands, its name, and the difference."""
    said = terminal.text("cli.case_failed", case=result.case.shape.name)
    terminal.line(terminal.marked("blocked", f"{file.file}:{result.case.line}: {said}"))
    words = (terminal.text("cli.case_expected"), terminal.text("cli.case_actual"))
    for line in difference(result.comparison, *words):
        colour = _COLOURS.get(line[:1])
        terminal.line("    " + (line if colour is None else terminal.paint(line, colour)))
    terminal.line()


def _summary(tally: _Tally, terminal: Terminal) -> None:
    counts = {"failed": tally.failed, "passed": tally.passed}
    said = ", ".join(terminal.text(f"cli.cases_{name}", count=count) for name, count in counts.items() if count)
    if tally.problems:
        said = ", ".join(filter(None, [said, terminal.text("cli.problems", count=len(tally.problems))]))
    terminal.line(terminal.marked("allowed" if tally.good else "blocked", said))


def _data(tally: _Tally, terminal: Terminal) -> None:
    terminal.data(
        {
            "passed": tally.passed,
            "failed": tally.failed,
            "cases": tally.cases,
            "problems": [problem._asdict() for problem in tally.problems],
        }
    )
