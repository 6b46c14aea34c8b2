"""Reading what the verbs are given: process files and deals, from a path or from standard input (`-`)."""

import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.cli.refusals import BadFile, Located, Refusal
from app.cli.terminal import Terminal
from app.engine import FileProblem, Process, Snapshot
from app.engine.load import read_process
from app.engine.nodes import Marks, Node, Path
from app.engine.source import LARGEST, read_source
from app.i18n import render_file_problem, render_request_error

STDIN = "-"

Value = TypeVar("Value", bound=BaseModel)


class Document(NamedTuple):
    """A file that was read: its name for messages, and its values with their places."""

    file: str
    root: Node

    @property
    def marks(self) -> Marks:
        """Where its values stand."""
        return Marks(self.root)


def read_bytes(file: str) -> bytes:
    """The content of a file, or of standard input; never much more than any of our files may have."""
    try:
        if file == STDIN:
            return sys.stdin.buffer.read(LARGEST + 1)
        with pathlib.Path(file).open("rb") as stream:
            return stream.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise Refusal("cli.no_file", file=file) from error
    except OSError as error:
        raise Refusal("cli.no_such_file", file=file, reason=str(error.strerror).lower()) from error
    except ValueError as error:  # a NUL in the name
        raise Refusal("cli.no_file", file=repr(file)) from error


def named(file: str) -> str:
    """The file's name in messages."""
    return "<stdin>" if file == STDIN else file


def located(problem: FileProblem, file: str, terminal: Terminal) -> Located:
    """A problem of the engine's, in words."""
    said = render_file_problem(problem, terminal.locale)
    return Located(file=file, **said)


def sound_process(file: str, terminal: Terminal) -> Process:
    """A process that could be published: neither its shape nor its meaning has an error."""
    process, problems = checked_process(read_bytes(file), named(file), terminal)
    if process is None:
        raise BadFile(*errors_of(problems), kind="invalid-process-file")
    return process


def checked_process(data: bytes, file: str, terminal: Terminal) -> tuple[Process | None, tuple[Located, ...]]:
    """The process, None when it has errors; and all that was found, warnings included."""
    loaded = read_process(data)
    problems = tuple(located(problem, file, terminal) for problem in loaded.problems)
    return (None if loaded.errors else loaded.process), problems


def errors_of(problems: tuple[Located, ...]) -> list[Located]:
    """The problems that must be put right."""
    return [problem for problem in problems if problem.severity == "error"]


def read_document(file: str, terminal: Terminal) -> Document:
    """Any YAML or JSON file, with the places of its values."""
    source = read_source(read_bytes(file))
    if source.root is None or source.problems:
        raise BadFile(*(located(problem, named(file), terminal) for problem in source.problems))
    return Document(named(file), source.root)


def read_deal(file: str, terminal: Terminal) -> tuple[Snapshot, Document]:
    """A deal, as it stands under `deal` in a request."""
    document = read_document(file, terminal)
    snapshot, problems = parsed(Snapshot, document.root.plain(), document, terminal)
    if snapshot is None:
        raise BadFile(*problems)
    return snapshot, document


def parsed(
    model: type[Value], plain: Any, document: Document, terminal: Terminal, where: Callable[[Path], Path] = tuple
) -> tuple[Value | None, tuple[Located, ...]]:
    """A value as a model reads it from JSON, or every problem; `where` tells the place of a part in the document."""
    try:
        return model.model_validate_json(json.dumps(plain)), ()
    except ValidationError as refused:
        return None, tuple(_refused(error, document, terminal, where) for error in refused.errors())


def _refused(error: ErrorDetails, document: Document, terminal: Terminal, where: Callable[[Path], Path]) -> Located:
    path = where(error["loc"])
    unknown = error["type"] == "extra_forbidden"
    place = document.marks.key_place(path) if unknown else document.marks.place(path)
    said = render_request_error({**error, "loc": path}, terminal.locale)
    ours = f"cli.case.{error['type']}"
    if terminal.has(ours):
        said |= {"code": error["type"], "message": terminal.text(ours, **error.get("ctx", {}))}
    message = f"`{said['place']}`: {said['message']}" if said["place"] else said["message"]
    return Located(document.file, place.line, place.column, "error", said["code"], message, said["place"])


def at_place(document: Document, path: Path, terminal: Terminal, code: str, /, **params: Any) -> Located:
    """A problem of ours at a place of the document."""
    place = document.marks.place(path)
    message = terminal.text(code, **params)
    return Located(document.file, place.line, place.column, "error", code.removeprefix("cli."), message, place.path)
