"""JSON from strangers: what is let in comes through unchanged, what would hurt later is refused with a code."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.safe_json import DEEPEST, UnsafeJson, read_json

REFUSED = [
    (b"", "json_invalid"),
    (b"\xff", "json_invalid"),
    (b"\xef\xbb\xbf[]", "json_invalid"),
    (b'"\xed\xa0\x80"', "json_invalid"),
    (b'"\\ud800"', "json_invalid"),
    (b'"\\udc00 \\ud800"', "json_invalid"),
    (b'"\x00"', "json_invalid"),
    (b'"\\u0000"', "json_nul"),
    (b'{"a": {"\\u0000": 1}}', "json_nul"),
    (b"NaN", "json_invalid"),
    (b"-Infinity", "json_invalid"),
    (b"1e999", "json_number_too_large"),
    (b"[-1E+400]", "json_number_too_large"),
    (b"9" * 400 + b".5", "json_number_too_large"),
    (b'{"a": [9223372036854775808]}', "json_number_too_large"),
    (b"-9223372036854775809", "json_number_too_large"),
    (b"1" * 5000, "json_invalid"),
    (b'{"a": 1, "a": 1}', "json_invalid"),
    (b'{"b": [{"a": 1, "a": 2}]}', "json_invalid"),
    (b'{"a": 1, "\\u0061": 2}', "json_invalid"),
    (b"[" * 65 + b"]" * 65, "json_too_deep"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, "json_too_deep"),
    (b"[" * 1_000_000, "json_too_deep"),
    (b"[1] [2]", "json_invalid"),
]


@pytest.mark.parametrize(("data", "code"), REFUSED)
def test_what_would_hurt_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(UnsafeJson) as refusal:
        read_json(data)
    assert refusal.value.code == code


TAKEN: list[tuple[bytes, Any]] = [
    (b"[" * 64 + b"]" * 64, None),
    (b'"\\ud83d\\ude00"', "\U0001f600"),
    (b'"\\\\u0000"', "\\u0000"),
    (b"[9223372036854775807, -9223372036854775808]", [2**63 - 1, -(2**63)]),
    (b"[1e308, 1e-999, 0.1]", [1e308, 0.0, 0.1]),
    (b'"' + b"[" * 1000 + b'"', "[" * 1000),
    (b'["\\"' + b"[" * 100 + b'"]', ['"' + "[" * 100]),
]


@pytest.mark.parametrize(("data", "expected"), TAKEN)
def test_what_only_looks_like_it_is_taken(data: bytes, expected: Any) -> None:
    found = read_json(data)
    assert expected is None or found == expected


def _depth(value: Any) -> int:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(_depth, inner), default=0)
    return 0


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
)
_VALUES = st.recursive(_PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4))


@given(_VALUES, st.booleans())
def test_any_harmless_value_comes_through_unchanged(value: Any, ascii_only: bool) -> None:
    assert _depth(value) <= DEEPEST
    assert read_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_give_a_harmless_value_or_a_refusal(data: bytes) -> None:
    try:
        value = read_json(data)
    except UnsafeJson:
        return
    assert not isinstance(value, float) or math.isfinite(value)
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


_TRICKY = st.recursive(
    st.none() | st.integers() | st.text(alphabet='"\\[]{}e0/é\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='"\\[]{}e0', max_size=4), inner),
    max_leaves=12,
)


@given(_TRICKY, st.integers(0, 2 * DEEPEST), st.booleans())
def test_depth_is_that_of_the_brackets_outside_of_texts(value: Any, around: int, ascii_only: bool) -> None:
    for _ in range(around):
        value = [value]
    deep = _deep(value)
    data = json.dumps(value, ensure_ascii=ascii_only).encode()
    if deep > DEEPEST:
        with pytest.raises(UnsafeJson, match="json_too_deep"):
            read_json(data)
    elif all(-(2**63) <= number < 2**63 for number in _integers(value)):
        assert read_json(data) == value


@pytest.mark.parametrize("text", ["4ef5b371-e89e-e711-8122-000d3aa2331c", "1e999", "9" * 30, '\\"1e999', "\\"])
def test_in_a_text_any_digits_may_stand_and_beside_it_none_that_are_too_large(text: str) -> None:
    assert read_json(json.dumps([text, 1]).encode()) == [text, 1]
    for number in ("1e999", "-1E+1000", "9" * 30):
        with pytest.raises(UnsafeJson, match="json_number_too_large"):
            read_json(f"[{json.dumps(text)}, {number}]".encode())


def _deep(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return int(isinstance(value, dict | list)) + max(map(_deep, inner), default=0)


def _integers(value: Any) -> list[int]:
    if isinstance(value, int):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [number for one in inner for number in _integers(one)]
