"""A process file -> a process, or everything that is wrong with it, with places."""

from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.engine.check import MOST_PROBLEMS, good_problems, in_order, sound_problems, whole_problems
from app.engine.check.declared import declared_in
from app.engine.errors import FileProblem, ProcessFileError
from app.engine.nodes import Marks, Node
from app.engine.process import Process
from app.engine.repair import what_is_sound
from app.engine.shape import shape_problems
from app.engine.source import read_source


class LoadedProcess(NamedTuple):
    """What a file gave. `process` is None when its shape or its names are wrong: then it cannot be compiled."""

    process: Process | None
    marks: Marks
    problems: tuple[FileProblem, ...]

    @property
    def errors(self) -> tuple[FileProblem, ...]:
        """What must be put right before the process can be published; the rest are warnings."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def load_process(data: bytes, *, source: str = "process.yaml") -> Process:
    """Read a process that must be usable; whether it is also sound, `check_process` or `read_process` tells."""
    loaded = read_process(data, quality=False)
    if loaded.process is None:
        raise ProcessFileError(source, loaded.errors)
    return loaded.process


def read_process(data: bytes, *, quality: bool = True) -> LoadedProcess:
    """Read and check a process file: shape, names, soundness and quality, as far as each can be told, all at once."""
    root, unreadable = read_source(data)
    if root is None:
        return LoadedProcess(None, Marks(), unreadable)
    try:
        process = Process.model_validate(root.plain())
    except ValidationError as failure:
        return _misshapen(root, unreadable, failure.errors(include_url=False)[:MOST_PROBLEMS])
    whole, sound = _checked(process, root, Marks(root))
    usable = not unreadable and all(problem.severity != "error" for problem in whole)
    good = good_problems(process, Marks(root), whole) if quality and usable else []
    return LoadedProcess(process if usable else None, Marks(root), in_order([*unreadable, *whole, *sound, *good]))


def _misshapen(root: Node, unreadable: tuple[FileProblem, ...], errors: list[ErrorDetails]) -> LoadedProcess:
    """Tell what is misshapen, and check the names in what is left without it."""
    places = {(problem.line, problem.column) for problem in unreadable}
    shape = [one for one in shape_problems(errors, Marks(root)) if (one.line, one.column) not in places]
    left = what_is_sound(root, errors)
    rest: list[FileProblem] = []
    if left is not None:
        whole, sound = _checked(left[0], root, Marks(left[1]), partial=True)
        rest = [*whole, *sound]
    return LoadedProcess(None, Marks(root), in_order([*unreadable, *shape, *rest]))


def _checked(
    process: Process, root: Node, marks: Marks, *, partial: bool = False
) -> tuple[list[FileProblem], list[FileProblem]]:
    declared = declared_in(root.plain())
    whole = whole_problems(process, declared, marks)
    return whole, sound_problems(process, declared, marks, whole, partial=partial)
