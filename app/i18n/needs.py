"""What is needed, in words: `1 needed`, `“requested” or “approved” needed`, `a date after today needed`."""

from datetime import date
from typing import Any

from app.i18n.facts import field_value
from app.i18n.figures import day_point
from app.i18n.labels import Labels
from app.i18n.texts import Catalogue
from app.i18n.words import Word

_NOT_A_COMPARISON = ("field", "id")
_OPPOSITES = {
    "equals": "not_equals",
    "not_equals": "equals",
    "in": "not_in",
    "not_in": "in",
    "at_least": "less_than",
    "less_than": "at_least",
    "at_most": "more_than",
    "more_than": "at_most",
    "before": "on_or_after",
    "after": "on_or_before",
}


def times_needed(expected: dict[str, Any], actual: dict[str, Any], catalogue: Catalogue) -> str:
    """How many, and with how many people, where that is what is lacking."""
    needed = []
    if actual["count"] < expected.get("at_least", 1):
        needed.append(catalogue.text("need.times", count=expected.get("at_least", 1)))
    if actual.get("people", expected.get("people", 0)) < expected.get("people", 0):
        needed.append(catalogue.text("need.people", count=expected["people"]))
    return ", ".join(needed)


def field_need(asked: dict[str, Any], field: str, labels: Labels, today: date, *, negate: bool = False) -> str:
    """What a comparison, or its opposite, asks of a field; nothing where any value will do."""
    comparison = next(name for name in asked if name not in _NOT_A_COMPARISON)
    operand = asked[comparison]
    if comparison == "is":
        return ""
    code = f"need.{_OPPOSITES[comparison] if negate else comparison}"
    if comparison in ("before", "after"):
        return labels.catalogue.text(code, day=_day(operand, labels, today))
    values = operand if isinstance(operand, list) else [operand]
    said = labels.catalogue.either(field_value(field, one, labels) for one in values)
    return labels.catalogue.text(code, value=said)


def _day(operand: Any, labels: Labels, today: date) -> Word:
    if isinstance(operand, dict):
        return labels.field(operand["field"])
    return day_point(operand, today, labels.locale)
