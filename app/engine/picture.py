"""What a diagram shows of a process: its stages and its drawn moves, with names in one language."""

from typing import Any, NamedTuple

from app.engine.conditions import requirement_kind
from app.engine.process import Process, StageKind
from app.engine.tops import Top


class Asked(NamedTuple):
    """A requirement, by name."""

    id: str
    kind: str


class Node(NamedTuple):
    """A stage; in the buyer's view a step, with its `stages`."""

    key: str
    name: str
    kind: StageKind
    buyer: str | None
    start: bool
    enter: tuple[Asked, ...]
    exit: tuple[Asked, ...]
    stages: tuple["Node", ...] = ()

    @property
    def beneath(self) -> tuple[str, ...]:
        """The words below the name: of a stage the step that it serves, of a step its stages."""
        if self.buyer is None:
            return ()
        return tuple(stage.name for stage in self.stages) or (self.buyer,)


class Arrow(NamedTuple):
    """A drawn move; `by` says what drew it: path, open or name."""

    source: str
    to: str
    by: str
    requires: tuple[Asked, ...]


class Picture(NamedTuple):
    """A process, ready to be drawn."""

    process: str
    name: str
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


def picture_of(process: Process, locale: str) -> Picture:
    """Take from a process what a diagram shows."""
    starts = set(process.starts)
    nodes = tuple(
        Node(
            stage.key,
            in_words(stage.name, locale, stage.key),
            stage.kind,
            stage.buyer,
            stage.key in starts,
            _asked(stage.enter),
            _asked(stage.exit),
        )
        for stage in process.stages
    )
    drawn_by = _drawn_by(process)
    arrows = tuple(
        Arrow(source, to, drawn_by[source, to], _asked(asked)) for (source, to), asked in process.edges.items()
    )
    return Picture(process.process, in_words(process.name, locale, process.process), nodes, arrows)


def in_words(text: dict[str, str] | None, locale: str, key: str) -> str:
    """An author's text in a language, else in any, else the key; on one line."""
    if not text:
        return key
    chosen = text.get(locale) or text.get("") or text.get("en") or next(iter(text.values()))
    return " ".join(chosen.split())


def _asked(requirements: list[Top]) -> tuple[Asked, ...]:
    return tuple(Asked(one.id, requirement_kind(one)) for one in requirements)


def _drawn_by(process: Process) -> dict[tuple[str, str], str]:
    named = {(source, edge.to) for edge in process.transitions if edge.sources != ["open"] for source in edge.sources}
    opened = {edge.to for edge in process.transitions if edge.sources == ["open"]}
    of_path = set(zip(process.path, process.path[1:], strict=False))
    drawn: dict[tuple[str, str], str] = {}
    for source, to in process.edges:
        by_open = "path" if (source, to) in of_path and to not in opened else "open"
        drawn[source, to] = "name" if (source, to) in named else by_open
    return drawn


def as_data(picture: Picture) -> dict[str, Any]:
    """The picture as plain values, for programs that draw it themselves."""

    def asked(requirements: tuple[Asked, ...]) -> list[dict[str, str]]:
        return [{"id": one.id, "kind": one.kind} for one in requirements]

    def node_data(node: Node) -> dict[str, Any]:
        data = {**node._asdict(), "enter": asked(node.enter), "exit": asked(node.exit)}
        inside = [{"key": stage.key, "name": stage.name, "kind": stage.kind} for stage in data.pop("stages")]
        return {**data, "stages": inside} if inside else data

    return {
        "process": picture.process,
        "name": picture.name,
        "nodes": [node_data(node) for node in picture.nodes],
        "edges": [
            {"from": arrow.source, "to": arrow.to, "by": arrow.by, "requires": asked(arrow.requires)}
            for arrow in picture.arrows
        ],
    }
