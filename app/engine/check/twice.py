"""What may stand only once: keys, requirement ids, pairs of stages; and words that are no keys."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.engine.check.walk import asked
from app.engine.errors import FileProblem
from app.engine.nodes import Marks, Path, Place, error
from app.engine.process import Process

_SECTIONS = (
    ("stages", "stage", "open"),
    ("activities", "activity", "any"),
    ("fields", "field", None),
    ("roles", "role", None),
    ("contacts", "contact", None),
)


def twice_problems(process: Process, marks: Marks) -> Iterator[FileProblem]:
    """Every second declaration, and every reserved word declared."""
    for section, what, reserved in _SECTIONS:
        entries: list[Any] = getattr(process, section)
        yield from _repeated(what, _keys(entries, (section,)), marks)
        for index, entry in enumerate(entries):
            if entry.key == reserved:
                yield error("reserved_name", marks.place((section, index, "key")), what=what, name=reserved)
    for index, activity in enumerate(process.activities):
        yield from _repeated("outcome", _keys(activity.outcomes, ("activities", index, "outcomes")), marks)
    for index, field in enumerate(process.fields):
        yield from _repeated("choice", _keys(field.choices, ("fields", index, "choices")), marks)
    ids = ((requirement.id, (*path, "id")) for path, requirement in asked(process))
    yield from _repeated("requirement", ids, marks)
    yield from _pairs(process, marks)


def _keys(entries: list[Any], path: Path) -> Iterator[tuple[str, Path]]:
    return ((entry.key, (*path, index, "key")) for index, entry in enumerate(entries))


def _repeated(what: str, names: Iterable[tuple[str, Path]], marks: Marks) -> Iterator[FileProblem]:
    seen: dict[str, Place] = {}
    for name, path in names:
        place = marks.place(path)
        first = seen.setdefault(name, place)
        if first is not place:
            yield error("duplicate_name", place, what=what, name=name, line=first.line, column=first.column)


def _pairs(process: Process, marks: Marks) -> Iterator[FileProblem]:
    """Two entries by name, or two by `open`, for one pair: which of them would hold could only be guessed."""
    seen: dict[tuple[str, str], Place] = {}
    for index, edge in enumerate(process.transitions):
        for number, source in enumerate(edge.sources):
            place = marks.place(("transitions", index, "from", number))
            first = seen.setdefault((source, edge.to), place)
            if first is not place:
                params = {"from": source, "to": edge.to, "line": first.line, "column": first.column}
                yield error("pair_twice", place, **params)
