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
    if data.count(b"[") + data.count(b"{") > DEEPEST and _depth(data) > DEEPEST:
        raise UnsafeJson("json_too_deep", most=DEEPEST)
    try:
        value = jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise UnsafeJson("json_invalid", problem=str(error)) from error
    if _is_suspect(data):
        _inspect(value)
    return value


def _is_suspect(data: bytes) -> bool:
    """Whether there may be a NUL, an infinity or a huge integer. Bytes without any of these need no second look."""
    alike = data.translate(_ALIKE)
    return b"\\u0000" in alike or b"e000" in alike or b"e+000" in alike or _HUGE_INTEGER in alike


_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


def _depth(data: bytes) -> int:
    deepest = depth = 0
    for token in _STRUCTURE.finditer(data):
        opened = data[token.start()]
        if opened in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif opened in b"]}":
            depth -= 1
    return deepest


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
