"""The next best activities: the cheapest plan to the goal, and what to do first. Pure, and needs no history."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from app.engine.assume import SOMEBODY
from app.engine.compiled import CompiledProcess
from app.engine.decide import undrawn_finding
from app.engine.decision import Advice, Finding, Plan, Suggestion
from app.engine.effort import Prices, Step
from app.engine.errors import UnknownStage
from app.engine.facts import Facts
from app.engine.first_touch import touched_first
from app.engine.needed import Because, Item
from app.engine.plan import Move, Planner
from app.engine.snapshot import Activity, Actor, Snapshot
from app.engine.work_out import Workbench, WorkedOut

_NOTHING_MISSING: frozenset[str] = frozenset()


class _Route(NamedTuple):
    """A way to the goal: the next move worked out, and the moves after it."""

    first: Move
    later: tuple[Move, ...]
    worked: WorkedOut

    @property
    def blocked_by(self) -> tuple[Finding, ...]:
        """What stands in the way: on the next move, else further on."""
        further = (
            opened.finding
            for move in self.later
            if move.cost.blockers
            for opened in move.open
            if not opened.finding.remediation
        )
        return self.worked.remaining or tuple(further)


def suggest(
    compiled: CompiledProcess,
    snapshot: Snapshot,
    *,
    as_of: datetime,
    goal: str | None = None,
    limit: int = 5,
    actor: Actor | None = None,
    missing: frozenset[str] = _NOTHING_MISSING,
) -> Advice:
    """What to do next with a deal, towards a goal stage (won if not said).

    Mandatory suggestions are never cut by `limit`. Where the next move can be reached, doing them and nothing else
    makes it allowed; approvals count from somebody other than the mover. Raises UnknownStage.
    """
    goal = _goal(compiled, goal)
    for stage, known in ((snapshot.stage, "from"), (goal, "goal")):
        if stage not in compiled.stages:
            raise UnknownStage(stage, tuple(compiled.stages), "from" if known == "from" else "goal")
    facts = Facts(snapshot, goal, as_of, zone=compiled.zone, actor=actor, missing=missing)
    if actor is None:
        facts.mover_id = f"{SOMEBODY}-mover"
    head = (compiled.key, compiled.version, compiled.digest, snapshot.stage, goal, as_of)
    if snapshot.stage == goal:
        return Advice(*head, Plan((), 0, 0, 0), ())
    route = _route(Planner(compiled, facts), goal)
    if route is None:
        return Advice(*head, None, (), _out_of_reach(compiled, facts))
    blocked_by = route.blocked_by
    plan = None if blocked_by else _plan(compiled, facts, route)
    return Advice(*head, plan, _ranked(compiled, facts, route, limit), blocked_by)


def _out_of_reach(compiled: CompiledProcess, facts: Facts) -> tuple[Finding, ...]:
    """Why no way leads to the goal: what a house rule holds against it, else that nothing draws one."""
    ruled = [rule.judge(facts) for rule in compiled.gate(facts.stage, facts.to).rules]
    blocking = tuple(found for found in ruled if isinstance(found, Finding) and found.severity == "block")
    return blocking or (undrawn_finding(compiled, compiled.undrawn(facts.stage, facts.to), facts),)


def _goal(compiled: CompiledProcess, goal: str | None) -> str:
    if goal is not None:
        return goal
    won = [stage.key for stage in compiled.process.stages if stage.kind == "won"]
    return won[0] if won else compiled.process.stages[-1].key


def _route(planner: Planner, goal: str) -> _Route | None:
    """The cheapest way whose next move can be reached; where there is none, the least blocked."""
    ways = planner.ways_to(goal)
    firsts = [planner.next_move(to) for to in planner.compiled.graph.destinations(planner.facts.stage) if to in ways]
    firsts.sort(key=lambda move: move.cost.plus(ways[move.to][0]))
    best: _Route | None = None
    for first in firsts:
        workbench = Workbench(planner.compiled, planner.prices)
        worked = workbench.work_out(planner.facts.copy(to=first.to), "block")
        route = _Route(first, tuple(_onward(planner, ways, first.to, goal)), worked)
        if not worked.remaining:
            return route
        best = best or route
    return best


def _onward(planner: Planner, ways: dict[str, tuple[Any, str]], stage: str, goal: str) -> Iterable[Move]:
    while stage != goal:
        following = ways[stage][1]
        yield planner.later_move(stage, following)
        stage = following


def _plan(compiled: CompiledProcess, facts: Facts, route: _Route) -> Plan:
    prices = Prices(compiled.activities, facts.as_of)
    total = prices.of_steps(item.step for item in route.worked.items)
    for move in route.later:
        total = total.plus(move.cost)
    opened = len(route.first.open) + sum(len(move.open) for move in route.later)
    stages = (route.first.to, *(move.to for move in route.later))
    return Plan(stages, opened, total.effort_minutes, total.lead_time_days)


def _ranked(compiled: CompiledProcess, facts: Facts, route: _Route, limit: int) -> tuple[Suggestion, ...]:
    """What blocks the next move first; then the longest lead time, then the least effort, then file order."""
    prices = Prices(compiled.activities, facts.as_of)
    advisory = Workbench(compiled, prices).work_out(route.worked.facts, "warn").items
    must = _merged(route.worked.items, [])
    may = _merged([*advisory, *_early(route, prices)], must)
    mandatory = _sorted(must, prices)
    optional = _sorted(may[len(must) :], prices)
    if compiled.first_touch is not None:
        mandatory, optional = touched_first(compiled.first_touch, facts, route.first, mandatory, optional)
    optional = optional[: max(limit - len(must), 0)]
    described = [(item, True) for item in mandatory] + [(item, False) for item in optional]
    return tuple(_suggestion(item, facts, prices, mandatory=needed) for item, needed in described)


def _early(route: _Route, prices: Prices) -> list[Item]:
    """Steps of later moves that already count when they are taken now."""
    items: list[Item] = []
    for move in route.later:
        for opened in move.open:
            if opened.early:
                because: Because = (str(opened.finding.requirement), move.source, move.to)
                leads = [prices.of_step(step).lead_time_days for step in opened.steps]
                items += [Item(step, (because,), max(leads[at:])) for at, step in enumerate(opened.steps)]
    return items


def _merged(items: Iterable[Item], before: list[Item]) -> list[Item]:
    """The items behind those already there, each subject once: `times` add up, and so do the reasons."""
    merged = {_subject(item.step): item for item in before}
    fixed = frozenset(merged)
    for item in items:
        subject = _subject(item.step)
        known = merged.get(subject)
        if known is None:
            merged[subject] = item
            continue
        because = tuple(dict.fromkeys((*known.because, *item.because)))
        step = known.step
        if "times" in step and subject not in fixed:
            step = {**step, "times": step["times"] + item.step["times"]}
        merged[subject] = Item(step, because, max(known.urgency, item.urgency), item.value)
    return list(merged.values())


def _subject(step: Step) -> str:
    return repr({name: value for name, value in step.items() if name not in ("times", "learned_in")})


def _sorted(items: list[Item], prices: Prices) -> list[Item]:
    order = {id(item): index for index, item in enumerate(items)}
    return sorted(items, key=lambda item: (-item.urgency, prices.of_step(item.step).effort_minutes, order[id(item)]))


def _suggestion(item: Item, facts: Facts, prices: Prices, *, mandatory: bool) -> Suggestion:
    cost = prices.of_step(item.step)
    subject = {name: value for name, value in item.step.items() if name != "kind"}
    booked = _booked(item.step, facts)
    return Suggestion(
        item.step["kind"], subject, mandatory, cost.effort_minutes, cost.lead_time_days, item.because,
        None if booked is None else {"id": booked.id, "at": booked.at},
    )  # fmt: skip


def _booked(step: Step, facts: Facts) -> Activity | None:
    """The first such activity that is already in the diary."""
    if step["kind"] != "do_activity":
        return None
    fitting = [
        one
        for one in facts.of_kind(step["activity"])
        if one.status == "planned" and one.at > facts.as_of
        and ("with" not in step or not facts.people_in(step["with"]).isdisjoint(one.contacts))
        and ("direction" not in step or one.direction in (None, step["direction"]))
    ]  # fmt: skip
    return min(fitting, key=lambda one: one.at, default=None)
