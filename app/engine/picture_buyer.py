"""The same process as the buyer goes through it: a node for each of the buyer's steps, with its stages beneath."""

from itertools import groupby

from app.engine.buyer import BuyerStep, buyer_journey, step_name
from app.engine.picture import Arrow, Node, Picture
from app.engine.process import Process, StageKind

_TELLING = ("path", "name", "open")
"""Of several moves between two steps, the one drawn by the first of these says what drew the edge."""


def seen_by_buyer(process: Process, picture: Picture) -> Picture:
    """Gather the stages of a picture into steps; what moves ask is the seller's business and is left out."""
    drawn = {node.key: node for node in picture.nodes}
    alone = {stage.key for stage in process.stages if not stage.buyer}
    nodes: dict[str, Node] = {}
    for step in buyer_journey(process):
        for kind, inside in _by_kind(step, drawn):
            taken = step.key in alone or step.key in nodes
            key = inside[0].key if step.key is None else f"{step.key}:{kind}" if taken else step.key
            nodes[key] = _node(key, step, inside)
    place = {key: index for index, key in enumerate(drawn)}
    in_order = tuple(sorted(nodes.values(), key=lambda node: place[node.stages[0].key]))
    node_of = {stage.key: node.key for node in in_order for stage in node.stages}
    return picture._replace(nodes=in_order, arrows=_merged(picture.arrows, node_of))


def _by_kind(step: BuyerStep, drawn: dict[str, Node]) -> list[tuple[StageKind, tuple[Node, ...]]]:
    """A step with open and closed stages is drawn once for each kind, as a closed stage looks like one."""
    order = ("open", "won", "lost")
    inside = sorted((drawn[stage.key] for stage in step.stages), key=lambda node: order.index(node.kind))
    return [(kind, tuple(nodes)) for kind, nodes in groupby(inside, key=lambda node: node.kind)]


def _node(key: str, step: BuyerStep, inside: tuple[Node, ...]) -> Node:
    first = inside[0]
    return Node(
        key,
        step_name(step.key) if step.key else first.name,
        first.kind,
        step.key,
        any(node.start for node in inside),
        enter=(),
        exit=(),
        stages=inside,
    )


def _merged(arrows: tuple[Arrow, ...], node_of: dict[str, str]) -> tuple[Arrow, ...]:
    """Each edge between two nodes once; moves within a step are none of the buyer's."""
    drawn: dict[tuple[str, str], set[str]] = {}
    for arrow in arrows:
        source, to = node_of[arrow.source], node_of[arrow.to]
        if source != to:
            drawn.setdefault((source, to), set()).add(arrow.by)
    return tuple(Arrow(source, to, min(by, key=_TELLING.index), ()) for (source, to), by in drawn.items())
