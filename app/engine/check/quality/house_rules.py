"""The rules every team needs on its first day: why a deal was lost, whether it comes back, how a lead is first met."""

from collections.abc import Iterator

from app.engine.check.quality.view import Found, Move, View, leaves
from app.engine.conditions import FieldCondition
from app.engine.nodes import Place
from app.engine.tops import Top


def no_lost_stage(view: View) -> Iterator[Found]:
    """Nowhere to put a deal that died. Where no stage is closed at all, that was told already."""
    if view.of_kind("won") and not view.of_kind("lost"):
        yield Found(view.marks.key_place(("stages",)), {})


def no_lost_reason(view: View) -> Iterator[Found]:
    """Each lost stage that a drawn move from an open one leads to without a question."""
    replaced = _replaced(view)
    for stage in view.of_kind("lost"):
        moves = [(source, to) for source, to in view.process.edges if to == stage.key and view.kind(source) == "open"]
        silent = [move[0] for move in moves if move not in replaced and not _asks_a_field(view.asks(move))]
        if silent or not (moves or _asks_a_field(stage.enter)):
            params = {"stage": stage.key, "sources": silent or view.process.open_stages}
            yield Found(view.stage_place(stage.key), params, (stage.key,))


def _replaced(view: View) -> set[Move]:
    """Moves drawn by name that drop a question of `open`: told already as such."""
    by_open = {
        edge.to for edge in view.process.transitions if edge.sources == ["open"] and _asks_a_field(edge.requires)
    }
    named = (edge for edge in view.process.transitions if edge.sources != ["open"] and edge.to in by_open)
    return {(source, edge.to) for edge in named for source in edge.sources}


def _asks_a_field(requirements: list[Top]) -> bool:
    found = (one for requirement in requirements for one in leaves(requirement))
    return any(isinstance(one, FieldCondition) and one.presence != "absent" for one in found)


def no_reopen_rule(view: View) -> Iterator[Found]:
    """Nothing says whether a lost deal comes back: neither the policy nor a move drawn out of lost."""
    lost = {stage.key for stage in view.of_kind("lost")}
    drawn = any(source in lost for source, _ in view.process.edges)
    if lost and not drawn and view.process.policies.reopen_lost is None:
        yield Found(_policies(view), {})


def no_first_touch_rule(view: View) -> Iterator[Found]:
    """Nothing says whether a lead is called or written to first."""
    if view.process.policies.first_touch is None:
        yield Found(_policies(view), {})


def _policies(view: View) -> Place:
    """The policies, or the top of a file that has none."""
    return view.marks.key_place(("policies",))
