"""What stops a verb: wrong usage, or a file with errors. Neither is ever shown as a traceback."""

from typing import Any, NamedTuple


class Located(NamedTuple):
    """One problem in a file, in words, with its place (line and column count from 1)."""

    file: str
    line: int
    column: int
    severity: str
    code: str
    message: str
    path: str


class Refusal(Exception):
    """Wrong usage, or something outside that does not let the verb work: one sentence, by its text's code."""

    def __init__(self, code: str, /, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class BadFile(Exception):
    """A file that cannot be used as it is; every problem in it is told. `kind` is its type over HTTP."""

    def __init__(self, *problems: Located, kind: str = "invalid-request") -> None:
        super().__init__(f"{len(problems)} problem(s)")
        self.problems = problems
        self.kind = kind
