"""Where the boxes of a process picture stand, and which lines run along which lane.

Open stages form one column, in the order of progress, and closed ones the last row. A move to the next stage goes
straight down; all others run along lanes, forward ones on the right, those back on the left. Moves to one stage that
ask the same share a lane, so that ten ways to lost are one line.
"""

from collections.abc import Mapping
from textwrap import shorten, wrap
from typing import NamedTuple

from app.engine.picture import Arrow, Asked, Node, Picture

WIDTH = 230
LINE = 16
MARGIN = 24
PORT = 8
_GAP = 48
_LANE = 26
_LETTER = 6.7
_MOST_LABEL_LINES = 5
_TITLE_LETTERS = 28
_NOTE_LETTERS = 36


class Box(NamedTuple):
    """A stage: its name in lines, then smaller lines about it."""

    node: Node
    x: float
    y: float
    title: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def height(self) -> float:
        """Room for all its lines."""
        return 2 * LINE + LINE * (len(self.title) + len(self.notes))

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """Half its height."""
        return self.y + self.height / 2

    @property
    def centre(self) -> float:
        """Half its width."""
        return self.x + WIDTH / 2


class Lane(NamedTuple):
    """Moves that run along one vertical line (or straight down, without `x`), with what they all ask."""

    sources: tuple[str, ...]
    to: str
    label: tuple[str, ...]
    forward: bool
    x: float | None = None


class Layout(NamedTuple):
    """Everything lies between the origin and (width, height); `rows` are the keys of stages from top to bottom."""

    width: float
    height: float
    rows: tuple[tuple[str, ...], ...]
    boxes: Mapping[str, Box]
    lanes: tuple[Lane, ...]


def layout(picture: Picture) -> Layout:
    """Place everything."""
    rows = _rows(picture)
    row = {node.key: index for index, nodes in enumerate(rows) for node in nodes}
    lanes = _lanes(picture.arrows, rows, row)
    left = MARGIN + sum(_room(lane) for lane in lanes if not lane.forward)
    boxes = _boxes(rows, row, lanes, left)
    placed = _spread(lanes, left)
    right = [box.x + WIDTH for box in boxes.values()]
    right += [(lane.x or 0) + _room(lane) for lane in placed if lane.forward]
    height = max(box.bottom for box in boxes.values()) + 2 * MARGIN
    return Layout(
        max(right) + MARGIN, height, tuple(tuple(node.key for node in nodes) for nodes in rows), boxes, placed
    )


def label_lines(asked: tuple[Asked, ...]) -> tuple[str, ...]:
    """The ids of requirements, one a line, not too many."""
    lines = [shorten(one.id, _NOTE_LETTERS, placeholder="…") for one in asked]
    if len(lines) > _MOST_LABEL_LINES:
        rest = len(lines) - _MOST_LABEL_LINES + 1
        lines = [*lines[: _MOST_LABEL_LINES - 1], f"+ {rest}"]
    return tuple(lines)


def _rows(picture: Picture) -> list[list[Node]]:
    closed = [node for kind in ("won", "lost") for node in picture.nodes if node.kind == kind]
    return [[node] for node in picture.nodes if node.kind == "open"] + ([closed] if closed else [])


def _lanes(arrows: tuple[Arrow, ...], rows: list[list[Node]], row: Mapping[str, int]) -> list[Lane]:
    """Shorter lanes come first and so lie nearer to the column."""
    shared: dict[tuple[str, tuple[Asked, ...], bool, bool], list[str]] = {}
    for arrow in arrows:
        back = row[arrow.to] < row[arrow.source] or (
            row[arrow.to] == row[arrow.source] and len(rows[row[arrow.to]]) > 1
        )
        straight = row[arrow.to] == row[arrow.source] + 1 and rows[row[arrow.to]][0].key == arrow.to
        shared.setdefault((arrow.to, arrow.requires, not back, straight), []).append(arrow.source)
    lanes = [
        Lane(tuple(sources), to, label_lines(requires), forward, None if straight else 0)
        for (to, requires, forward, straight), sources in shared.items()
    ]
    return sorted(lanes, key=lambda lane: max(abs(row[lane.to] - row[source]) for source in lane.sources))


def _room(lane: Lane) -> float:
    return 0 if lane.x is None else _LANE + _LETTER * max((len(line) for line in lane.label), default=0)


def _boxes(rows: list[list[Node]], row: Mapping[str, int], lanes: list[Lane], left: float) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    y = float(MARGIN)
    for index, nodes in enumerate(rows):
        placed = [_box(node, left + number * (WIDTH + _GAP), y) for number, node in enumerate(nodes)]
        boxes.update({box.node.key: box for box in placed})
        y = max(box.bottom for box in placed) + _gap(index, row, lanes)
    return boxes


def top_row(lane: Lane, row: Mapping[str, int]) -> int:
    """The highest row a lane reaches; its label stands right below that."""
    return min(row[key] for key in (*lane.sources, lane.to))


def _gap(index: int, row: Mapping[str, int], lanes: list[Lane]) -> float:
    """The room below a row: for the labels that stand there, and for each lane that turns into the next row."""
    label = max((len(lane.label) for lane in lanes if top_row(lane, row) == index), default=0)
    turning = sum(lane.x is not None and row[lane.to] == index + 1 for lane in lanes)
    return _GAP + LINE * label + PORT * turning


def _box(node: Node, x: float, y: float) -> Box:
    notes = list(node.beneath)
    notes += [f"→ {line}" for line in label_lines(node.enter)]
    notes += [f"{line} →" for line in label_lines(node.exit)]
    title = wrap(node.name, _TITLE_LETTERS, max_lines=2, placeholder="…")
    return Box(node, x, y, tuple(title), tuple(shorten(note, _NOTE_LETTERS, placeholder="…") for note in notes))


def _spread(lanes: list[Lane], left: float) -> tuple[Lane, ...]:
    """Give each lane its place, from the column outwards."""
    right, leftwards = left + WIDTH + _LANE, left - _LANE
    placed = []
    for lane in lanes:
        if lane.x is None:
            placed.append(lane)
        elif lane.forward:
            placed.append(lane._replace(x=right))
            right += _room(lane)
        else:
            placed.append(lane._replace(x=leftwards))
            leftwards -= _room(lane)
    return tuple(placed)
