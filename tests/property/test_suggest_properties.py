"""What suggestions keep to: the mandatory ones suffice, the plan is the cheapest, and no `when` is planned over."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.engine import Actor, CompiledProcess, Process, Snapshot, compile_process, decide, suggest
from app.engine.effort import NOTHING, Cost
from app.engine.facts import Facts
from app.engine.plan import Planner
from tests.builders_engine import AS_OF, Parts
from tests.property.doing import World, copied, do_all, with_values, world
from tests.property.strategies import actors, compiled_files, conditions, deals, helpful, process_files

GOALS = st.sampled_from([None, None, "won", "s1", "lost"])


def allowed(compiled: CompiledProcess, now: World) -> bool:
    mover = now.actor or Actor(id="mover")
    return decide(compiled, now.deal, now.to, as_of=now.as_of, actor=mover).outcome == "allowed"


@settings(max_examples=80)
@given(process_files(helpful | conditions), deals(["s0", "s1", "lost"]), actors, GOALS)
def test_doing_the_mandatory_suggestions_and_nothing_else_makes_the_next_move_allowed(
    file: Parts, snapshot: Snapshot, actor: Actor | None, goal: str | None
) -> None:
    compiled = compile_process(Process.model_validate(file))
    advice = suggest(compiled, snapshot, as_of=AS_OF, goal=goal, limit=0, actor=actor)
    assume(advice.plan is not None and advice.plan.stages)
    assert advice.plan is not None
    steps = [{"kind": one.kind, **one.subject} for one in advice.suggestions if one.mandatory]
    assert len(steps) == len(advice.suggestions), "limit 0 leaves the mandatory ones only"
    now = do_all(steps, world(snapshot, AS_OF, actor, advice.plan.stages[0]))
    assert any(allowed(compiled, then) for then in with_values(file, now))


@settings(max_examples=60)
@given(compiled_files(), deals(), actors, GOALS, st.integers(0, 6))
def test_suggestions_are_the_same_each_time_and_what_is_mandatory_is_never_cut(
    compiled: CompiledProcess, snapshot: Snapshot, actor: Actor | None, goal: str | None, limit: int
) -> None:
    before = snapshot.model_dump_json()
    everything = suggest(compiled, snapshot, as_of=AS_OF, goal=goal, limit=1000, actor=actor)
    cut = suggest(compiled, snapshot, as_of=AS_OF, goal=goal, limit=limit, actor=actor)
    mandatory = [one for one in everything.suggestions if one.mandatory]
    assert mandatory == list(everything.suggestions[: len(mandatory)])
    assert everything.suggestions[: max(limit, len(mandatory))] == cut.suggestions
    assert cut == suggest(compiled, snapshot, as_of=AS_OF, goal=goal, limit=limit, actor=actor)
    assert before == snapshot.model_dump_json()
    assert (everything.plan is None) == bool(everything.blocked_by)


@settings(max_examples=60)
@given(process_files(helpful), deals(["s0"]))
def test_no_suggestion_serves_a_when(file: Parts, snapshot: Snapshot) -> None:
    compiled = compile_process(Process.model_validate(file))
    advice = suggest(compiled, snapshot, as_of=AS_OF, limit=1000)
    asked = {one["id"]: one for one in _requirements(file)} | {"first_touch": {"activity": "call"}}
    for one in advice.suggestions:
        for name, _, _ in one.because:
            text = repr({key: value for key, value in asked[name].items() if key != "when"})
            subject = one.subject.get("activity") or one.subject.get("field") or one.subject.get("role")
            assert one.kind == "wait_until" or str(subject) in text or "'any'" in text


def _requirements(file: Parts) -> Iterator[Parts]:
    for stage in file["stages"]:
        yield from (*stage.get("enter", ()), *stage.get("exit", ()))
    for edge in file["transitions"]:
        yield from edge["requires"]


@settings(max_examples=60)
@given(compiled_files(helpful), deals(["s0", "s1", "lost"]), st.sampled_from(["won", "s1", "lost"]))
def test_the_plan_is_as_cheap_as_the_cheapest_of_all_simple_paths(
    compiled: CompiledProcess, snapshot: Snapshot, goal: str
) -> None:
    assume(snapshot.stage != goal)
    facts = Facts(snapshot, goal, AS_OF, zone=compiled.zone, actor=None, missing=frozenset())
    planner = Planner(compiled, facts)
    ways = planner.ways_to(goal)
    for to in compiled.graph.destinations(snapshot.stage):
        costs = [_cost(planner, path) for path in _paths(compiled, [to], goal)]
        assert (min(costs) if costs else None) == (ways[to][0] if to in ways else None)


def _paths(compiled: CompiledProcess, path: list[str], goal: str) -> Iterator[list[str]]:
    if path[-1] == goal:
        yield path
    elif compiled.stages[path[-1]].kind != "lost":  # no plan passes through a lost deal
        for to in compiled.graph.destinations(path[-1]):
            if to not in path:
                yield from _paths(compiled, [*path, to], goal)


def _cost(planner: Planner, path: list[str]) -> Cost:
    total = NOTHING
    for source, to in pairwise(path):
        total = total.plus(planner.later_move(source, to).cost)
    return total


@settings(max_examples=40)
@given(process_files(helpful), deals(["s0"]))
def test_advice_depends_on_what_the_file_says_alone(file: Parts, snapshot: Snapshot) -> None:
    first, again = (compile_process(Process.model_validate(one)) for one in (file, copied(file)))
    assert suggest(first, snapshot, as_of=AS_OF) == suggest(again, snapshot, as_of=AS_OF)
