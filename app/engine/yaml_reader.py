"""YAML text -> nodes, in one pass over the parser's events, limiting depth and refusing what no file needs."""

from typing import Any, NoReturn

import yaml

from app.engine.errors import FileProblem
from app.engine.nodes import (
    DEEPEST,
    MOST_VALUES,
    Node,
    Path,
    Place,
    Stop,
    error,
    shown,
    strange_character,
    type_word,
    written,
)
from app.engine.numbers import BadNumber, core_value

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_KEY = object()


class _Open:
    """A mapping or list being filled. `key` is the key read last, while its value is awaited."""

    __slots__ = ("items", "key", "node", "seen")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.items: Any = node.content
        self.key: Any = _NO_KEY
        self.seen: Any = None


class YamlReader:
    """Builds the tree of one document. Problems that leave a value to go on with are gathered; the others stop."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[FileProblem] = []
        self.root: Node | None = None
        self._open: list[_Open] = []
        self._documents = 0
        self._values = 0

    def read(self) -> None:
        """Read the whole text; what was found is in `root` and `problems`."""
        try:
            events = _LOADER(self.text)
            while events.check_event():
                self._take(events.get_event())
        except Stop:
            self.root = None
        except yaml.YAMLError as failure:
            self.root = None
            self.problems.append(self._syntax(failure))

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.NodeEvent):
            self._count(event)
            self._refuse_extras(event)
            self._node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._fatal("one_document", event)

    def _node(self, event: yaml.NodeEvent) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._place(event, self._scalar(event))
            return
        if isinstance(event, yaml.AliasEvent):
            self._place(event, None)
            return
        if len(self._open) >= DEEPEST:
            self._fatal("too_deep", event, most=DEEPEST)
        self._open.append(_Open(self._place(event, [] if isinstance(event, yaml.SequenceStartEvent) else {})))

    def _count(self, event: yaml.Event) -> None:
        self._values += 1
        if self._values > MOST_VALUES:
            self._fatal("too_many_values", event, most=MOST_VALUES)

    def _refuse_extras(self, event: yaml.NodeEvent) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._problem("no_aliases", event, alias=shown(event.anchor))
        elif event.anchor is not None:
            self._problem("no_anchors", event, anchor=shown(event.anchor))
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._problem("no_tags", event, tag=shown(tag))

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        strange = strange_character(event.value)
        if strange:
            self._problem("bad_character", event, character=strange[1])
        if event.style:  # quoted, or a block: text, whatever it looks like
            return event.value
        try:
            return core_value(event.value)
        except BadNumber as refused:
            self._problem(str(refused), event, value=shown(event.value))
            return 0

    def _place(self, event: yaml.Event, content: Any) -> Node:
        """Put a value where it belongs: as the root, into the open list, or as the key or value of the open mapping."""
        node = Node(content, (), *_position(event))
        if not self._open:
            self.root = node
            return node
        around = self._open[-1]
        if isinstance(around.items, list):
            node.path = (*around.node.path, len(around.items))
            around.items.append(node)
        elif around.key is _NO_KEY:
            self._key(around, node, event)
        else:
            self._value(around, node)
        return node

    def _key(self, around: _Open, node: Node, event: yaml.Event) -> None:
        node.path = around.node.path
        around.key = node
        if not isinstance(node.content, str):
            self._problem("key_not_text", event, found=type_word(node.content))
        elif node.content in around.items:
            first = around.items[node.content]
            self._problem("duplicate_key", event, key=shown(node.content), line=first.key_line, column=first.key_column)

    @staticmethod
    def _value(around: _Open, node: Node) -> None:
        key = around.key
        around.key = _NO_KEY
        node.path = (*around.node.path, key.content if isinstance(key.content, str) else "?")
        node.key_line, node.key_column = key.line, key.column
        if isinstance(key.content, str):
            around.items.setdefault(key.content, node)

    def _here(self, event: yaml.Event) -> Place:
        path: Path = self._open[-1].node.path if self._open else ()
        return Place(written(path), *_position(event))

    def _problem(self, code: str, event: yaml.Event, **params: Any) -> None:
        self.problems.append(error(code, self._here(event), **params))

    def _fatal(self, code: str, event: yaml.Event, **params: Any) -> NoReturn:
        self._problem(code, event, **params)
        raise Stop

    def _syntax(self, failure: yaml.YAMLError) -> FileProblem:
        mark = getattr(failure, "problem_mark", None) or getattr(failure, "context_mark", None)
        reason = getattr(failure, "problem", None) or getattr(failure, "reason", None) or "not readable"
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return error("syntax", Place("", line, column), format="yaml", reason=reason)


def _position(event: Any) -> tuple[int, int]:
    """Line and column, from 1; every event of both parsers has its mark."""
    return event.start_mark.line + 1, event.start_mark.column + 1
