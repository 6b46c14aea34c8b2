"""The `field` requirement: the value of a field compares."""

from collections.abc import Mapping
from typing import Any

from app.engine.conditions import FieldCondition
from app.engine.decision import Remedy
from app.engine.facts import Facts
from app.engine.operators import ABSENT, COMPARE, Reader, Unreadable, operand_reader
from app.engine.process import ProcessField
from app.engine.result import MET, Leaf, Result, unknown


def _fill(field: ProcessField, *, absent: bool = False) -> tuple[Remedy, ...]:
    step: Remedy = {"kind": "fill_field", "field": field.key}
    if absent:
        step["is"] = "absent"
    elif field.learned_in:
        step["learned_in"] = field.learned_in
    return (step,)


class _Question:
    """One `field` requirement: reads, compares, says what was there."""

    def __init__(
        self,
        condition: FieldCondition,
        fields: Mapping[str, ProcessField],
        readers: Mapping[str, Reader],
    ) -> None:
        self.field = fields[condition.field]
        self.key = condition.field
        self.read = readers[self.key]
        self.comparison = condition.comparison
        self.params = {"field": self.key}
        self.fill = _fill(self.field)
        self.clear = _fill(self.field, absent=True)
        self.other = getattr(condition.operand, "field", None)
        self.fill_other = () if self.other is None else _fill(fields[self.other])
        if self.comparison != "is":
            self.compare = COMPARE[self.comparison]
            self.operand = operand_reader(self.field, self.comparison, condition.operand, readers)

    def value(self, facts: Facts) -> Any:
        """The raw value."""
        return facts.fields.get(self.key)

    def observe(self, facts: Facts) -> dict[str, Any]:
        """The value as it stands."""
        return {"value": self.value(facts)}

    def lacking(self, facts: Facts) -> bool:
        """Whether the field is one of the facts nobody brought."""
        return "fields" in facts.missing and self.key not in facts.fields

    def cannot(self, because: str, raw: Any, remediation: tuple[Remedy, ...]) -> Result:
        """Unknown, and why."""
        return unknown(because, remediation, params=self.params, value=raw)

    def judge_presence(self, facts: Facts, *, wanted: bool) -> Result:
        """`is: present` and `is: absent`."""
        raw = self.value(facts)
        if self.lacking(facts):
            return self.cannot("facts_missing", raw, ())
        try:
            value = self.read(raw, facts)
        except Unreadable as why:
            return self.cannot(str(why), raw, self.fill if wanted else self.clear)
        if not wanted:
            return MET if value is ABSENT else Result(False, "field_present", {"value": raw}, self.clear, self.params)
        if value is ABSENT:
            return Result(False, "field_missing", {"value": raw}, self.fill, self.params)
        if self.field.min_length is not None and len(value.strip()) < self.field.min_length:
            return Result(False, "field_too_short", {"value": raw}, self.fill, self.params)
        return MET

    def judge(self, facts: Facts) -> Result:
        """Every other comparison: on an absent field none holds."""
        raw = self.value(facts)
        if self.lacking(facts):
            return self.cannot("facts_missing", raw, ())
        try:
            value = self.read(raw, facts)
            if value is ABSENT:
                return Result(False, "field_missing", {"value": raw}, self.fill_all(facts), self.params)
        except Unreadable as why:
            return self.cannot(str(why), raw, self.fill_all(facts))
        try:
            operand = self.operand(facts)
        except Unreadable as why:
            return self.cannot(f"other_field_{why}", raw, self.fill_other)
        if operand is ABSENT:
            if "fields" in facts.missing and self.other not in facts.fields:
                return self.cannot("facts_missing", raw, ())
            return self.cannot("other_field_absent", raw, self.fill_other)
        if self.compare(value, operand):
            return MET
        return Result(False, "field_mismatch", {"value": raw}, self.fill, self.params)

    def fill_all(self, facts: Facts) -> tuple[Remedy, ...]:
        """Find out the field, and the one it is compared with where that holds nothing to compare with."""
        try:
            known = self.operand(facts) is not ABSENT
        except Unreadable:
            known = False
        return self.fill if known else (*self.fill, *self.fill_other)


def field(condition: FieldCondition, fields: Mapping[str, ProcessField], readers: Mapping[str, Reader]) -> Leaf:
    """Compile a `field` requirement."""
    question = _Question(condition, fields, readers)
    if question.comparison != "is":
        return Leaf(question.judge, question.observe, lambda _facts: question.fill, question.params)
    wanted = condition.operand == "present"
    undo = question.clear if wanted else question.fill
    return Leaf(
        lambda facts: question.judge_presence(facts, wanted=wanted),
        question.observe,
        lambda _facts: undo,
        question.params,
        unreadable_undo=undo,
    )
