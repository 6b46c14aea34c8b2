"""What an edge drawn by name, or a policy, quietly leaves out."""

from collections.abc import Iterator

from app.engine.errors import FileProblem
from app.engine.nodes import Marks, warning
from app.engine.process import Process
from app.engine.tops import Top

_NOT_ASKED = {"id", "say", "waivable_by"}


def dropped_problems(process: Process, marks: Marks) -> Iterator[FileProblem]:
    """Requirements of `open` that a named edge replaces without asking the same, and a `skip` with nothing to skip."""
    by_open = {edge.to: edge.requires for edge in process.transitions if edge.sources == ["open"]}
    opened = set(process.open_stages)
    for index, edge in enumerate(process.transitions):
        if edge.sources == ["open"] or edge.to not in by_open:
            continue
        kept = {_asks(one) for one in edge.requires}
        dropped = [one.id for one in by_open[edge.to] if _asks(one) not in kept]
        for number, source in enumerate(edge.sources):
            if dropped and source in opened and source != edge.to:
                params = {"from": source, "to": edge.to, "requirements": dropped}
                yield warning("edge_drops", marks.place(("transitions", index, "from", number)), **params)
    if process.policies.skip != "enforce" and not process.path:
        yield warning("skip_without_path", marks.key_place(("policies", "skip")))


def _asks(requirement: Top) -> str:
    """What a requirement asks, whatever it is called and however it is said."""
    return requirement.model_dump_json(by_alias=True, exclude=_NOT_ASKED)
