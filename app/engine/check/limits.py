"""More stages or moves than any sales process has: refused before anything walks them all."""

from collections.abc import Iterator

from app.engine.errors import FileProblem
from app.engine.nodes import Marks, error
from app.engine.process import Process

MOST_STAGES = 500
MOST_MOVES = 10_000


def limit_problems(process: Process, marks: Marks) -> Iterator[FileProblem]:
    """What there is too much of."""
    stages = len(process.stages)
    if stages > MOST_STAGES:
        yield error("too_many", marks.place(("stages",)), what="stages", most=MOST_STAGES, found=stages)
    opened = len(process.open_stages)
    moves = sum(opened if edge.sources == ["open"] else len(edge.sources) for edge in process.transitions)
    if moves > MOST_MOVES:
        yield error("too_many", marks.place(("transitions",)), what="moves", most=MOST_MOVES, found=moves)
