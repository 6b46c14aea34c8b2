"""The graph: which moves are drawn, and that its machine lets one pass on our verdict alone."""

import pytest

from app.engine.graph import Graph
from tests.builders_engine import process

GRAPH: Graph = process(
    transitions=[
        {"from": "open", "to": "lost"},
        {"from": ["lost", "second"], "to": "first"},
        {"from": "first", "to": "first"},
        {"from": "first", "to": "won"},
    ]
).graph


def test_what_is_drawn_is_told_in_the_order_of_the_stages() -> None:
    destinations = {key: GRAPH.destinations(key) for key in ("first", "second", "won", "lost")}
    expected = {
        "first": ["first", "second", "won", "lost"],
        "second": ["first", "won", "lost"],
        "won": [],
        "lost": ["first"],
    }
    assert expected == destinations
    assert {"second": ["first"], "won": ["second", "first"], "lost": ["first", "second"]} == {
        key: GRAPH.sources(key) for key in ("second", "won", "lost")
    }


@pytest.mark.parametrize(
    ("source", "to", "drawn"), [("first", "second", True), ("won", "first", False), ("second", "second", False)]
)
def test_nothing_is_drawn_that_the_process_does_not_draw(source: str, to: str, drawn: bool) -> None:
    assert drawn is GRAPH.draws(source, to)


@pytest.mark.parametrize(("source", "to"), [("first", "second"), ("first", "first"), ("lost", "first")])
def test_the_machine_passes_a_drawn_move_unless_it_is_blocked(source: str, to: str) -> None:
    assert GRAPH.passes(source, to, blocked=False)
    assert not GRAPH.passes(source, to, blocked=True)
    assert to == GRAPH.move(source, to, blocked=False)
    assert source == GRAPH.move(source, to, blocked=True)


def test_names_that_mean_something_to_a_machine_are_only_names() -> None:
    stages = [{"key": key} for key in ("initial", "trigger", "on_enter_x", "to_first", "is_-", "_")]
    graph = process(stages=stages, path=[stage["key"] for stage in stages]).graph
    assert [["trigger"], ["on_enter_x"], ["to_first"], ["is_-"], ["_"], []] == [
        graph.destinations(stage["key"]) for stage in stages
    ]
    assert "on_enter_x" == graph.move("trigger", "on_enter_x", blocked=False)
