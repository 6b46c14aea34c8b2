"""Bytes of a process file, YAML or JSON -> a tree of values with places; never more than a process file may be."""

import re
from typing import NamedTuple

from app.engine.errors import FileProblem
from app.engine.json_reader import JsonReader
from app.engine.nodes import Node, Place, error, strange_character
from app.engine.yaml_reader import YamlReader

LARGEST = 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(r"\r\n|\r|\n")


class Source(NamedTuple):
    """What was read. `root` is None when nothing could be."""

    root: Node | None
    problems: tuple[FileProblem, ...]


def read_source(data: bytes) -> Source:
    """Read a process file. The first character that is not blank tells JSON (`{` or `[`) from YAML."""
    if len(data) > LARGEST:
        return _refused(error("too_large", Place("", 1, 1), most=LARGEST, found=len(data)))
    try:
        text = data.removeprefix(_BOM).decode()
    except UnicodeDecodeError as failure:
        before = data[: failure.start].removeprefix(_BOM).decode(errors="replace")
        return _refused(error("not_utf8", _end_of(before)))
    strange = strange_character(text)
    if strange:
        return _refused(error("bad_character", _end_of(text[: strange[0]]), character=strange[1]))
    return _read(text)


def _read(text: str) -> Source:
    reader = JsonReader(text) if text.lstrip()[:1] in ("{", "[") else YamlReader(text)
    reader.read()
    if reader.root is None and not reader.problems:
        return _refused(error("empty_file", Place("", 1, 1)))
    return Source(reader.root, tuple(reader.problems))


def _refused(problem: FileProblem) -> Source:
    return Source(None, (problem,))


def _end_of(text: str) -> Place:
    """The place right after a text."""
    lines = _LINE.split(text)
    return Place("", len(lines), len(lines[-1]) + 1)
