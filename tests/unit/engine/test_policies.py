"""Moves: what is drawn, what each asks in which order, and what becomes of a move that nothing draws."""

from itertools import pairwise
from typing import Any

import pytest

from app.engine import Finding, UnknownStage, decide
from tests.builders_engine import AS_OF, Parts, deal, judged, process

STAGES = [
    {"key": "first"},
    {"key": "aside"},
    {"key": "second"},
    {"key": "third"},
    {"key": "won", "kind": "won"},
    {"key": "lost", "kind": "lost"},
]
PATH = ["first", "second", "third", "won"]


def road(**parts: Any) -> Any:
    """first, second, third, won in a row; `aside` off the path, between first and second; lost is not drawn."""
    return process(**{"stages": STAGES, "path": PATH, **parts})


def undrawn(code: str, severity: Any, drawn: list[str], to: str, *, new_deal: bool = False) -> Finding:
    steps: list[Parts] = [{"kind": "take_drawn_move", "to": drawn}] if drawn else []
    steps += [{"kind": "new_deal", "linked_to": None}] if new_deal else []
    steps = [{"one_of": steps}] if len(steps) > 1 else steps
    return Finding(code, severity, None, "transition", None, {"to": drawn}, {"to": to}, tuple(steps), {})


MOVES = [
    ("first", "third", "skips_stage", ["second"]),
    ("first", "won", "skips_stage", ["second"]),
    ("second", "won", "skips_stage", ["third"]),
    ("aside", "third", "skips_stage", []),
    ("aside", "second", "no_transition", []),
    ("first", "aside", "no_transition", ["second"]),
    ("second", "first", "moves_back", ["third"]),
    ("second", "aside", "moves_back", ["third"]),
    ("aside", "first", "moves_back", []),
    ("first", "lost", "no_transition", ["second"]),
    ("first", "first", "no_transition", ["second"]),
    ("won", "first", "no_transition", []),
    ("won", "won", "no_transition", []),
    ("won", "lost", "no_transition", []),
]
MODES = [("enforce", "block"), ("warn", "warn"), ("observe", "info")]
POLICY_OF = {"no_transition": "undrawn", "skips_stage": "skip", "moves_back": "back"}


@pytest.mark.parametrize(("source", "to", "code", "drawn"), MOVES)
@pytest.mark.parametrize(("mode", "severity"), MODES)
def test_a_move_that_nothing_draws_is_found_at_the_mode_of_its_policy(
    *, source: str, to: str, code: str, drawn: list[str], mode: str, severity: str
) -> None:
    others = dict.fromkeys(POLICY_OF.values(), "observe" if mode == "enforce" else "enforce")
    decision = judged(road(policies={**others, POLICY_OF[code]: mode}), deal(source), to)
    assert (undrawn(code, severity, drawn, to),) == decision.findings
    assert ("blocked" if mode == "enforce" else "allowed") == decision.outcome


def test_policies_enforce_if_not_said() -> None:
    assert ["blocked"] * len(MOVES) == [judged(road(), deal(source), to).outcome for source, to, _, _ in MOVES]


def test_a_lost_deal_is_left_by_a_new_one() -> None:
    decision = judged(road(), deal("lost"), "first")
    assert (undrawn("no_transition", "block", [], "first", new_deal=True),) == decision.findings
    reopened = road(transitions=[{"from": "lost", "to": "first"}])
    assert "allowed" == judged(reopened, deal("lost"), "first").outcome
    decision = judged(reopened, deal("lost"), "second")
    assert (undrawn("no_transition", "block", ["first"], "second", new_deal=True),) == decision.findings


def test_to_stay_in_a_stage_must_be_drawn_and_open_does_not_draw_it() -> None:
    by_open = road(transitions=[{"from": "open", "to": "second"}])
    assert "blocked" == judged(by_open, deal("second"), "second").outcome
    assert ["allowed"] * 3 == [judged(by_open, deal(key), "second").outcome for key in ("first", "aside", "third")]
    assert "blocked" == judged(by_open, deal("won"), "second").outcome, "won is not open"
    by_name = road(transitions=[{"from": "second", "to": "second"}])
    assert "allowed" == judged(by_name, deal("second"), "second").outcome


def ask(name: str) -> Parts:
    return {"id": name, "field": "note", "is": "present"}


def asked(stages: dict[str, Parts], **parts: Any) -> Any:
    """The road with more on some stages."""
    return road(stages=[{**stage, **stages.get(stage["key"], {})} for stage in STAGES], **parts)


def order(decision: Any) -> list[tuple[str | None, str]]:
    return [(one.requirement or one.code, one.at) for one in decision.findings]


def test_exit_comes_before_the_edge_and_enter_after_in_file_order() -> None:
    compiled = asked(
        {"first": {"exit": [ask("x2"), ask("x1")]}, "second": {"enter": [ask("n2"), ask("n1")], "exit": [ask("no")]}},
        transitions=[{"from": "first", "to": "second", "requires": [ask("t2"), ask("t1")]}],
    )
    expected = [
        ("x2", "exit"), ("x1", "exit"), ("t2", "transition"), ("t1", "transition"), ("n2", "enter"), ("n1", "enter"),
    ]  # fmt: skip
    assert expected == order(judged(compiled, deal("first"), "second"))
    met = judged(compiled, deal("first", fields={"note": "a note of the buyer's"}), "second")
    assert expected == [(one.requirement, one.at) for one in met.satisfied]


