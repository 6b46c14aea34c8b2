"""JSON from strangers, read once and safely: what later layers or a database would choke on is refused here.

Refused: nesting deeper than 64, duplicate keys, NUL characters, lone surrogates, NaN and infinity (1e999 too), integers
beyond 64 bits, anything that is not UTF-8.
"""

import math
import re
from typing import Any

import jiter

DEEPEST = 64
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")
"""Makes every digit a zero, so that plain searches, far faster than a pattern, find what needs a second look."""
_HUGE_INTEGER = b"0" * 19


class UnsafeJson(ValueError):
    """These bytes are no JSON, or none that may be let in. `code` names the text, `params` fill it."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def read_json(data: bytes) -> Any:
    """The value of a JSON text."""
    bare = _bare(data) if _is_doubtful(data) else b""
    if _depth(bare) > DEEPEST:
        raise UnsafeJson("json_too_deep", most=DEEPEST)
    try:
        value = jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise UnsafeJson("json_invalid", problem=str(error)) from error
    if b"\\u0000" in data or _has_suspect_number(bare):
        _inspect(value)
    return value


def _is_doubtful(data: bytes) -> bool:
    """Whether there may be too deep a nesting, an infinity or a huge integer. Bytes without any need no second look.

    In texts there are all sorts of brackets and digits, in ids above all: then what is beside them is looked at alone.
    """
    return data.count(b"[") + data.count(b"{") > DEEPEST or _has_suspect_number(data.translate(_ALIKE))


def _has_suspect_number(alike: bytes) -> bool:
    return b"e000" in alike or b"e+000" in alike or _HUGE_INTEGER in alike


def _depth(bare: bytes) -> int:
    """How deep brackets are nested: each round takes the innermost away, all at once."""
    brackets = bare.translate(_ONE_KIND, _NO_BRACKETS)
    rounds = 0
    while rounds <= DEEPEST and b"[]" in brackets:
        brackets = brackets.replace(b"[]", b"")
        rounds += 1
    return rounds + brackets.count(b"[")


_TEXT = re.compile(rb'"[^"]*"?')
_ONE_KIND = bytes.maketrans(b"{}", b"[]")


def _all_but(wanted: bytes) -> bytes:
    return bytes(set(range(256)) - set(wanted))


_NO_BRACKETS = _all_but(b"[]{}")
_NOTHING_TO_US = _all_but(b'0123456789eE+,:[]{}"')


def _bare(data: bytes) -> bytes:
    """Brackets and numbers that stand outside of texts; digits as in `_ALIKE`.

    All else is let go first, so that little is left for the pattern; of escapes only those that touch a quote matter.
    """
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    return _TEXT.sub(b"", data.translate(_ALIKE, _NOTHING_TO_US))


def _inspect(value: Any) -> None:
    """Walk a value that is no deeper than allowed."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _inspect(key)
            _inspect(inner)
    elif isinstance(value, list):
        for inner in value:
            _inspect(inner)
    elif isinstance(value, str) and "\0" in value:
        raise UnsafeJson("json_nul")
    elif (isinstance(value, float) and not math.isfinite(value)) or (
        isinstance(value, int) and not _SMALLEST <= value <= _LARGEST
    ):
        raise UnsafeJson("json_number_too_large")
