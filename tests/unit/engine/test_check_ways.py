"""Ways: islands, dead ends, and what an edge drawn by name quietly leaves out."""

from typing import Any

import pytest

from tests.builders_file import SOUND, Told, problems, severities

OPEN = [{"key": "a"}, {"key": "b"}, {"key": "c"}]
CLOSED = [{"key": "won", "kind": "won"}, {"key": "lost", "kind": "lost"}]


def graph(*edges: str, stages: list[dict[str, str]] | None = None, **more: Any) -> dict[str, Any]:
    """A process of these edges, each written `from to`."""
    drawn = [{"from": edge.split()[0], "to": edge.split()[1]} for edge in edges]
    return {"stages": stages or [*OPEN, *CLOSED], "path": [], "transitions": drawn, **more}


def unreachable(path: str, stage: str) -> Told:
    return "unreachable_stage", path, {"stage": stage}


WAYS: list[tuple[dict[str, Any], list[Told]]] = [
    (graph("a b", "b c", "c won", "open lost"), []),
    (
        graph("a b", "b won", "open lost"),
        [unreachable("stages[2]", "c"), ("no_way_to_won", "stages[2]", {"stage": "c"})],
    ),
    (graph("a b", "b won", "c won"), [unreachable("stages[2]", "c"), unreachable("stages[4]", "lost")]),
    (graph("a b", "b won", "c won", "open lost", start=["a", "c"]), []),
    (graph("a b", "a c", "b won", "c b", "a lost"), []),
    (graph("a b", "a c", "b won", "c c", "a lost"), [("no_way_out", "stages[2]", {"stage": "c"})]),
    (graph("a b", "a c", "b won", "c lost"), [("no_way_to_won", "stages[2]", {"stage": "c"})]),
    (graph("a b", "b c", "c lost"), [("won_out_of_reach", "stages", {}), unreachable("stages[3]", "won")]),
    (graph("a b", "b c", "c lost", "lost won"), []),
    (graph("a b", "b c", stages=OPEN), [("no_closed_stage", "stages", {})]),
    (graph("a b", "b c", "c lost", stages=[*OPEN, CLOSED[1]]), [("no_won_stage", "stages", {})]),
    (
        graph("a b", "b c", stages=[*OPEN, CLOSED[0]]),
        [
            ("won_out_of_reach", "stages", {}),
            *[("no_way_out", f"stages[{number}]", {"stage": stage}) for number, stage in enumerate("abc")],
            unreachable("stages[3]", "won"),
        ],
    ),
]


@pytest.mark.parametrize(("parts", "expected"), WAYS)
def test_islands_and_dead_ends_are_told_once_each(parts: dict[str, Any], expected: list[Told]) -> None:
    assert expected == problems(**parts)


def test_a_dead_end_is_an_error_and_an_island_a_warning() -> None:
    found = severities(**graph("a b", "b won", "b lost", "c c"))
    assert [("warning", "unreachable_stage"), ("error", "no_way_out")] == found
    assert [("error", "won_out_of_reach"), ("warning", "unreachable_stage")] == severities(
        **graph("a b", "b c", "c lost")
    )


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({}, ["unreachable_stage", "no_way_out", "unreachable_stage"]),
        ({"undrawn": "warn"}, []),
        ({"undrawn": {"observe": "2027-01-01"}}, []),
        ({"skip": "observe"}, ["skip_without_path"]),
        ({"back": "warn"}, ["unreachable_stage", "unreachable_stage"]),
    ],
)
def test_a_move_that_a_policy_lets_pass_is_a_way(policies: dict[str, Any], expected: list[str]) -> None:
    found = [code for code, *_ in problems(**graph("a b", "b won", policies=policies))]
    assert expected == [code for code in found if code != "no_way_to_won"]


def test_no_way_leaves_a_closed_stage_unless_it_is_drawn() -> None:
    stages = [{"key": "a"}, *CLOSED, {"key": "b"}]
    edges = graph("a won", "a lost", "b won", stages=stages, policies={"back": "warn"})
    assert [unreachable("stages[3]", "b")] == problems(**edges)


def test_ways_are_not_judged_while_stages_are_misnamed() -> None:
    assert ["unknown_name"] == [code for code, *_ in problems(**graph("a b", "b gone"))]


ASKED: list[dict[str, Any]] = [
    {"id": "why", "contact": "buyer"},
    {"id": "old", "deal_age": {"at_least": "1d"}, "mode": "warn"},
]


def edges(*named: dict[str, Any]) -> dict[str, Any]:
    return {"transitions": [{"from": "open", "to": "lost", "requires": ASKED}, *named]}


def dropped(path: str, source: str, *ids: str) -> Told:
    return "edge_drops", path, {"from": source, "to": "lost", "requirements": list(ids)}


DROPPED: list[tuple[dict[str, Any], list[Told]]] = [
    (edges({"from": "first", "to": "lost"}), [dropped("transitions[1].from", "first", "why", "old")]),
    (
        edges({"from": ["first", "second"], "to": "lost", "requires": [{**ASKED[0], "id": "same", "say": "Why?"}]}),
        [dropped("transitions[1].from[0]", "first", "old"), dropped("transitions[1].from[1]", "second", "old")],
    ),
    (edges({"from": "first", "to": "lost", "requires": [{**one, "id": f"{one['id']}-2"} for one in ASKED]}), []),
    (
        edges(
            {
                "from": "first",
                "to": "lost",
                "requires": [{**ASKED[0], "id": "x", "mode": "warn"}, {**ASKED[1], "id": "y"}],
            }
        ),
        [dropped("transitions[1].from", "first", "why")],
    ),
    (edges({"from": "won", "to": "lost"}), []),
    (edges({"from": "first", "to": "second"}), []),
    ({"transitions": [{"from": "open", "to": "lost"}, {"from": "first", "to": "lost"}]}, []),
    (
        {
            "transitions": [
                *SOUND["transitions"],
                {"from": "open", "to": "second", "requires": ASKED},
                {"from": "second", "to": "second"},
            ]
        },
        [],
    ),
]


@pytest.mark.parametrize(("parts", "expected"), DROPPED)
def test_an_edge_by_name_tells_what_it_drops_of_open(parts: dict[str, Any], expected: list[Told]) -> None:
    assert expected == problems(**parts)


def test_dropping_is_a_warning() -> None:
    assert [("warning", "edge_drops")] == severities(**edges({"from": "first", "to": "lost"}))


def test_a_skip_policy_without_a_path_is_told_unless_it_says_nothing_new() -> None:
    parts = {"path": [], "transitions": [{"from": "open", "to": stage} for stage in ("second", "won", "lost")]}
    assert [("skip_without_path", "policies.skip", {})] == problems(**parts, policies={"skip": "warn"})
    assert [] == problems(**parts, policies={"skip": "enforce"})
