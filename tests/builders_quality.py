"""Builders for tests of quality: a good process, and the same one spoilt in one place that a ▶ marks."""

from typing import NamedTuple

from app.engine.errors import FileProblem
from app.engine.load import read_process

GOOD = """process: p
maturity: run
contacts: [champion]
roles: [boss]
activities:
  - {key: meet, kind: meeting}
  - {key: call, kind: call}
fields:
  - {key: amount, type: number}
  - {key: lost_reason, type: choice, choices: [price, timing]}
stages:
  - {key: problem_voiced, buyer: problem}
  - {key: solution_evaluated, buyer: evaluation}
  - {key: terms_agreed, buyer: decision}
  - {key: won, kind: won}
  - {key: lost, kind: lost}
path: [problem_voiced, solution_evaluated, terms_agreed, won]
transitions:
  - {from: problem_voiced, to: solution_evaluated, requires: [{id: met, activity: meet}]}
  - {from: solution_evaluated, to: terms_agreed, requires: [{id: who, contact: champion}]}
  - {from: terms_agreed, to: won, requires: [{id: amount, field: amount, more_than: 0}]}
  - {from: open, to: lost, requires: [{id: why, field: lost_reason, is: present}]}
policies: {reopen_lost: new_deal, first_touch: call}
"""
MARK = "▶"


class Told(NamedTuple):
    """A finding in short."""

    code: str
    line: int
    column: int


def spoilt(*edits: tuple[str, str], text: str = GOOD) -> str:
    """The good process with each of these texts replaced, wherever it stands."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


def marked(code: str, text: str) -> tuple[list[Told], str]:
    """What is expected at each mark, and the text without the marks."""
    expected = [
        Told(code, number, len(part.replace(MARK, "")) + 1)
        for number, line in enumerate(text.splitlines(), 1)
        for part in _before_marks(line)
    ]
    return expected, text.replace(MARK, "")


def _before_marks(line: str) -> list[str]:
    parts = line.split(MARK)
    return [MARK.join(parts[:count]) for count in range(1, len(parts))]


def found(text: str) -> tuple[FileProblem, ...]:
    """What the reader says of a file."""
    return read_process(text.encode()).problems


def in_short(problems: tuple[FileProblem, ...]) -> list[Told]:
    """Findings in short."""
    return [Told(one.code, one.line, one.column) for one in problems]
