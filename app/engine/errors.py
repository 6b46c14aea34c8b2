"""What the engine refuses, as values with codes; texts are made where people read them."""

from typing import Any, Literal, NamedTuple


class FileProblem(NamedTuple):
    """Something wrong, or doubtful, in a process file, with its place (line and column count from 1)."""

    code: str
    severity: Literal["error", "warning", "info"]
    params: dict[str, Any]
    path: str
    line: int
    column: int


class ProcessFileError(Exception):
    """The process file has errors."""

    def __init__(self, source: str, problems: tuple[FileProblem, ...]) -> None:
        super().__init__(f"{source}: {len(problems)} problem(s), first {problems[0].code} at line {problems[0].line}")
        self.source = source
        self.problems = problems


class UnknownStage(Exception):
    """The process has no such stage."""

    def __init__(self, stage: str, known: tuple[str, ...], place: Literal["from", "to", "goal"]) -> None:
        super().__init__(f"unknown stage {stage}")
        self.stage = stage
        self.known = known
        self.place = place
