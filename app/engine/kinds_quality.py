"""The `data_quality` requirement: the fields of the deal are filled well enough."""

from collections.abc import Mapping
from typing import Any

from app.engine.conditions import DataQualityCondition
from app.engine.decision import Remedy
from app.engine.facts import Facts
from app.engine.grades import DataQuality, best_score, quality_of
from app.engine.operators import Reader
from app.engine.process import ProcessField
from app.engine.result import MET, Leaf, Result, unknown

_DIGITS = 4


class _Bar:
    """One `data_quality` requirement: scores, says what was there, and which fields would lift it enough."""

    def __init__(
        self, condition: DataQualityCondition, fields: Mapping[str, ProcessField], readers: Mapping[str, Reader]
    ) -> None:
        keys = asked_fields(condition, fields)
        self.at_least = condition.data_quality.at_least
        self.fields = [(fields[key], readers[key]) for key in keys]

    def judge(self, facts: Facts) -> Result:
        """Met where the mean reaches the bar, what nobody brought counted as nothing; else that decides nothing."""
        quality = quality_of(self.fields, facts)
        if quality.score >= self.at_least:
            return MET
        actual = _told(quality)
        if "fields" in facts.missing and any(field.key not in facts.fields for field, _ in self.fields):
            return unknown("facts_missing", **actual)
        return Result(False, "data_quality_low", actual, self.ways_out(quality))

    def observe(self, facts: Facts) -> dict[str, Any]:
        """The scores as they stand."""
        return _told(quality_of(self.fields, facts))

    def ways_out(self, quality: DataQuality) -> tuple[Remedy, ...]:
        """Enough fields to reach the bar, those that lose most first; none where the bar is out of reach."""
        gains = [
            (best_score(field) - graded.score, field)
            for (field, _), graded in zip(self.fields, quality.fields, strict=True)
        ]
        reached = sum(graded.score for graded in quality.fields)
        steps: list[Remedy] = []
        for gain, field in sorted(gains, key=lambda one: -one[0]):
            if reached / len(self.fields) >= self.at_least or gain == 0:
                break
            reached += gain
            steps.append({"kind": "fill_field", "field": field.key})
            if field.learned_in:
                steps[-1]["learned_in"] = field.learned_in
        return tuple(steps) if reached / len(self.fields) >= self.at_least else ()


def _told(quality: DataQuality) -> dict[str, Any]:
    return {"score": round(quality.score, _DIGITS), "fields": {one.field: one.score for one in quality.fields}}


def asked_fields(condition: DataQualityCondition, declared: Mapping[str, ProcessField]) -> list[str]:
    """The fields that are scored: those named, each once, or all."""
    named = condition.data_quality.fields
    return list(declared) if named is None else list(dict.fromkeys(named))


def out_of_reach(condition: DataQualityCondition, declared: Mapping[str, ProcessField]) -> bool:
    """Whether not even the best values reach the bar: texts never score more than half."""
    best = [best_score(declared[key]) for key in asked_fields(condition, declared) if key in declared]
    return bool(best) and sum(best) / len(best) < condition.data_quality.at_least


def data_quality(
    condition: DataQualityCondition, fields: Mapping[str, ProcessField], readers: Mapping[str, Reader]
) -> Leaf:
    """Compile a `data_quality` requirement. Nobody is ever told to erase what is known."""
    bar = _Bar(condition, fields, readers)
    return Leaf(bar.judge, bar.observe, lambda _facts: ())
