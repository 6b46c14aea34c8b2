"""Plain words of a file as values: the YAML 1.2 core schema, and the limits on numbers that both formats share."""

import math
import re

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_MOST_DIGITS = 100

Scalar = str | int | float | bool | None


class BadNumber(ValueError):
    """A number no process file may hold; the argument is the code of the problem."""


def core_value(word: str) -> Scalar:
    """Read a plain (unquoted) YAML word: `yes`, `012:30` and `2027-01-01` are text, `0x1F` is a number."""
    if word in _NULLS:
        return None
    if word in _BOOLEANS:
        return _BOOLEANS[word]
    if word[0] not in "+-.0123456789":
        return word
    for pattern, base in ((_DECIMAL, 10), (_OCTAL, 8), (_HEXADECIMAL, 16)):
        if pattern.fullmatch(word):
            return whole_number(word, base)
    if _NOT_FINITE.fullmatch(word):
        raise BadNumber("number_not_finite")
    return real_number(word) if _FLOAT.fullmatch(word) else word


def whole_number(digits: str, base: int = 10) -> int:
    """Read a whole number of at most 64 bits."""
    if len(digits) > _MOST_DIGITS:
        raise BadNumber("number_too_big")
    number = int(digits, base)
    if not _LOWEST <= number <= _HIGHEST:
        raise BadNumber("number_too_big")
    return number


def real_number(digits: str) -> float:
    """Read a number with a fraction or an exponent; `1e999` is refused rather than taken for infinity."""
    number = float(digits)
    if not math.isfinite(number):
        raise BadNumber("number_not_finite")
    return number
