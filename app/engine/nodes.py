"""Values as read from a file, each with its place, so that whatever is wrong can be pointed at."""

import re
from typing import Any, NamedTuple

from app.engine.errors import FileProblem

Step = str | int
Path = tuple[Step, ...]
Content = Any
"""A text, number, boolean or None; or a dict or list of nodes."""

TAG = "requirement:"
"""Names of union members in pydantic's error paths begin so; they are no part of the file."""

DEEPEST = 64
MOST_VALUES = 100_000
_LONGEST_SHOWN = 80
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Stop(Exception):
    """Nothing more can be read."""


class Node:
    """One value of the file and where it stands. `key_line` and `key_column` are those of the key it stands under."""

    __slots__ = ("column", "content", "key_column", "key_line", "line", "path")

    def __init__(self, content: Content, path: Path, line: int, column: int) -> None:
        self.content = content
        self.path = path
        self.line = self.key_line = line
        self.column = self.key_column = column

    def child(self, step: Step) -> "Node | None":
        """The value under a key or at an index; None when there is none."""
        if isinstance(self.content, dict):
            return self.content.get(step)
        if isinstance(self.content, list) and isinstance(step, int) and step < len(self.content):
            found: Node = self.content[step]
            return found
        return None

    def plain(self) -> Any:
        """The value without its places. Depth was limited when it was read."""
        if isinstance(self.content, dict):
            return {key: node.plain() for key, node in self.content.items()}
        if isinstance(self.content, list):
            return [node.plain() for node in self.content]
        return self.content


class Place(NamedTuple):
    """Where something stands in the file: `stages[0].enter`, line and column (0 when not read from a file)."""

    path: str
    line: int
    column: int


class Marks:
    """Finds the place of a path. Without a tree (a process not read from a file) only the path is known."""

    def __init__(self, root: Node | None = None) -> None:
        self.root = root

    def nearest(self, path: Path) -> Node | None:
        """The node at the path, or the deepest one on the way there."""
        node = self.root
        for step in path:
            deeper = None if node is None else node.child(step)
            if deeper is None and not str(step).startswith(TAG):
                return node
            node = deeper or node
        return node

    def place(self, path: Path) -> Place:
        """The place of the value at the path."""
        node = self.nearest(path)
        return Place(written(path), 0, 0) if node is None else Place(written(node.path), node.line, node.column)

    def key_place(self, path: Path) -> Place:
        """The place of the key that the value at the path stands under."""
        node = self.nearest(path)
        if node is None:
            return Place(written(path), 0, 0)
        return Place(written(node.path), node.key_line, node.key_column)


def written(path: Path) -> str:
    """A path as people write it: `transitions[0].requires[2].field`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{shown(step)}" for step in path)
    return text.removeprefix(".")


def shown(value: Any) -> Any:
    """A value fit for a message: long texts are cut."""
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        return value[: _LONGEST_SHOWN - 1] + "…"
    return value


def type_word(value: Any) -> str:
    """What kind of value it is, in the words of a process author."""
    if value is None:
        return "null"
    words = {str: "text", bool: "boolean", int: "number", float: "number", list: "list"}
    return words.get(type(value), "mapping")


def strange_character(text: str) -> tuple[int, str] | None:
    """The first character that no process file may hold (NUL, half a pair, …): its index and its name."""
    found = _NOT_TEXT.search(text)
    return found and (found.start(), f"U+{ord(found.group()):04X}")


def error(code: str, place: Place, **params: Any) -> FileProblem:
    """Something that makes the file unusable."""
    return FileProblem(code, "error", params, *place)


def warning(code: str, place: Place, **params: Any) -> FileProblem:
    """Something that is probably not meant."""
    return FileProblem(code, "warning", params, *place)
