"""Leaves out of a file whatever its shape forbids, so that the rest can still be checked and told all at once."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.engine.nodes import Marks, Node
from app.engine.process import Process

_ROUNDS = 8
_ASKED = ("enter", "exit", "requires")
_PLACEHOLDER = "process"


def what_is_sound(root: Node, errors: list[ErrorDetails]) -> tuple[Process, Node] | None:
    """The process without its misshapen parts, and its tree; None when too little is left."""
    for _ in range(_ROUNDS):
        marks = Marks(root)
        root = _without(root, {id(_part_to_drop(marks, refused)) for refused in errors})
        if isinstance(root.content, dict):
            root.content.setdefault("process", Node(_PLACEHOLDER, ("process",), root.line, root.column))
        try:
            return Process.model_validate(root.plain()), root
        except ValidationError as failure:
            errors = failure.errors(include_url=False)
    return None


def _part_to_drop(marks: Marks, refused: ErrorDetails) -> Node | None:
    """The whole requirement when the error stands in one; the entry when it lacks a key; else the value itself."""
    loc = refused["loc"]
    for at, step in enumerate(loc[:-1]):
        if step in _ASKED and isinstance(loc[at + 1], int):
            return marks.nearest(loc[: at + 2])
    return marks.nearest(loc[:-1] if refused["type"] == "missing" else loc)


def _without(node: Node, dropped: set[int]) -> Node:
    kept: Any = node.content
    if isinstance(kept, dict):
        kept = {key: _without(child, dropped) for key, child in kept.items() if id(child) not in dropped}
    elif isinstance(kept, list):
        kept = [_without(child, dropped) for child in kept if id(child) not in dropped]
    copy = Node(kept, node.path, node.line, node.column)
    copy.key_line, copy.key_column = node.key_line, node.key_column
    return copy
