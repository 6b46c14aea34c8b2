"""Requirements that can never hold: alone, or together with what else their move asks."""

from collections.abc import Iterator
from typing import NamedTuple

from app.engine.check.clash import Fields, clash, possible
from app.engine.check.demand import Demand, Literal, demand_of
from app.engine.check.walk import asked, within
from app.engine.conditions import AnyCondition
from app.engine.errors import FileProblem
from app.engine.nodes import Marks, Path, error, warning
from app.engine.process import Process
from app.engine.tops import DatedMode, Mode, Top

_MOST = 200
"""Literals of one requirement, and requirements of one move, that are looked at; people write a handful."""


class _Prepared(NamedTuple):
    path: Path
    requirement: Top
    demand: Demand
    when: str | None


def conflict_problems(process: Process, fields: Fields, marks: Marks) -> Iterator[FileProblem]:
    """Every requirement that cannot hold, and every set of them that excludes itself on some move, once."""
    prepared: dict[int, _Prepared] = {}
    for path, requirement in asked(process):
        demand = demand_of(requirement, requirement.id)
        alone = list(_alone(path, requirement, demand, fields, marks)) if demand.size() <= _MOST else []
        yield from alone
        if not alone and enforced(requirement.mode) and demand.size() <= _MOST:
            when = None if requirement.when is None else requirement.when.model_dump_json(exclude_unset=True)
            prepared[id(requirement)] = _Prepared(path, requirement, demand, when)
    yield from _Moves(process, prepared, fields, marks).problems()


def enforced(mode: Mode) -> bool:
    """Whether a mode blocks, now or in the end."""
    if not isinstance(mode, DatedMode):
        return mode == "enforce"
    return mode.enforce is not None and mode.enforce == max(filter(None, (mode.observe, mode.warn, mode.enforce)))


def _alone(path: Path, requirement: Top, demand: Demand, fields: Fields, marks: Marks) -> Iterator[FileProblem]:
    """The requirement when it can never hold by itself; else each `any` within it that cannot, and is wanted to."""
    tell = error if enforced(requirement.mode) else warning
    if not possible(demand, fields):
        yield tell("never_holds", marks.place(path), requirement=requirement.id)
        return
    for inner, condition in within(path, requirement):
        wanted = isinstance(condition, AnyCondition) and "not" not in inner
        if wanted and not possible(demand_of(condition, requirement.id), fields):
            yield tell("never_holds", marks.place(inner), requirement=requirement.id)


class _Moves:
    """Looks at what each move asks together."""

    def __init__(self, process: Process, prepared: dict[int, _Prepared], fields: Fields, marks: Marks) -> None:
        self.process = process
        self.prepared = prepared
        self.fields = fields
        self.marks = marks
        self.told: set[frozenset[str]] = set()

    def problems(self) -> Iterator[FileProblem]:
        """Every conflict once, told for the first move it stands on."""
        seen: set[tuple[int, ...]] = set()
        for (source, to), requirements in self._moves():
            known = [self.prepared[id(one)] for one in requirements if id(one) in self.prepared]
            key = tuple(id(one.requirement) for one in known)
            if key not in seen and len(known) <= _MOST:
                seen.add(key)
                yield from self._move(source, to, known)

    def _moves(self) -> Iterator[tuple[tuple[str, str], list[Top]]]:
        stages = {stage.key: stage for stage in self.process.stages}
        order = {stage.key: index for index, stage in enumerate(self.process.stages)}
        for (source, to), edge in self.process.edges.items():
            if source in stages and to in stages:
                later = stages[to].kind == "open" and order[to] > order[source]
                forward = later or (stages[to].kind == "won" and source != to)
                yield (source, to), [*(stages[source].exit if forward else ()), *edge, *stages[to].enter]

    def _move(self, source: str, to: str, known: list[_Prepared]) -> Iterator[FileProblem]:
        """What is always asked goes together, and what is asked under the same `when`; more would be guessing."""
        for when in dict.fromkeys(one.when for one in known):
            together = [one for one in known if one.when == when]
            literals = tuple(literal for one in together for literal in one.demand.literals)
            found = clash(literals, self.fields)
            if found:
                yield from self._excluded(source, to, known, found)
            else:
                yield from self._choices(source, to, together, literals)

    def _excluded(
        self, source: str, to: str, known: list[_Prepared], found: tuple[Literal, ...]
    ) -> Iterator[FileProblem]:
        owners = list(dict.fromkeys(literal.owner for literal in found))
        if self._again(owners):
            return
        denied = [literal.owner for literal in found if not literal.wanted]
        opposite = len(found) == len(owners) and len(denied) == 1 and len(owners) == 2  # noqa: PLR2004 - one demands, one denies
        culprit = denied[0] if opposite else owners[-1]
        others = [owner for owner in owners if owner != culprit]
        place = self.marks.place(next(one.path for one in known if one.requirement.id == culprit))
        ends = {"from": source, "to": to}
        if opposite:
            yield error("not_of_demanded", place, requirement=culprit, other=others[0], **ends)
        else:
            yield error("contradiction", place, requirement=culprit, others=others, **ends)

    def _choices(
        self, source: str, to: str, together: list[_Prepared], literals: tuple[Literal, ...]
    ) -> Iterator[FileProblem]:
        for one in together:
            choices = one.demand.choices
            open_way = all(any(possible(way, self.fields, literals) for way in choice) for choice in choices)
            if not open_way and not self._again([one.requirement.id]):
                params = {"requirement": one.requirement.id, "from": source, "to": to}
                yield error("never_holds_on_move", self.marks.place(one.path), **params)

    def _again(self, owners: list[str]) -> bool:
        key = frozenset(owners)
        again = key in self.told
        self.told.add(key)
        return again
