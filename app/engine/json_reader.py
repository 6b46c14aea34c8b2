"""JSON text -> nodes. The standard library's reader keeps no places, takes a key twice and has no limit on depth."""

import re
from bisect import bisect_right
from collections.abc import Callable
from json import JSONDecodeError, decoder
from typing import Any, NoReturn

from app.engine.errors import FileProblem
from app.engine.nodes import DEEPEST, MOST_VALUES, Node, Path, Place, Stop, error, shown, strange_character, written
from app.engine.numbers import BadNumber, real_number, whole_number

_BLANK = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_scan_string: Callable[[str, int, bool], tuple[str, int]] = decoder.scanstring  # type: ignore[attr-defined] # undocumented, stable
_WORDS = (("true", True), ("false", False), ("null", None))


class JsonReader:
    """Reads one JSON text by descent, never deeper than the limit."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[FileProblem] = []
        self.root: Node | None = None
        self._lines = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", text))]
        self._at = 0
        self._values = 0

    def read(self) -> None:
        """Read the whole text; what was found is in `root` and `problems`."""
        try:
            root = self._value((), 0)
            self._blank()
            if self._at < len(self.text):
                self._syntax("nothing may follow the value", ())
            self.root = root
        except Stop:
            pass

    def _value(self, path: Path, depth: int) -> Node:
        self._blank()
        self._values += 1
        if self._values > MOST_VALUES:
            self._fatal("too_many_values", path, most=MOST_VALUES)
        node = Node(None, path, *self._place_of(self._at))
        first = self.text[self._at : self._at + 1]
        if first in ("{", "["):
            if depth >= DEEPEST:
                self._fatal("too_deep", path, most=DEEPEST)
            self._at += 1
            node.content = {} if first == "{" else []
            self._members(node, depth) if first == "{" else self._items(node, depth)
        elif first == '"':
            node.content = self._string(path)
        else:
            node.content = self._word(path)
        return node

    def _items(self, node: Node, depth: int) -> None:
        if self._next("]"):
            return
        while True:
            node.content.append(self._value((*node.path, len(node.content)), depth + 1))
            if self._next("]"):
                return
            self._expect(",", node.path)

    def _members(self, node: Node, depth: int) -> None:
        if self._next("}"):
            return
        while True:
            self._member(node, depth)
            if self._next("}"):
                return
            self._expect(",", node.path)

    def _member(self, node: Node, depth: int) -> None:
        self._blank()
        start = self._at
        if not self.text.startswith('"', start):
            self._syntax("expected a key in double quotes", node.path)
        key = self._string(node.path)
        self._expect(":", node.path)
        value = self._value((*node.path, key), depth + 1)
        value.key_line, value.key_column = self._place_of(start)
        first = node.content.setdefault(key, value)
        if first is not value:
            params = {"key": shown(key), "line": first.key_line, "column": first.key_column}
            self._problem("duplicate_key", node.path, start, **params)

    def _string(self, path: Path) -> str:
        start = self._at
        try:
            text, self._at = _scan_string(self.text, start + 1, True)
        except JSONDecodeError as failure:
            self._at = failure.pos
            self._syntax(failure.msg, path)
        strange = strange_character(text)
        if strange:
            self._problem("bad_character", path, start, character=strange[1])
        return text

    def _word(self, path: Path) -> Any:
        for word, value in _WORDS:
            if self.text.startswith(word, self._at):
                self._at += len(word)
                return value
        found = _NUMBER.match(self.text, self._at)
        if not found:
            self._syntax("expected a value", path)
        start, self._at = self._at, found.end()
        whole, fraction, exponent = found.groups()
        try:
            return real_number(found.group()) if fraction or exponent else whole_number(whole)
        except BadNumber as refused:
            self._problem(str(refused), path, start, value=shown(found.group()))
            return 0

    def _blank(self) -> None:
        found = _BLANK.match(self.text, self._at)
        self._at = found.end() if found else self._at

    def _next(self, sign: str) -> bool:
        self._blank()
        if not self.text.startswith(sign, self._at):
            return False
        self._at += 1
        return True

    def _expect(self, sign: str, path: Path) -> None:
        if not self._next(sign):
            self._syntax(f"expected `{sign}`", path)

    def _place_of(self, index: int) -> tuple[int, int]:
        line = bisect_right(self._lines, index)
        return line, index - self._lines[line - 1] + 1

    def _problem(self, code: str, path: Path, at: int, **params: Any) -> None:
        self.problems.append(error(code, Place(written(path), *self._place_of(at)), **params))

    def _fatal(self, code: str, path: Path, **params: Any) -> NoReturn:
        self._problem(code, path, self._at, **params)
        raise Stop

    def _syntax(self, reason: str, path: Path) -> NoReturn:
        self._fatal("syntax", path, format="json", reason=reason)
