"""Problems of files, of values and of requests, in words."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import ValidationError

from app.engine import FileProblem, ProcessFileError, Snapshot
from app.engine.load import load_process
from app.engine.silence import QualityCheck
from app.i18n import LOCALES, PROBLEM_TYPES, Locale, render_file_problem, render_problem, render_request_error


def file_problem(code: str, **params: Any) -> FileProblem:
    return FileProblem(code, "error", params, "stages[0].key", 7, 3)


def said(code: str, **params: Any) -> list[str]:
    return [render_file_problem(file_problem(code, **params), locale)["message"] for locale in LOCALES]


def test_a_file_problem_keeps_its_place() -> None:
    assert render_file_problem(file_problem("empty_file"), "it") == {
        "code": "empty_file",
        "severity": "error",
        "message": "il file è vuoto; comincia con `process:` e `stages:`",
        "path": "stages[0].key",
        "line": 7,
        "column": 3,
    }


SENTENCES: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("file_problems.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("row", SENTENCES, ids=lambda row: row["en"][:90])
def test_file_problems_say_what_is_wrong_and_what_to_do(row: dict[str, Any]) -> None:
    assert [row["en"], row["it"]] == said(row["code"], **row["params"])


def test_very_many_known_names_are_cut_short() -> None:
    known = [f"s{number}" for number in range(50)]
    english = said("unknown_name", what="stage", name="x", known=known, near=None)[0]
    assert english.endswith("`s19`, …")


SNAPSHOT: dict[str, Any] = {"stage": "first"}


def refused(locale: Locale, **facts: Any) -> list[dict[str, str]]:
    with pytest.raises(ValidationError) as error:
        Snapshot.model_validate_json(json.dumps({**SNAPSHOT, **facts}))
    return [render_request_error(one, locale) for one in error.value.errors()]


ACTIVITY: dict[str, Any] = {"id": "a-1", "activity": "demo", "at": "2026-11-12T15:00:00Z", "status": "done"}


@pytest.mark.parametrize(
    ("facts", "place", "code", "english", "italian"),
    [
        ({"contacts": [{"role": "champion"}]}, "contacts[0].id", "missing",
         "this is required and missing", "questo dato è obbligatorio e manca"),
        ({"colour": 1}, "colour", "extra_forbidden",
         "unknown field; remove it or check its spelling", "campo sconosciuto; toglilo o controlla come è scritto"),
        ({"stage": 1}, "stage", "string_type", "this must be text", "qui serve un testo"),
        ({"stage": ""}, "stage", "string_too_short",
         "too short; at least 1 characters are needed", "troppo corto; servono almeno 1 caratteri"),
        ({"stage_entered_at": "2026-11-12T15:00:00"}, "stage_entered_at", "timezone_aware",
         "this time has no offset; add Z or one such as +01:00",
         "a questo istante manca il fuso; aggiungi Z oppure un fuso come +01:00"),
        ({"stage_entered_at": "2026-11-31T15:00:00Z"}, "stage_entered_at", "datetime_parsing",
         "this is not a time; write it like 2026-11-23T10:00:00Z",
         "questo non è un istante; scrivilo come 2026-11-23T10:00:00Z"),
        ({"stage_entered_at": "0001-01-01T00:00:00Z"}, "stage_entered_at", "greater_than_equal",
         "too small or too early; at least 1900-01-01T00:00:00Z",
         "troppo piccolo o troppo presto; il minimo è 1900-01-01T00:00:00Z"),
        ({"activities": [{**ACTIVITY, "status": "Done"}]}, "activities[0].status", "literal_error",
         "this must be one of `done`, `planned`", "i valori ammessi sono `done`, `planned`"),
        ({"activities": [ACTIVITY, {**ACTIVITY, "status": "planned"}]}, "", "activity_repeated",
         "the activity `a-1` is sent twice with different content; send it once",
         "l'attività `a-1` compare due volte con contenuti diversi; inviala una volta sola"),
        ({"contacts": 3}, "contacts", "tuple_type", "this must be a list", "qui serve un elenco"),
        ({"contacts": [3]}, "contacts[0]", "model_type", "this must be an object", "qui serve un oggetto"),
        ({"fields": []}, "fields", "dict_type", "this must be an object", "qui serve un oggetto"),
    ],
)  # fmt: skip
def test_wrong_values_are_told_with_their_place(
    facts: dict[str, Any], place: str, code: str, english: str, italian: str
) -> None:
    assert refused("en", **facts) == [{"place": place, "code": code, "message": english}]
    assert refused("it", **facts) == [{"place": place, "code": code, "message": italian}]


def test_an_error_we_have_no_words_for_is_still_told() -> None:
    odd: Any = {"type": "is_instance_of", "loc": ("deal", 0, "x"), "msg": "", "input": 1}
    assert render_request_error(odd, "en") == {
        "place": "deal[0].x",
        "code": "invalid",
        "message": "this value cannot be taken",
    }


PARAMS: dict[str, Any] = {
    "scope": "admin", "path": "/x", "process": "p", "version": 3, "deal": "D-1", "stage": "s", "known": ["a", "b"],
    "decision": "d", "connection": "c", "delivery": "d", "activity": "a-1", "method": "PUT", "allowed": "GET",
    "limit": 10, "found": "text/plain", "reason": "r", "count": 2, "expected": "t", "minutes": 5, "seconds": 30,
    "request_id": "r-1", "cursor": "x", "starter": "crawl", "endpoint": "e-1", "item": "i-1", "sync": "s-1",
    "reasons": "x",
    "status": "done",
}  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", PROBLEM_TYPES)
def test_every_problem_type_has_a_title_and_a_detail(kind: str, locale: Locale) -> None:
    said = render_problem(kind, locale, **PARAMS)
    assert list(said) == ["title", "detail"]
    assert not re.search(r"[{}]", said["title"] + said["detail"])


def test_the_stages_that_are_known_are_listed() -> None:
    assert render_problem("unknown-stage", "it", stage="x", known=("first", "won")) == {
        "title": "fase sconosciuta",
        "detail": "il processo non ha la fase `x`; le sue fasi sono `first`, `won`",
    }


NEAR: dict[str, Any] = {"known": ["a", "b"], "near": "a"}
MOVE: dict[str, Any] = {"from": "first", "to": "won"}
FIRST: dict[str, Any] = {"line": 2, "column": 1}
FILE_PROBLEMS: dict[str, dict[str, Any]] = {
    "empty_file": {}, "too_large": {"most": 10, "found": 11}, "not_utf8": {}, "bad_character": {"character": "U+0000"},
    "syntax": {"format": "yaml", "reason": "r"}, "too_deep": {"most": 64}, "too_many_values": {"most": 9},
    "no_aliases": {"alias": "x"}, "no_anchors": {"anchor": "x"}, "no_tags": {"tag": "!x"}, "one_document": {},
    "duplicate_key": {"key": "k", **FIRST}, "key_not_text": {"found": "number"}, "number_too_big": {"value": "9"},
    "number_not_finite": {"value": ".inf"}, "unknown_key": {"name": "n", **NEAR}, "missing_key": {"key": "k"},
    "wrong_type": {"expected": "key", "found": "null"}, "bad_key": {"value": "K"}, "bad_duration": {"value": "1y"},
    "duration_too_long": {"value": "9w", "most": "1d"}, "no_such_day": {"value": "x"}, "bad_locale": {"value": "x"},
    "not_one_of": {"name": "n", **NEAR}, "too_long": {"most": 1, "unit": "items"},
    "too_short": {"least": 1, "unit": "characters"}, "out_of_range": {"value": 0, "least": 1, "most": 2},
    "one_comparison": {"known": ["is"], "found": []},
    "no_kind": {**NEAR, "found": []}, "two_kinds": {"found": ["a", "b"]},
    "top_only": {"key": "mode"}, "no_date": {}, "same_date": {}, "no_bound": {}, "blank_text": {},
    "invalid": {"reason": "r"}, "unknown_name": {"what": "stage", "name": "n", **NEAR},
    "unknown_outcome": {"name": "n", "activity": "any", **NEAR}, "unknown_choice": {"name": "n", "field": "f", **NEAR},
    "duplicate_name": {"what": "stage", "name": "n", **FIRST}, "reserved_name": {"what": "stage", "name": "open"},
    "pair_twice": {**MOVE, **FIRST}, "stands_alone": {"word": "open"},
    "comparison_unfit": {"field": "f", "type": "date", "comparison": "in", "known": ["is"]},
    "operand_unfit": {"field": "f", "type": "date", "comparison": "in", "value": "v"},
    "not_a_date_field": {"name": "n", "type": "text"}, "needs_choices": {"field": "f"},
    "only_for": {"key": "unit", "type": "number", "field": "f", "found": "text"},
    "unknown_timezone": {"name": "n", "near": None},
    "start_closed": {"stage": "s"}, "path_repeats": {"stage": "s"},
    "bounds_crossed": {"at_least": "2d", "at_most": "1d"},
    "id_in_when": {}, "too_many": {"what": "moves", "most": 1, "found": 2},
    "path_goes_back": {"stage": "s", "after": "a"},
    "path_leaves_closed": {"stage": "s"}, "unreachable_stage": {"stage": "s"}, "no_way_out": {"stage": "s"},
    "no_closed_stage": {}, "no_won_stage": {}, "won_out_of_reach": {}, "no_way_to_won": {"stage": "s"},
    "never_holds": {"requirement": "r"}, "never_holds_on_move": {"requirement": "r", **MOVE},
    "contradiction": {"requirement": "r", "others": ["a"], **MOVE},
    "not_of_demanded": {"requirement": "r", "other": "o", **MOVE}, "edge_drops": {**MOVE, "requirements": ["r"]},
    "skip_without_path": {}, "more_problems": {"more": 3},
    "vague_stage_name": {"stage": "s", "words": ["hot"]}, "too_many_stages": {"found": 9, "most": 8},
    "trifling_activity": {"activity": "a", "words": ["golf"]}, "no_lost_stage": {},
    "no_lost_reason": {"stage": "s", "sources": ["a"]}, "no_reopen_rule": {}, "no_first_touch_rule": {},
    "unobservable_stage": {"stage": "s"}, "too_many_activities": {"found": 6, "most": 5},
    "look_alike_stages": {"stage": "s", "other": "o", "because": "same_asked"},
    "skippable_stage": {"stage": "s", "way": ["a", "won"]}, "unused_activity": {"activity": "a"},
    "unused_field": {"field": "f"}, "free_text_for_choice": {"field": "f", "because": "compared"},
    "no_way_out_requirement": {"requirement": "r", "because": "too_old"},
    "convenient_any": {"requirement": "r", "field": "f"}, "seller_named_stage": {"stage": "s", "words": ["demo"]},
    "no_buyer_step": {"stage": "s"},
    "idle_silence": {"check": "unused_field", "name": "f", "known": [], "near": None},
}  # fmt: skip


@pytest.mark.parametrize("code", FILE_PROBLEMS)
def test_every_problem_of_a_file_is_told_without_gaps(code: str) -> None:
    english, italian = said(code, **FILE_PROBLEMS[code])
    assert english != italian
    assert not re.search(r"[{}]|None|\[", english + italian)


MADE = re.compile(r'(?:error|warning|tell|_problem|FileProblem)\(\s*"([a-z]+(?:_[a-z0-9]+)+)"')


def test_every_problem_that_the_engine_finds_in_a_file_is_among_them() -> None:
    engine = Path(__file__).parents[3] / "app" / "engine"
    made = {code for file in engine.rglob("*.py") for code in MADE.findall(file.read_text(encoding="utf-8"))}
    made |= set(get_args(QualityCheck))
    assert len(made) > len(FILE_PROBLEMS) / 2
    assert set() == made - set(FILE_PROBLEMS)


BROKEN = b"""
process: Broken
colour: red
stages:
  - {key: first, enter: [{id: a, activty: demo}, {id: b, field: x, equals: 1, at_least: 2}]}
  - {key: first, kind: lost, rots_after: 3y}
start: [nowhere]
transitions: [{from: open, to: frist}]
"""


def test_a_broken_file_is_told_whole_in_both_languages() -> None:
    with pytest.raises(ProcessFileError) as refused:
        load_process(BROKEN)
    problems = refused.value.problems
    told = [[render_file_problem(one, locale) for one in problems] for locale in LOCALES]
    assert len(problems) > 3
    assert [(one["code"], one["line"]) for one in told[0]] == [(one["code"], one["line"]) for one in told[1]]
    assert all(english["message"] != italian["message"] for english, italian in zip(*told, strict=True))
