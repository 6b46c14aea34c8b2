"""What every decision keeps to, whatever the process and the deal."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.engine import Actor, Decision, Process, Snapshot, compile_process, decide
from tests.builders_engine import AS_OF, Parts, deal
from tests.property.oracle import Case, answer, drawn, plain
from tests.property.strategies import OPEN, activities, actors, deals, lacking, logged, process_files

MANY = settings(max_examples=120)
destinations = st.sampled_from([*OPEN[:2], "won", "lost"])


def compiled(file: Parts) -> Any:
    return compile_process(Process.model_validate(file))


def shape(decision: Decision) -> Parts:
    """A decision as the oracle tells it."""
    return {
        "outcome": decision.outcome,
        "findings": [
            (one.requirement or one.code, one.at, one.severity, one.code == "cannot_evaluate")
            for one in decision.findings
        ],
        "satisfied": [tuple(one) for one in decision.satisfied],
        "not_applicable": [tuple(one) for one in decision.not_applicable],
    }


@MANY
@given(process_files(), deals(), destinations, actors, lacking)
def test_a_decision_is_what_the_documentation_says(
    file: Parts, snapshot: Snapshot, to: str, actor: Actor | None, missing: frozenset[str]
) -> None:
    decision = decide(compiled(file), snapshot, to, as_of=AS_OF, actor=actor, missing=missing)
    assert answer(Case(file, snapshot, to, AS_OF, actor, missing)) == shape(decision)


@settings(max_examples=60)
@given(process_files(), deals(), destinations, actors, st.randoms(use_true_random=False))
def test_the_same_input_gives_the_same_decision_and_is_left_alone(
    file: Parts, snapshot: Snapshot, to: str, actor: Actor | None, order: Any
) -> None:
    before = snapshot.model_dump_json()
    first = decide(compiled(file), snapshot, to, as_of=AS_OF, actor=actor)
    again = decide(compiled(json.loads(json.dumps(file))), deal(**plain(snapshot)), to, as_of=AS_OF, actor=actor)
    assert first == again, "digest included"
    assert before == snapshot.model_dump_json()
    shuffled = list(snapshot.activities)
    order.shuffle(shuffled)
    other = decide(
        compiled(file), snapshot.model_copy(update={"activities": tuple(shuffled)}), to, as_of=AS_OF, actor=actor
    )
    assert shape(first) == shape(other), "the order of activities changes nothing"


@settings(max_examples=60)
@given(activities, deals(["s0"]), logged, st.integers(0, 3))
def test_one_more_done_activity_never_makes_an_activity_requirement_unmet(
    asked: Parts, snapshot: Snapshot, more: Parts, ago: int
) -> None:
    edge = {"from": "s0", "to": "s1", "requires": [{**asked, "id": "asked"}]}
    file = {**BASE_FILE, "transitions": [edge]}
    done = {**more, "id": "more", "status": "done", "at": (AS_OF - timedelta(days=ago)).isoformat()}
    sent = plain(snapshot)
    with_more = deal(**{**sent, "activities": [*sent["activities"], done]})
    before, after = (decide(compiled(file), one, "s1", as_of=AS_OF).outcome for one in (snapshot, with_more))
    assert (before, after) != ("allowed", "blocked")


@settings(max_examples=60)
@given(process_files(), deals(), destinations)
def test_a_move_that_is_not_drawn_is_never_allowed_while_its_policy_enforces(
    file: Parts, snapshot: Snapshot, to: str
) -> None:
    file = {**file, "policies": {}}
    assume((snapshot.stage, to) not in drawn(file))
    decision = decide(compiled(file), snapshot, to, as_of=AS_OF)
    assert "blocked" == decision.outcome
    assert {"no_transition", "skips_stage", "moves_back"} > {one.code for one in decision.findings}
    assert 1 == len(decision.findings)


BASE_FILE: Parts = {
    "process": "test",
    "timezone": "UTC",
    "contacts": ["buyer", "champion"],
    "activities": [
        {"key": "demo", "outcomes": ["held", "no_show"]},
        {"key": "call", "outcomes": ["reached", "held"]},
        {"key": "review"},
    ],
    "stages": [{"key": "s0"}, {"key": "s1"}, {"key": "won", "kind": "won"}],
}
