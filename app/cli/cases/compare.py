"""What was expected beside what came out: the same keys in both, so that a difference is a difference that matters."""

from collections.abc import Callable
from typing import Any, NamedTuple

Shape = dict[str, Any]

_REASON = ("requirement", "code", "severity", "detail")
_STEP = ("kind", "activity", "field", "role", "until", "mandatory")


class Comparison(NamedTuple):
    """Two values that are equal when the case holds."""

    expected: Shape
    actual: Shape


def compared(expected: Shape, answer: Shape) -> Comparison:
    """The expectation of a case, and the answer in its keys. No finding may go unmentioned."""
    if "outcome" in expected:
        expected = {"outcome": expected["outcome"], "findings": [], **expected}
    actual = {key: _PARTS.get(key, _whole)(wanted, answer.get(key)) for key, wanted in expected.items()}
    return Comparison(expected, actual)


def _whole(_wanted: Any, found: Any) -> Any:
    return found


def _plan(wanted: Shape | None, found: Shape | None) -> Shape | None:
    return found if wanted is None or found is None else _in_keys_of(wanted, found)


def _findings(wanted: list[Shape], found: list[Shape]) -> list[Shape]:
    """Each finding in the keys of the expected one it belongs to; one that nobody expects, in those that tell it."""
    return _paired(wanted, found, ("requirement", "code"), _REASON)


def _suggestions(wanted: list[Shape], found: list[Shape]) -> list[Shape]:
    return _paired(wanted, found, ("kind", "activity", "field", "role"), _STEP)


def _judged(_wanted: list[str], found: list[Shape]) -> list[str]:
    return [one["requirement"] for one in found]


def _paired(wanted: list[Shape], found: list[Shape], names: tuple[str, ...], told: tuple[str, ...]) -> list[Shape]:
    left = list(wanted)
    shown = []
    for one in found:
        fitting = [other for other in left if _same(other, one, names)]
        if fitting:
            left.remove(fitting[0])
            shown.append(_in_keys_of(fitting[0], one))
        else:
            shown.append({key: one[key] for key in told if one.get(key) is not None})
    return shown


def _same(wanted: Shape, found: Shape, names: tuple[str, ...]) -> bool:
    """Whether both speak of the same thing. A name given alone may also be the code of what has no requirement."""
    if set(wanted) == {"requirement"} and found.get("requirement") is None:
        return bool(wanted["requirement"] == found.get("code"))
    given = [name for name in names if name in wanted]
    if "requirement" in given:
        given = ["requirement"]
    return all(wanted[name] == found.get(name) for name in given)


def _in_keys_of(wanted: Shape, found: Shape) -> Shape:
    if set(wanted) == {"requirement"} and found.get("requirement") is None and "code" in found:
        return {"requirement": found["code"]}
    return {key: found.get(key) for key in wanted}


_PARTS: dict[str, Callable[[Any, Any], Any]] = {
    "findings": _findings,
    "satisfied": _judged,
    "not_applicable": _judged,
    "plan": _plan,
    "suggestions": _suggestions,
    "blocked_by": _findings,
}
"""How lists are put beside each other. Anything else is compared whole; a buyer's step that is not there is null."""