EXITS = [  # exit is asked on moves forward: to a later stage or to won; never on moves back, to lost, or to stay
    ("second", "third", True),
    ("second", "won", True),
    ("second", "first", False),
    ("second", "aside", False),
    ("second", "lost", False),
    ("second", "second", False),
    ("lost", "second", False),
    ("won", "second", False),
]


@pytest.mark.parametrize(("source", "to", "expected"), EXITS)
@pytest.mark.parametrize("drawn", [False, True])
def test_exit_is_asked_on_moves_forward_only(source: str, to: str, expected: bool, drawn: bool) -> None:
    edges = [{"from": source, "to": to}] if drawn else []
    observed = {"undrawn": "observe", "skip": "observe", "back": "observe"}
    leaving = {key: {"exit": [ask(f"exit-{key}")]} for key in ("second", "won", "lost")}
    decision = judged(asked(leaving, transitions=edges, policies=observed), deal(source), to)
    assert expected == (("exit-" + source, "exit") in order(decision))
    assert len(decision.findings) == expected + (not drawn and (source, to) not in pairwise(PATH))


def test_won_is_forward_wherever_it_stands_in_the_file() -> None:
    stages = [{"key": "won", "kind": "won"}, {"key": "first", "exit": [ask("leaving")]}, {"key": "second"}]
    compiled = process(stages=stages, path=["first", "second"], transitions=[{"from": "second", "to": "won"}])
    assert [("skips_stage", "transition")] == order(judged(compiled, deal("first"), "won"))
    observed = process(stages=stages, path=["first", "second"], policies={"skip": "warn"})
    assert [("skips_stage", "transition"), ("leaving", "exit")] == order(judged(observed, deal("first"), "won"))


def test_enter_is_asked_on_every_way_in_back_and_lost_included() -> None:
    entering = {key: {"enter": [ask("entering")]} for key in ("first", "lost")}
    compiled = asked(
        {"first": entering["first"]},
        transitions=[{"from": "second", "to": "first"}, {"from": "lost", "to": "first"}],
    )
    for source in ("second", "lost"):
        assert [("entering", "enter")] == order(judged(compiled, deal(source), "first"))
    compiled = asked({"lost": entering["lost"]}, transitions=[{"from": "open", "to": "lost"}])
    assert [("entering", "enter")] == order(judged(compiled, deal("first"), "lost"))


@pytest.mark.parametrize(("mode", "stops"), [("enforce", True), ("warn", False), ("observe", False)])
def test_exit_and_enter_are_asked_of_an_undrawn_move_where_its_policy_does_not_block(mode: str, stops: bool) -> None:
    compiled = asked(
        {"first": {"exit": [ask("leaving")]}, "third": {"enter": [ask("entering")]}}, policies={"skip": mode}
    )
    decision = judged(compiled, deal("first"), "third")
    more = [] if stops else [("leaving", "exit"), ("entering", "enter")]
    assert [("skips_stage", "transition"), *more] == order(decision)
    assert "blocked" == decision.outcome
    assert () == decision.satisfied == decision.not_applicable
    fine = judged(compiled, deal("first", fields={"note": "a note of the buyer's"}), "third")
    assert ("blocked" if stops else "allowed") == fine.outcome
    assert (0 if stops else 2) == len(fine.satisfied)


def test_an_edge_by_name_replaces_open_for_that_pair_only() -> None:
    by_open = {"from": "open", "to": "lost", "requires": [ask("why")]}
    by_name = {"from": ["second", "third"], "to": "lost", "requires": [ask("really")]}
    for edges in ([by_open, by_name], [by_name, by_open]):
        compiled = road(transitions=edges)
        found = {key: order(judged(compiled, deal(key), "lost")) for key in ("first", "second", "third")}
        really, why = [("really", "transition")], [("why", "transition")]
        assert {"first": why, "second": really, "third": really} == found


def test_an_entry_adds_its_requirements_to_an_edge_of_the_path() -> None:
    compiled = road(transitions=[{"from": "open", "to": "second", "requires": [ask("asked")]}])
    assert [("asked", "transition")] == order(judged(compiled, deal("first"), "second"))
    assert [] == order(judged(compiled, deal("second"), "third"))


@pytest.mark.parametrize(
    ("stage", "to", "place", "name"), [("gone", "won", "from", "gone"), ("first", "gone", "to", "gone")]
)
def test_an_unknown_stage_is_refused_with_the_known_ones(stage: str, to: str, place: str, name: str) -> None:
    with pytest.raises(UnknownStage) as refused:
        decide(road(), deal(stage), to, as_of=AS_OF)
    known = ("first", "aside", "second", "third", "won", "lost")
    assert (name, known, place) == (refused.value.stage, refused.value.known, refused.value.place)
