"""A remediation truly removes its finding: whatever is chosen of its alternatives, done as a user would do it."""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.engine import Actor, CompiledProcess, Process, Snapshot, compile_process, decide
from tests.builders_engine import AS_OF, Parts
from tests.property.doing import World, do_all, with_values, world
from tests.property.strategies import actors, conditions, deals, leaves, pair, process_files, qualities


def asking(file: Parts, asked: Parts) -> CompiledProcess:
    edge = {"from": "s0", "to": "s1", "requires": [{**asked, "id": "asked"}]}
    stages = [{"key": one["key"], "kind": one.get("kind", "open")} for one in file["stages"]]
    return compile_process(Process.model_validate({**file, "stages": stages, "transitions": [edge]}))


def removed(compiled: CompiledProcess, now: World) -> bool:
    """Nothing is found any more; that the first contact was of another kind than the house rule's has just happened."""
    findings = decide(compiled, now.deal, now.to, as_of=now.as_of, actor=now.actor).findings
    return all(finding.code == "first_touch_broken" for finding in findings)


def remedy_of(compiled: CompiledProcess, snapshot: Snapshot, actor: Actor | None) -> tuple[Parts, ...]:
    found = decide(compiled, snapshot, "s1", as_of=AS_OF, actor=actor).findings
    assume(found)
    assume(found[0].remediation)
    return found[0].remediation


def kinds_in(steps: Any) -> set[str]:
    if isinstance(steps, dict):
        return {steps["kind"]} if "kind" in steps else kinds_in([one for way in steps.values() for one in way])
    return {kind for one in steps for kind in kinds_in(one)}


FILES = process_files(st.nothing(), 0)


@settings(max_examples=100)
@given(FILES, leaves | qualities | pair("not", leaves | qualities), deals(["s0"]), actors, st.data())
def test_a_way_out_removes_its_finding(
    file: Parts, asked: Parts, snapshot: Snapshot, actor: Actor | None, data: st.DataObject
) -> None:
    compiled = asking(file, asked)
    steps = remedy_of(compiled, snapshot, actor)
    done = do_all(steps, world(snapshot, AS_OF, actor, "s1"), lambda ways: data.draw(st.sampled_from(ways)))
    assert any(removed(compiled, now) for now in with_values(file, done))


@settings(max_examples=60)
@given(FILES, conditions, deals(["s0"]), actors, st.data())
def test_a_way_out_of_a_group_removes_its_finding_too(
    file: Parts, asked: Parts, snapshot: Snapshot, actor: Actor | None, data: st.DataObject
) -> None:
    compiled = asking(file, asked)
    steps = remedy_of(compiled, snapshot, actor)
    done = do_all(steps, world(snapshot, AS_OF, actor, "s1"), lambda ways: data.draw(st.sampled_from(ways)))
    # waiting for one part of a group may undo another, and one part may forbid what another wants: both are for the
    # checker to tell the author; everything else must come out right
    assume("wait_until" not in kinds_in(steps))
    assume(not contradictory(asked))
    assert any(removed(compiled, now) for now in with_values(file, done))


def contradictory(asked: Parts, *, negated: bool = False) -> bool:
    """Whether a group asks the same thing twice in a way that may conflict: only more of a thing never does."""
    found = list(_about(asked, negated=negated))
    names = [name for name, _ in found]
    adding = {("activity", False), ("contact", False), ("approval", False)}
    return any(names.count(name) > 1 for name, opposite in found if (name, opposite) not in adding)


def _about(asked: Parts, *, negated: bool) -> Any:
    for group in ("any", "all"):
        for one in asked.get(group, ()):
            yield from _about(one, negated=negated)
    if "not" in asked:
        yield from _about(asked["not"], negated=not negated)
    for kind in ("activity", "contact", "approval", "mover", "stage_age", "deal_age"):
        if kind in asked:
            yield kind, negated
    for key in asked.get("data_quality", {}).get("fields", ()):
        yield key, negated
    if "field" in asked:
        yield asked["field"], negated
        yield from ((one["field"], negated) for one in asked.values() if isinstance(one, dict))


@settings(max_examples=40)
@given(process_files(), deals(), st.sampled_from(["s0", "s1", "won", "lost"]))
def test_a_move_that_is_drawn_is_what_an_undrawn_one_names(file: Parts, snapshot: Snapshot, to: str) -> None:
    compiled = compile_process(Process.model_validate(file))
    found = [one for one in decide(compiled, snapshot, to, as_of=AS_OF).findings if one.requirement is None]
    steps = [step for one in found for remedy in one.remediation for step in remedy.get("one_of", [remedy])]
    for step in (step for step in steps if step["kind"] == "take_drawn_move"):
        for drawn in step["to"]:
            decision = decide(compiled, snapshot, drawn, as_of=AS_OF)
            of_moves = [one.code for one in decision.findings if one.requirement is None]
            assert [] == [code for code in of_moves if code != "first_touch_broken"]
