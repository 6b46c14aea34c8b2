"""What nobody should send, for every adapter that reads JSON: it is refused as Malformed, or its events as faults."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.crm.events import Batch, Malformed

NOISE: list[bytes] = [
    b"", b"{", b"null", b"7", b'"x"', b"[]", b"[7]", b"{}", b"[{}]", b"\xff\xfe", b"\x00", b'{"a": NaN}',
    b'{"a": 1e999}', b'{"a": "\\u0000"}', b'{"a": "\\ud800"}', b'{"a": 1, "a": 2}', b"[" * 100_000, b'{"a":' * 5_000,
    b"9" * 5_000,
    b'{"a": 1180591620717411303424}', b"<?xml version='1.0'?><a/>", b"a=b&c=d",
]  # fmt: skip
WRONG: list[Any] = [None, True, -1, 2**53, 1.5, "", "x" * 5_000, [], {}, [[]], {"a": {}}, "\x07", "2026-13-45", 1e308]


def changed(value: Any) -> Iterator[Any]:
    """A good delivery with one thing in it replaced by each wrong one, or left out."""
    if isinstance(value, dict):
        for name in value:
            yield {key: one for key, one in value.items() if key != name}
            for wrong in WRONG:
                yield {**value, name: wrong}
            for inner in changed(value[name]):
                yield {**value, name: inner}
    elif isinstance(value, list):
        for place, one in enumerate(value):
            for inner in changed(one):
                yield [*value[:place], inner, *value[place + 1 :]]


def expect_only_refusals(read: Callable[[bytes, Any], Batch], settings: Any, good: list[Any]) -> None:
    """Every answer is a batch or a Malformed with a code; nothing else comes out."""
    bodies = [*NOISE, *(json.dumps(one).encode() for value in good for one in changed(value))]
    for body in bodies:
        try:
            told = type(read(body, settings)).__name__
        except Malformed as refusal:
            told = refusal.code
        except Exception as error:  # noqa: BLE001 - whatever else comes out, the body that did it is told
            pytest.fail(f"{error!r} came of {body[:300]!r}")
        assert told, body
