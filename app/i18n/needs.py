"""What is needed, in words: `1 needed`, `“requested” or “approved” needed`, `a date after today needed`."""

from typing import Any

from app.i18n.facts import field_value
from app.i18n.figures import day_point
from app.i18n.labels import Labels
from app.i18n.texts import Catalogue
from app.i18n.words import Word

_NOT_A_COMPARISON = ("field", "id")


def times_needed(expected: dict[str, Any], actual: dict[str, Any], catalogue: Catalogue) -> str:
    """How many, and with how many people, where that is what is lacking."""
    needed = []
    if actual["count"] < expected.get("at_least", 1):
        needed.append(catalogue.text("need.times", count=expected.get("at_least", 1)))
    if actual.get("people", expected.get("people", 0)) < expected.get("people", 0):
        needed.append(catalogue.text("need.people", count=expected["people"]))
    return ", ".join(needed)


def field_need(expected: dict[str, Any], field: str, labels: Labels) -> str:
    """What a comparison asks of a field; nothing where any value will do."""
    expected = expected.get("not", expected)
    comparison = next(name for name in expected if name not in _NOT_A_COMPARISON)
    operand = expected[comparison]
    if comparison == "is":
        return ""
    if comparison in ("before", "after"):
        return labels.catalogue.text(f"need.{comparison}", day=_day(operand, labels))
    values = operand if isinstance(operand, list) else [operand]
    said = labels.catalogue.either(field_value(field, one, labels) for one in values)
    return labels.catalogue.text(f"need.{comparison}", value=said)


def _day(operand: Any, labels: Labels) -> Word:
    if isinstance(operand, dict):
        return labels.field(operand["field"])
    return day_point(operand, labels.catalogue)
