"""Names: what is named must be declared, once, and under a word that is free."""

from typing import Any

import pytest

from app.engine import Process
from app.engine.check import check_process
from app.engine.load import read_process
from tests.builders_file import SOUND, Told, asks, file_of, problems, told

R = "transitions[1].requires[0]"


def unknown(path: str, what: str, name: str, near: str | None = None) -> Told:
    return "unknown_name", path, {"what": what, "name": name, **({"near": near} if near else {})}


DANGLING: list[tuple[dict[str, Any], list[Told]]] = [
    ({"start": ["frst"]}, [unknown("start[0]", "stage", "frst", "first")]),
    ({"path": ["first", "secnd", "won"]}, [unknown("path[1]", "stage", "secnd", "second")]),
    (
        {"transitions": [{"from": "a", "to": "b"}]},
        [unknown("transitions[0].from", "stage", "a"), unknown("transitions[0].to", "stage", "b")],
    ),
    ({"transitions": [{"from": ["first", "b"], "to": "lost"}]}, [unknown("transitions[0].from[1]", "stage", "b")]),
    (
        {"fields": [*SOUND["fields"], {"key": "x", "type": "text", "learned_in": ["dmo"]}]},
        [unknown("fields[7].learned_in[0]", "activity", "dmo", "demo")],
    ),
    (asks({"activity": "dmo"}), [unknown(f"{R}.activity", "activity", "dmo", "demo")]),
    (asks({"activity": ["demo", "x"]}), [unknown(f"{R}.activity[1]", "activity", "x")]),
    (asks({"activity": "any", "with": "champ"}), [unknown(f"{R}.with", "contact", "champ", "champion")]),
    (asks({"activity": "demo", "since": {"stage": "frst"}}), [unknown(f"{R}.since.stage", "stage", "frst", "first")]),
    (asks({"field": "amuont", "at_least": 1}), [unknown(f"{R}.field", "field", "amuont", "amount")]),
    (asks({"field": "close", "after": {"field": "strt"}}), [unknown(f"{R}.after.field", "field", "strt", "start")]),
    (asks({"contact": "rep"}), [unknown(f"{R}.contact", "contact", "rep")]),
    (asks({"approval": "champion"}), [unknown(f"{R}.approval", "role", "champion")]),
    (asks({"mover": ["rep", "bos"]}), [unknown(f"{R}.mover[1]", "role", "bos", "boss")]),
    (asks({"contact": "buyer", "waivable_by": ["bos"]}), [unknown(f"{R}.waivable_by[0]", "role", "bos", "boss")]),
    (asks({"contact": "buyer", "when": {"mover": "bos"}}), [unknown(f"{R}.when.mover", "role", "bos", "boss")]),
    (
        asks({"any": [{"contact": "buyer"}, {"all": [{"not": {"mover": "bos"}}]}]}),
        [unknown(f"{R}.any[1].all[0].not.mover", "role", "bos", "boss")],
    ),
    (
        asks({"activity": "demo", "outcome": "hld"}),
        [("unknown_outcome", f"{R}.outcome", {"activity": "demo", "name": "hld", "near": "held"})],
    ),
    (
        asks({"activity": ["call", "demo"], "outcome": "no_show"}),
        [("unknown_outcome", f"{R}.outcome", {"activity": "call", "name": "no_show"})],
    ),
    (
        asks({"activity": "review", "outcome": "held"}),
        [("unknown_outcome", f"{R}.outcome", {"activity": "review", "name": "held"})],
    ),
    (asks({"activity": "any", "outcome": "reached"}), []),
    (
        asks({"activity": "any", "outcome": "gone"}),
        [("unknown_outcome", f"{R}.outcome", {"activity": "any", "name": "gone"})],
    ),
    (asks({"activity": "gone", "outcome": "held"}), [unknown(f"{R}.activity", "activity", "gone")]),
    (
        asks({"field": "budget", "equals": "aproved"}),
        [("unknown_choice", f"{R}.equals", {"field": "budget", "name": "aproved", "near": "approved"})],
    ),
    (
        asks({"field": "budget", "not_in": ["approved", "x"]}),
        [("unknown_choice", f"{R}.not_in[1]", {"field": "budget", "name": "x"})],
    ),
    (asks({"activity": ["demo", "any"]}), [("stands_alone", f"{R}.activity[1]", {"word": "any"})]),
    (
        {"transitions": [{"from": ["first", "open"], "to": "lost"}]},
        [("stands_alone", "transitions[0].from[1]", {"word": "open"})],
    ),
]


