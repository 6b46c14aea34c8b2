"""Values that arrive as text become what the process expects; what does not convert is kept as it came."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.crm.connection import FieldMapping
from app.crm.convert import convert

ROME = ZoneInfo("Europe/Rome")

CASES: list[tuple[str, Any, Any]] = [
    ("number", "52000", 52000),
    ("number", " -12 ", -12),
    ("number", "52000.50", 52000.5),
    ("number", "1.2e3", 1200.0),
    ("number", "9223372036854775807", 9223372036854775807),
    ("number", "9223372036854775808", "9223372036854775808"),
    ("number", "1e999", "1e999"),
    ("number", "9" * 400 + ".0", "9" * 400 + ".0"),
    ("number", "52.000,50", "52.000,50"),
    ("number", "1_000", "1_000"),
    ("number", "NaN", "NaN"),
    ("number", "Infinity", "Infinity"),
    ("number", "٣", "٣"),
    ("number", "12 €", "12 €"),
    ("number", 52000, 52000),
    ("number", True, True),
    ("boolean", "true", True),
    ("boolean", "FALSE", False),
    ("boolean", "yes", "yes"),
    ("boolean", "1", "1"),
    ("date", "2026-12-03", "2026-12-03"),
    ("date", "1796256000000", "2026-12-03"),
    ("date", 1796256000000, "2026-12-03"),
    ("date", "1796252400000", "2026-12-03"),  # 23:00 UTC the day before is midnight in Rome
    ("date", "2026-12-02T23:30:00Z", "2026-12-03"),
    ("date", "2026-12-03T00:00:00Z", "2026-12-03"),
    ("date", "2026-02-30", "2026-02-30"),
    ("date", "99999999999999", "5138-11-16"),
    ("date", "soon", "soon"),
    ("date", "12/03/2026", "12/03/2026"),
    ("choice", "Budget OK", "approved"),
    ("choice", "never mapped", "never mapped"),
    ("text", "Call on Monday", "Call on Monday"),
    ("text", "12", "12"),
    ("text", 12, "12"),
    ("text", 12.5, "12.5"),
    ("text", True, "true"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), CASES)
def test_a_value_converts_or_stays_as_it_came(kind: Any, value: Any, expected: Any) -> None:
    mapping = FieldMapping(field="x", type=kind, choices={"Budget OK": "approved"} if kind == "choice" else {})
    converted = convert(value, mapping, ROME)
    assert (type(expected), expected) == (type(converted), converted)


@pytest.mark.parametrize("kind", ["number", "boolean", "date", "choice", "text"])
@pytest.mark.parametrize("value", ["", None])
def test_an_emptied_property_is_nothing(kind: Any, value: Any) -> None:
    assert convert(value, FieldMapping(field="x", type=kind), ROME) is None
