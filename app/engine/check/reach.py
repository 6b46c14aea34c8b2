"""Stages that no way leads to, and stages with no way to a closed one or to won."""

from collections.abc import Iterable, Iterator, Mapping

from app.engine.errors import FileProblem
from app.engine.nodes import Marks, error, warning
from app.engine.process import Process

Ways = Mapping[str, set[str]]


def reach_problems(process: Process, marks: Marks) -> Iterator[FileProblem]:
    """Islands and dead ends. A move that a policy lets pass counts as a way, drawn or not."""
    ways = _ways(process)
    reached = _reachable(process.starts, ways)
    for index, stage in enumerate(process.stages):
        if stage.key not in reached:
            yield warning("unreachable_stage", marks.place(("stages", index)), stage=stage.key)
    yield from _ends(process, _reversed(ways), marks)


def _ends(process: Process, back: Ways, marks: Marks) -> Iterator[FileProblem]:
    """Each cause once: where nothing can be won at all, no single stage is blamed for it."""
    closed = [stage.key for stage in process.stages if stage.kind != "open"]
    won = [stage.key for stage in process.stages if stage.kind == "won"]
    stages = marks.key_place(("stages",))
    if not closed:
        yield error("no_closed_stage", stages)
        return
    closing, winning = _reachable(closed, back), _reachable(won, back)
    if not won:
        yield error("no_won_stage", stages)
    elif winning.isdisjoint(process.open_stages):
        yield error("won_out_of_reach", stages)
    can_win = not winning.isdisjoint(process.open_stages)
    for index, stage in enumerate(process.stages):
        if stage.key not in closing:
            yield error("no_way_out", marks.place(("stages", index)), stage=stage.key)
        elif can_win and stage.kind == "open" and stage.key not in winning:
            yield warning("no_way_to_won", marks.place(("stages", index)), stage=stage.key)


def _ways(process: Process) -> Ways:
    ways: dict[str, set[str]] = {stage.key: set() for stage in process.stages}
    for source, to in process.edges:
        ways[source].add(to)
    order = [stage.key for stage in process.stages]
    relaxed = {name for name in ("undrawn", "skip", "back") if getattr(process.policies, name) != "enforce"}
    for index, stage in enumerate(process.stages):
        if stage.kind == "open":
            if relaxed & {"undrawn", "skip"}:
                ways[stage.key].update(order[index + 1 :])
            if "back" in relaxed:
                ways[stage.key].update(order[:index])
            if relaxed & {"undrawn"}:
                ways[stage.key].update(one.key for one in process.stages if one.kind != "open")
    return ways


def _reversed(ways: Ways) -> Ways:
    back: dict[str, set[str]] = {key: set() for key in ways}
    for source, destinations in ways.items():
        for to in destinations:
            back[to].add(source)
    return back


def _reachable(starts: Iterable[str], ways: Ways) -> set[str]:
    reached: set[str] = set()
    ahead = list(starts)
    while ahead:
        key = ahead.pop()
        if key not in reached:
            reached.add(key)
            ahead.extend(ways[key])
    return reached
