"""The picture of a process as SVG: no scripts, no links, readable on its own and by a screen reader."""

import re
from html import escape

from app.engine.layout import LINE, MARGIN, PORT, WIDTH, Box, Lane, Layout, layout, top_row
from app.engine.picture import Arrow, Picture

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE = 'fill="none" stroke="#5b6777" stroke-width="1.5" marker-end="url(#arrow)"'
_WORDS = {
    "name": 'font-weight="600" text-anchor="middle"',
    "note": 'font-size="12" fill="#45505e" text-anchor="middle"',
    "label": 'font-size="12" fill="#45505e" stroke="#fff" stroke-width="4" paint-order="stroke"',
}
_SHAPES = {
    "open": 'fill="#eef4ff" stroke="#3b5b92"',
    "won": 'fill="#e7f6ec" stroke="#2e7d4f"',
    "lost": 'fill="#f8ecec" stroke="#9a4a4a"',
}
"""Attributes rather than a style sheet: they also show where a page forbids inline styles."""

_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" fill="#5b6777"/></marker></defs>'
)

Point = tuple[float, float]


def svg(picture: Picture) -> str:
    """A drawing of the process, its title and a description in words."""
    plan = layout(picture)
    size = f'width="{plan.width:.0f}" height="{plan.height:.0f}"'
    box = f'viewBox="0 0 {plan.width:.0f} {plan.height:.0f}"'
    described = " ".join(_sentence(picture, arrow) for arrow in picture.arrows)
    root = f'xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" {box} {size}'
    parts = [
        f'<svg {root} font-family="system-ui,sans-serif" font-size="13" fill="#1b2430">',
        f'<title id="title">{_text(picture.name)}</title>',
        f'<desc id="description">{_text(described)}</desc>',
        f'{_ARROW}<rect {size} fill="#fff"/>',
        *(_stroke(points) for number, lane in enumerate(plan.lanes) for points in _routes(plan, lane, number)),
        *(_box(one) for one in plan.boxes.values()),
        *(_label(plan, lane) for lane in plan.lanes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _sentence(picture: Picture, arrow: Arrow) -> str:
    names = {node.key: node.name for node in picture.nodes}
    asked = ", ".join(one.id for one in arrow.requires)
    return f"{names[arrow.source]} → {names[arrow.to]}{f': {asked}' if asked else ''}."


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


def _box(box: Box) -> str:
    node = box.node
    lines = [("name", line) for line in box.title] + [("note", line) for line in box.notes]
    first = box.y + LINE * 1.8
    words = "".join(
        f'<text {_WORDS[style]} x="{box.centre:.1f}" y="{first + LINE * number:.1f}">{_text(line)}</text>'
        for number, (style, line) in enumerate(lines)
    )
    look = (
        f'{_SHAPES[node.kind]} stroke-width="{3 if node.start else 1.5}" rx="{PORT if node.kind == "open" else LINE}"'
    )
    shape = f'<rect {look} x="{box.x:.1f}" y="{box.y:.1f}" width="{WIDTH}" height="{box.height:.1f}"/>'
    return f'<g class="{node.kind}"><title>{_text(node.name)} ({_text(node.key)})</title>{shape}{words}</g>'


def _stroke(points: tuple[Point, ...]) -> str:
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline {_LINE} points="{way}"/>'


def _routes(plan: Layout, lane: Lane, number: int) -> list[tuple[Point, ...]]:
    """The corner points of each move on a lane; `number` keeps lanes that touch one box apart."""
    to, x = plan.boxes[lane.to], lane.x
    if x is None:
        return [_down(plan.boxes[source], to) for source in lane.sources]
    aside = PORT * (number % 3 - 1)
    ending = _into_row(to, x, aside, number) if to.node.kind != "open" else _into_side(to, x, aside, lane.forward)
    return [(*_out_of(plan.boxes[source], x, aside, lane.forward), *ending) for source in lane.sources]


def _down(source: Box, to: Box) -> tuple[Point, ...]:
    return (source.centre, source.bottom), (to.centre, to.y)


def _out_of(source: Box, x: float, aside: float, forward: bool) -> tuple[Point, ...]:
    """An open stage is left by its side, a closed one by its foot, as others may stand beside it."""
    if source.node.kind == "open":
        y = source.middle + PORT + aside / 2
        return (source.x + WIDTH if forward else source.x, y), (x, y)
    below = source.bottom + MARGIN / 2 + aside / 2
    return (source.centre + aside, source.bottom), (source.centre + aside, below), (x, below)


def _into_side(to: Box, x: float, aside: float, forward: bool) -> tuple[Point, ...]:
    y = to.middle - PORT - aside / 2
    return (x, y), (to.x + WIDTH if forward else to.x, y)


def _into_row(to: Box, x: float, aside: float, number: int) -> tuple[Point, ...]:
    """Into the last row from above."""
    above = to.y - MARGIN / 2 - PORT * (number % 4)
    port = to.centre + 4 * PORT + 2 * aside
    return (x, above), (port, above), (port, to.y)


def _label(plan: Layout, lane: Lane) -> str:
    """Right below the highest row that the lane reaches, beside it."""
    row = {key: index for index, keys in enumerate(plan.rows) for key in keys}
    top = max(plan.boxes[key].bottom for key in plan.rows[top_row(lane, row)])
    x, anchor = plan.boxes[lane.to].centre + PORT, "start"
    if lane.x is not None:
        x, anchor = (lane.x + PORT, "start") if lane.forward else (lane.x - PORT, "end")
    return "".join(
        f'<text {_WORDS["label"]} x="{x:.1f}" y="{top + LINE * (number + 1.5):.1f}" text-anchor="{anchor}">'
        f"{_text(line)}</text>"
        for number, line in enumerate(lane.label)
    )
