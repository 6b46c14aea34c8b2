"""Whatever bytes come as a generic delivery: events, faults or one refusal; and in whatever order, the same record."""

import itertools
import json
import random
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crm.events import Batch, Malformed
from app.crm.generic import read, record
from app.crm.record import Record, to_document
from app.crm.timeline import timeline
from tests.crm.builders import NOON
from tests.crm.generic_builders import generic_settings, settings_json, update

SETTINGS = generic_settings()
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
_FACT = st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers(0, 9) | _ANYTHING,
        "type": st.just("demo_call") | _ANYTHING,
        "at": st.just("2026-11-20T12:00:00Z") | _ANYTHING,
        "state": st.sampled_from(["completed", "open", "cancelled", "done"]) | _ANYTHING,
        "contacts": st.lists(st.integers(0, 9)) | _ANYTHING,
        "role": st.just("Boss") | _ANYTHING,
        "by": _ANYTHING,
    },
)
_DEAL = st.fixed_dictionaries(
    {"id": st.integers(0, 9) | _ANYTHING},
    optional={
        "stage": st.integers(0, 9) | _ANYTHING,
        "pipeline": _ANYTHING,
        "owner": _ANYTHING,
        "amount": _ANYTHING,
        "approved": _ANYTHING,
        "activities": st.lists(_FACT, max_size=3) | _ANYTHING,
        "people": st.lists(_FACT, max_size=3) | _ANYTHING,
    },
)
_NEARLY = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["deal.created", "deal.updated", "deal.deleted", "deal.merged"]) | _ANYTHING,
        "event": st.integers(0, 9) | _ANYTHING,
        "at": st.integers(0, 2**45) | _ANYTHING,
        "deal": _DEAL | _ANYTHING,
    },
    optional={"into": _ANYTHING, "user": _ANYTHING, "source": _ANYTHING, "before": _DEAL | _ANYTHING},
)


@given(st.lists(_NEARLY | _ANYTHING, max_size=4) | _NEARLY | _ANYTHING)
def test_anything_that_is_nearly_a_delivery(value: Any) -> None:
    try:
        batch = read(json.dumps(value).encode(), SETTINGS)
    except Malformed:
        return
    to_document(Record().with_events(batch.events))


@given(_NEARLY | _DEAL | _ANYTHING)
def test_anything_that_is_nearly_a_record(value: Any) -> None:
    try:
        events = record(value, SETTINGS, NOON)
    except Malformed:
        return
    to_document(Record().with_events(events))


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    with suppress(Malformed):
        assert isinstance(read(body, SETTINGS), Batch)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"deal": NaN}', b'"\\u0000"', b'{"a": 1, "a": 2}', b"\xff", b"1e999", b""]
)
def test_what_no_layer_below_could_bear_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed, match="json_"):
        read(body, SETTINGS)


def test_in_every_order_and_with_copies_a_history_ends_in_the_same_record() -> None:
    chance = random.Random(7)  # noqa: S311 - any numbers will do, the same each time
    settings = generic_settings(deliveries=settings_json()["deliveries"])
    for number in range(50):
        history = [_event(chance, number, place) for place in range(5)]
        ends = set()
        for order in itertools.permutations(history):
            kept = Record()
            for body in (*order, chance.choice(order)):
                kept = kept.with_events(read(body, settings).events)
            line = timeline(settings, kept.events)
            ends.add((to_document(kept), repr(line)))
        assert len(ends) == 1


def _event(chance: random.Random, number: int, place: int) -> bytes:
    """One event; often at the same instant as another, with a stage, an amount or an owner."""
    at = NOON + timedelta(minutes=chance.randrange(4))
    content = update(chance.randrange(6), at=at.isoformat(), event=f"{number}-{place}", amount=chance.randrange(9))
    content["type"] = chance.choice(["deal.updated", "deal.updated", "deal.created"])
    return json.dumps(content).encode()
