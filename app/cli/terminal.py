"""What a verb says and where: lines for people (marks, colour where it is seen), or JSON for programs."""

import io
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from app.cli.refusals import BadFile, Located, Refusal
from app.i18n import Locale, render_problem, texts

_CODES = {"red": "31", "yellow": "33", "green": "32", "blue": "34", "bold": "1", "dim": "2"}
_COLOURS = {
    "block": "red", "blocked": "red", "error": "red", "warn": "yellow", "warning": "yellow",
    "info": "blue", "allowed": "green", "not_judged": "yellow",
}  # fmt: skip
_MARKS = {"block": "✗", "blocked": "✗", "warn": "!", "info": "·", "allowed": "✓", "not_judged": "?"}


class Terminal:
    """Standard output and error, in one language."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self.json = False  # until the arguments are known
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a mark that the terminal cannot show is no reason to fail
                stream.reconfigure(errors="replace")
        self._coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def text(self, code: str, /, **params: Any) -> str:
        """A text of the catalogue."""
        return texts(self.locale).text(code, **params)

    def has(self, code: str) -> bool:
        """Whether there is a text of this code."""
        return texts(self.locale).has(code)

    def paint(self, text: str, colour: str) -> str:
        """The text in a colour, where colours are seen."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self._coloured else text

    def marked(self, word: str, text: str) -> str:
        """The text behind the mark of its severity or outcome."""
        return self.paint(f"{_MARKS[word]} {text}", _COLOURS[word])

    def line(self, text: str = "") -> None:
        """One line on standard output."""
        print(text)

    def note(self, text: str) -> None:
        """One line on standard error: it is no part of what was asked for."""
        print(text, file=sys.stderr)

    def data(self, value: Any) -> None:
        """JSON on standard output."""
        print(json.dumps(value, ensure_ascii=False, indent=2))

    def refuse(self, refused: Refusal) -> None:
        """Say why the verb does not work."""
        self.note("stagerail: " + self.text("cli.error", message=self.text(refused.code, **refused.params)))

    def problems(self, problems: Iterable[Located], *, to_error: bool = False) -> None:
        """Every problem of a file, a line each: `file:line:column: …`."""
        for problem in problems:
            fields = problem._asdict() | {"severity": self.text(f"severity.{problem.severity}")}
            said = self.text("cli.problem", **fields)
            self.note(said) if to_error else self.line(self.paint(said, _COLOURS[problem.severity]))

    def bad_file(self, bad: BadFile) -> None:
        """A file that stops the verb. As JSON it is the problem that the server would answer."""
        if not self.json:
            self.problems(bad.problems, to_error=True)
            return
        errors = [problem._asdict() for problem in bad.problems]
        if bad.kind == "invalid-request":
            errors = [{"place": error.pop("path"), **error} for error in errors]
        told = render_problem(bad.kind, self.locale, count=len(errors))
        self.data({"type": f"/problems/{bad.kind}", **told, "status": 422, "errors": errors})

    def flush(self) -> None:
        """Hand everything over, so that a closed pipe is noticed here and not at the end of the process."""
        sys.stdout.flush()

    def abandon(self) -> None:
        """Nobody reads on: what is still unwritten goes nowhere."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
