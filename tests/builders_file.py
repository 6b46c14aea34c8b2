"""Builders for tests of process files: a file's bytes, and what the reader says of them in short."""

import json
from typing import Any, get_args

from app.engine.errors import FileProblem
from app.engine.load import read_process
from app.engine.silence import QualityCheck
from tests.builders_engine import BASE, Parts

Told = tuple[str, str, dict[str, Any]]
"""A problem in short: code, path, and params without the lists of what is known and where the first one stands."""

_LEFT_OUT = ("known", "line", "column")
_QUALITY = frozenset(get_args(QualityCheck))

SOUND: Parts = {**BASE, "transitions": [{"from": "open", "to": "lost"}]}
"""A process that is whole and sound, though no good one."""


def file_of(**parts: Any) -> bytes:
    """A JSON process file: SOUND with these parts in place of its own; `...` leaves one out."""
    return json.dumps({key: value for key, value in {**SOUND, **parts}.items() if value is not ...}).encode()


def told(problem: FileProblem) -> Told:
    """A problem in short."""
    params = {key: value for key, value in problem.params.items() if key not in _LEFT_OUT and value is not None}
    return problem.code, problem.path, params


def problems(**parts: Any) -> list[Told]:
    """What is wrong with a file, in short; not whether it is any good."""
    return [told(problem) for problem in but_quality(read_process(file_of(**parts)).problems)]


def severities(**parts: Any) -> list[tuple[str, str]]:
    """What is wrong with a file, and how badly; not whether it is any good."""
    return [(problem.severity, problem.code) for problem in but_quality(read_process(file_of(**parts)).problems)]


def but_quality(problems: tuple[FileProblem, ...]) -> tuple[FileProblem, ...]:
    """The problems without those that only a better process would be free of."""
    return tuple(problem for problem in problems if problem.code not in _QUALITY)


def asks(*requirements: Parts, **parts: Any) -> Parts:
    """The parts of a file whose move from `first` to `second` asks these requirements, under their order as ids."""
    named = [{"id": f"r{number}", **requirement} for number, requirement in enumerate(requirements)]
    edges = [*SOUND["transitions"], {"from": "first", "to": "second", "requires": named}]
    return {"transitions": edges, **parts}
