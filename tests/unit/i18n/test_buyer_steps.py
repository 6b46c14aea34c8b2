"""The buyer's step stands beside the stage, in decisions and in advice, where the stage names one."""

from app.engine import suggest
from app.i18n import render_advice, render_decision
from tests.builders_engine import AS_OF, deal, judged, process

STAGES = [
    {"key": "first", "buyer": "problem"},
    {"key": "second", "buyer": "evaluation"},
    {"key": "won", "kind": "won"},
    {"key": "lost", "kind": "lost"},
]


def test_a_decision_names_the_buyers_steps_of_both_ends() -> None:
    compiled = process(stages=STAGES)
    shape = render_decision(judged(compiled), compiled, "en")
    assert ("problem", "evaluation") == (shape["from_buyer"], shape["to_buyer"])
    to_won = render_decision(judged(compiled, deal("second"), "won"), compiled, "en")
    assert ("evaluation", False) == (to_won["from_buyer"], "to_buyer" in to_won)


def test_advice_names_the_buyers_step_of_the_stage_and_of_the_goal() -> None:
    compiled = process(stages=STAGES)
    here = render_advice(suggest(compiled, deal(), as_of=AS_OF, goal="second"), compiled, "en")
    assert ("problem", "evaluation") == (here["buyer_step"], here["goal_buyer"])
    assert "goal_buyer" not in render_advice(suggest(compiled, deal(), as_of=AS_OF), compiled, "en")
