"""Loading anything: whatever the bytes, a process or a refusal with places; and what a process says is read back."""

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine.errors import ProcessFileError
from app.engine.load import load_process
from app.engine.process import Process
from tests.builders_file import SOUND, asks, file_of, told

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
words = st.sampled_from(
    [
        "id",
        "activity",
        "demo",
        "field",
        "amount",
        "is",
        "present",
        "any",
        "all",
        "not",
        "when",
        "mode",
        "since",
        "stage",
        "first",
        "contact",
        "buyer",
        "stage_age",
        "at_least",
        "at_most",
        "3d",
        "mover",
        "approval",
        "enter",
        "exit",
        "in",
    ]
)
trees = st.recursive(
    scalars | words,
    lambda nested: st.lists(nested, max_size=4) | st.dictionaries(words | st.text(max_size=6), nested, max_size=5),
    max_leaves=25,
)
sections = st.sampled_from(sorted(Process.model_fields))
few = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def refused_or_read(data: bytes) -> None:
    try:
        load_process(data)
    except ProcessFileError as refused:
        problems = refused.problems
    else:
        return
    assert problems
    assert all(problem.line > 0 and problem.column > 0 for problem in problems)
    json.dumps([told(problem) for problem in problems])


@few
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    refused_or_read(data)


@few
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    refused_or_read(text.encode(errors="replace"))
    refused_or_read(b"{" + text.encode(errors="replace"))


@few
@given(sections, trees)
def test_any_values_are_read_or_refused(section: str, tree: Any) -> None:
    refused_or_read(json.dumps({**SOUND, section: tree}).encode())
    refused_or_read(yaml.dump({**SOUND, section: tree}, Dumper=yaml.SafeDumper).encode())


@few
@given(trees)
def test_any_requirement_is_read_or_refused(tree: Any) -> None:
    parts = asks({"any": [tree]}, {"not": tree}, tree if isinstance(tree, dict) else {"all": tree})
    refused_or_read(json.dumps({**SOUND, **parts}).encode())


texts = st.text("abc é", min_size=1, max_size=10).filter(str.strip)
conditions = st.recursive(
    st.one_of(
        st.fixed_dictionaries(
            {"activity": st.sampled_from(["demo", "any", ["demo", "call"]])},
            optional={
                "at_least": st.integers(1, 9),
                "outcome": st.just("held"),
                "within": st.sampled_from(["3d", "2w"]),
                "since": st.sampled_from(["stage_entry", "deal_start", {"stage": "first"}]),
                "with": st.just("buyer"),
            },
        ),
        st.builds(lambda n: {"field": "amount", "at_least": n}, st.integers(-9, 9) | st.floats(-9, 9)),
        st.builds(lambda day: {"field": "close", "before": day}, st.sampled_from(["today", "+7d", {"field": "start"}])),
        st.builds(
            lambda choices: {"field": "budget", "in": choices},
            st.lists(st.sampled_from(["requested", "approved"]), min_size=1),
        ),
        st.just({"stage_age": {"at_least": "3d"}}),
        st.just({"approval": "boss", "within": "30d"}),
        st.just({"mover": ["rep", "boss"]}),
    ),
    lambda nested: (
        st.builds(
            lambda kind, parts: {kind: parts}, st.sampled_from(["any", "all"]), st.lists(nested, min_size=1, max_size=3)
        )
        | st.builds(lambda one: {"not": one}, nested)
    ),
    max_leaves=6,
)
modes = st.sampled_from(["observe", "warn", "enforce", {"warn": "2027-01-01", "enforce": "2027-04-01"}])
requirements = st.lists(st.tuples(conditions, modes, texts, st.none() | conditions), max_size=4)


@few
@given(requirements, texts)
def test_what_a_process_says_is_read_back_equal(asked: list[Any], name: str) -> None:
    listed = [
        {**condition, "mode": mode, "say": {"en": say}, **({"when": when} if when else {})}
        for condition, mode, say, when in asked
    ]
    process = load_process(file_of(name=name, **asks(*listed)))
    for dumped in (
        process.model_dump(mode="json", by_alias=True, exclude_none=True),
        process.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    ):
        assert process == load_process(json.dumps(dumped).encode())
        assert process == load_process(yaml.safe_dump(dumped, allow_unicode=True).encode())
