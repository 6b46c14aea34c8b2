"""The JSON Schema: what loads is valid, what is broken is not, and every key has words for an editor to show."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine.load import read_process
from app.engine.schema import process_schema
from app.engine.source import read_source
from tests.builders_file import SOUND, asks

SCHEMA = process_schema()
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
ROOT = Path(__file__).parents[3]
FILES = [
    *sorted(path for path in (ROOT / "app" / "starters").glob("*.yaml") if ".cases" not in path.name),
    ROOT / "examples" / "b2b-saas.yaml",
]


def valid(**parts: Any) -> bool:
    return VALIDATOR.is_valid({key: value for key, value in {**SOUND, **parts}.items() if value is not ...})


def test_it_is_a_schema_of_the_2020_12_draft() -> None:
    assert "https://json-schema.org/draft/2020-12/schema" == SCHEMA["$schema"]
    jsonschema_rs.meta.validate(SCHEMA)
    json.dumps(SCHEMA)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_process_that_ships_is_valid(file: Path) -> None:
    root = read_source(file.read_bytes()).root
    assert root is not None
    assert [] == [error.message for error in VALIDATOR.iter_errors(root.plain())]


def test_a_sound_process_of_every_kind_is_valid() -> None:
    assert valid()
    assert valid(
        name="Plain",
        policies={"undrawn": {"warn": "2027-01-01"}, "reopen_lost": {"reopen_within": "90d"}, "first_touch": "call"},
        **asks(
            {"activity": "any", "since": {"stage": "first"}, "with": "buyer", "people": 2},
            {"activity": ["demo", "call"], "since": "deal_start", "within": "30d", "when": {"contact": "buyer"}},
            {"field": "close", "before": {"field": "start"}, "mode": {"enforce": "2027-01-01"}, "say": {"it": "sì"}},
            {"field": "close", "after": "+7d", "waivable_by": ["boss"]},
            {"field": "amount", "in": [1, 2.5]},
            {"stage_age": {"at_least": "3d"}},
            {"deal_age": {"at_most": "3d"}},
            {"approval": "boss", "within": "2w"},
            {"mover": ["rep"]},
            {"any": [{"id": "x", "not": {"all": [{"contact": "buyer", "at_least": 2}]}}]},
        ),
    )


BROKEN: list[dict[str, Any]] = [
    {"process": ...},
    {"process": "My Process"},
    {"stages": ...},
    {"stages": []},
    {"stags": []},
    {"name": {"EN": "x"}},
    {"maturity": "sprint"},
    {"stages": [{"key": "open"}]},
    {"stages": [{"key": "a", "kind": "closed"}]},
    {"stages": [{"key": "a", "rots_after": "14"}]},
    {"activities": [{"key": "any"}]},
    {"fields": [{"key": "a", "type": "choice"}]},
    {"fields": [{"key": "a", "type": "choice", "choices": []}]},
    {"fields": [{"key": "a"}]},
    {"policies": {"undrawn": {}}},
    {"policies": {"reopen_lost": {"reopen_within": "soon"}}},
    {"transitions": [{"to": "lost"}]},
    {"transitions": [{"from": [], "to": "lost"}]},
    {"transitions": [{"from": "first", "to": "second", "requires": [{"contact": "buyer"}]}]},
    asks({}),
    asks({"contact": "buyer", "mover": ["rep"]}),
    asks({"field": "amount"}),
    asks({"field": "amount", "at_least": 1, "at_most": 2}),
    asks({"field": "amount", "at_least": "1"}),
    asks({"field": "close", "before": "soon"}),
    asks({"stage_age": {}}),
    asks({"any": []}),
    asks({"not": {"contact": "buyer", "mode": "warn"}}),
    asks({"contact": "buyer", "when": {"contact": "buyer", "id": "x"}}),
    asks({"activity": "demo", "at_least": 0}),
]


@pytest.mark.parametrize("parts", BROKEN)
def test_what_is_broken_is_invalid(parts: dict[str, Any]) -> None:
    assert not valid(**parts)


def test_every_key_has_words_and_no_inner_name_shows() -> None:
    parts = [SCHEMA, *SCHEMA["$defs"].values()]
    assert [] == [
        key for part in parts for key, value in part.get("properties", {}).items() if not value["description"]
    ]
    assert [] == [part for part in parts if not part["description"]]
    assert "requirement:" not in json.dumps(SCHEMA)


def test_each_call_gives_a_schema_of_its_own() -> None:
    process_schema()["properties"].clear()
    assert SCHEMA == process_schema()


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["first", "3d", "demo", "open", "present", "warn"]),
    lambda nested: (
        st.lists(nested, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "field", "is", "activity", "contact", "not", "mode", "key", "to", "from"]),
            nested,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SOUND)), trees)
def test_whatever_loads_is_valid(section: str, tree: Any) -> None:
    parts = {**SOUND, section: tree}
    if read_process(json.dumps(parts).encode()).process is not None:
        assert VALIDATOR.is_valid(parts)