@pytest.mark.parametrize(("parts", "expected"), DANGLING)
def test_a_name_that_nothing_declares_is_told_with_its_place_and_a_likely_spelling(
    parts: dict[str, Any], expected: list[Told]
) -> None:
    assert expected == [one for one in problems(**parts) if one[0] not in ("unreachable_stage", "no_way_out")]


def test_what_is_known_is_listed_in_the_order_of_the_file() -> None:
    [problem] = read_process(file_of(**asks({"mover": "x"}))).problems
    assert ["rep", "senior", "boss"] == problem.params["known"]


def twice(what: str, path: str, name: str) -> Told:
    return "duplicate_name", path, {"what": what, "name": name}


REPEATED: list[tuple[dict[str, Any], list[Told]]] = [
    ({"roles": ["rep", "senior", "boss", {"key": "rep"}]}, [twice("role", "roles[3].key", "rep")]),
    ({"contacts": ["buyer", "champion", "buyer"]}, [twice("contact", "contacts[2]", "buyer")]),
    ({"fields": [*SOUND["fields"], {"key": "note", "type": "text"}]}, [twice("field", "fields[7].key", "note")]),
    ({"activities": [*SOUND["activities"], {"key": "call"}]}, [twice("activity", "activities[3].key", "call")]),
    (
        {"activities": [*SOUND["activities"], {"key": "x", "outcomes": ["a", "b", "a"]}]},
        [twice("outcome", "activities[3].outcomes[2]", "a")],
    ),
    (
        {"fields": [*SOUND["fields"], {"key": "x", "type": "choice", "choices": ["a", "a"]}]},
        [twice("choice", "fields[7].choices[1]", "a")],
    ),
    ({"stages": [*SOUND["stages"], {"key": "first"}]}, [twice("stage", "stages[4].key", "first")]),
    (
        asks({"contact": "buyer", "id": "a"}, {"contact": "champion", "id": "a"}),
        [twice("requirement", "transitions[1].requires[1].id", "a")],
    ),
    (
        {"stages": [*SOUND["stages"], {"key": "open"}]},
        [("reserved_name", "stages[4].key", {"what": "stage", "name": "open"})],
    ),
    (
        {"activities": [*SOUND["activities"], {"key": "any"}]},
        [("reserved_name", "activities[3].key", {"what": "activity", "name": "any"})],
    ),
    ({"roles": [*SOUND["roles"], "open", "any"]}, []),
    (
        {"transitions": [{"from": ["first", "second"], "to": "lost"}, {"from": "second", "to": "lost"}]},
        [("pair_twice", "transitions[1].from", {"from": "second", "to": "lost"})],
    ),
    (
        {"transitions": [{"from": "open", "to": "lost"}, {"from": ["open"], "to": "lost"}]},
        [("pair_twice", "transitions[1].from[0]", {"from": "open", "to": "lost"})],
    ),
    ({"transitions": [{"from": "open", "to": "lost"}, {"from": "second", "to": "lost"}]}, []),
    (
        {"transitions": [{"from": ["first", "first"], "to": "lost"}]},
        [("pair_twice", "transitions[0].from[1]", {"from": "first", "to": "lost"})],
    ),
]


@pytest.mark.parametrize(("parts", "expected"), REPEATED)
def test_what_may_stand_once_is_told_the_second_time(parts: dict[str, Any], expected: list[Told]) -> None:
    assert expected == problems(**parts)


def test_the_first_of_two_is_named_by_its_place() -> None:
    [problem] = read_process(
        b"process: p\nroles: [a, b,\n  a]\nstages: [{key: s}, {key: won, kind: won}]\npath: [s, won]"
    ).problems
    assert (3, 3, 2, 9) == (problem.line, problem.column, problem.params["line"], problem.params["column"])


def test_a_process_that_was_not_read_from_a_file_is_checked_too() -> None:
    process = Process.model_validate({**SOUND, "start": ["frst"]})
    [problem] = check_process(process)
    assert (unknown("start[0]", "stage", "frst", "first"), 0, 0) == (told(problem), problem.line, problem.column)


def test_a_checked_process_has_the_places_of_its_marks() -> None:
    loaded = read_process(file_of(policies={"skip": "warn"}, path=[], transitions=[]))
    assert loaded.process is not None
    assert loaded.problems == check_process(loaded.process, loaded.marks)
