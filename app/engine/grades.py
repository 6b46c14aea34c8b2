"""Data quality: structured beats text beats nothing.

A field scores 1 with a valid number, date, boolean or choice; 0.5 with a valid text; 0 with nothing, a blank word, a
text below its `min_length`, a value of the wrong type or outside the choices. A deal scores the mean over the fields
asked.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from app.engine.facts import Facts
from app.engine.operators import ABSENT, Reader, Unreadable
from app.engine.process import ProcessField

FieldState = Literal["structured", "text", "blank", "missing", "invalid"]


class FieldQuality(NamedTuple):
    """How well one field is filled."""

    field: str
    score: float
    state: FieldState


class DataQuality(NamedTuple):
    """How well a deal's fields are filled."""

    score: float
    fields: tuple[FieldQuality, ...]


def best_score(field: ProcessField) -> float:
    """The most a field can score: a text never counts as much as a value that can be counted."""
    return 0.5 if field.type == "text" else 1.0


def grade(field: ProcessField, read: Reader, raw: Any, facts: Facts) -> FieldQuality:
    """Score one value of a field."""
    if raw is None:
        return FieldQuality(field.key, 0.0, "missing")
    try:
        value = read(raw, facts)
    except Unreadable:
        return FieldQuality(field.key, 0.0, "invalid")
    if value is ABSENT or (field.type == "text" and len(value.strip()) < (field.min_length or 1)):
        return FieldQuality(field.key, 0.0, "blank")
    return FieldQuality(field.key, best_score(field), "text" if field.type == "text" else "structured")


def quality_of(fields: Sequence[tuple[ProcessField, Reader]], facts: Facts) -> DataQuality:
    """Score the fields of a deal; where none is asked, nothing is lacking."""
    graded = tuple(grade(field, read, facts.fields.get(field.key), facts) for field, read in fields)
    return DataQuality(mean([one.score for one in graded]), graded)


def mean(scores: Sequence[float]) -> float:
    """The mean; 1 of nothing."""
    return sum(scores) / len(scores) if scores else 1.0
