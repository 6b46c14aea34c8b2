"""Every starter can be walked: a deal that only ever follows the first suggestion is won."""

from datetime import timedelta

import pytest

from app.engine import Actor, CompiledProcess, Decision, compile_process, decide, load_process, suggest
from app.starters import KEYS, read_starter
from tests.builders_engine import AS_OF, Parts, deal
from tests.property.doing import World, do_all, with_values, world

MOST_STEPS = 80


def asked_of(compiled: CompiledProcess, now: World) -> Decision:
    return decide(compiled, now.deal, now.to, as_of=now.as_of, actor=now.actor)


def blocking(compiled: CompiledProcess, now: World) -> int:
    return sum(finding.severity == "block" for finding in asked_of(compiled, now).findings)


def done(compiled: CompiledProcess, step: Parts, now: World) -> World:
    """The world once a user did what the suggestion says; of what can be found out, what leaves the least open."""
    file = compiled.process.model_dump(by_alias=True)
    for field in file["fields"]:
        field["choices"] = [choice["key"] for choice in field["choices"]]
    return min(with_values(file, do_all([step], now)), key=lambda then: blocking(compiled, then))


def moved(now: World) -> World:
    """The deal in the next stage, a day later."""
    at = now.as_of.isoformat()
    history = [*now.sent["stage_history"], {"stage": now.to, "entered_at": at}]
    sent = {**now.sent, "stage": now.to, "stage_entered_at": at, "stage_history": history}
    return now._replace(sent=sent, as_of=now.as_of + timedelta(days=1))


def walked(compiled: CompiledProcess, actor: Actor) -> list[str]:
    """The stages a deal goes through by the first suggestion alone."""
    stage = compiled.process.starts[0]
    entered = AS_OF.isoformat()
    first = deal(stage, id="D-1", stage_entered_at=entered, created_at=entered)
    now = world(first, AS_OF + timedelta(hours=1), actor, stage)
    stages = [stage]
    for _ in range(MOST_STEPS):
        if compiled.stages[stages[-1]].kind == "won":
            break
        advice = suggest(compiled, now.deal, as_of=now.as_of, actor=actor, limit=1)
        assert advice.plan is not None, advice.blocked_by
        now = now._replace(to=advice.plan.stages[0])
        leading = advice.suggestions[:1]
        if leading and (leading[0].mandatory or leading[0].because[0][0] == "first_touch"):
            now = done(compiled, {"kind": leading[0].kind, **leading[0].subject}, now)
        else:
            assert "allowed" == asked_of(compiled, now).outcome
            now = moved(now)
            stages.append(now.to)
    return stages


@pytest.mark.parametrize("key", KEYS)
def test_a_starter_is_walked_to_won_by_the_first_suggestion_alone(key: str) -> None:
    process = load_process(read_starter(key))
    compiled = compile_process(process)
    roles = tuple(role.key for role in process.roles)
    stages = walked(compiled, Actor(id="ana", roles=roles))
    kinds = [compiled.stages[stage].kind for stage in stages]
    assert [*["open"] * (len(stages) - 1), "won"] == kinds
    assert process.starts[0] == stages[0]
