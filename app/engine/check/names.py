"""Dangling names: every stage, activity, field, role, contact, outcome and choice that is named must be declared."""

from collections.abc import Iterator

from app.engine.check.declared import Declared, Keys
from app.engine.check.walk import asked, every_condition
from app.engine.conditions import (
    ActivityCondition,
    ApprovalCondition,
    Condition,
    ContactCondition,
    DataQualityCondition,
    FieldCondition,
    FieldRef,
    MoverCondition,
    StageRef,
)
from app.engine.errors import FileProblem
from app.engine.nodes import Marks, Path, error
from app.engine.process import Process

_CHOOSING = ("equals", "not_equals", "in", "not_in")


class NameCheck:
    """Looks every name up in what is declared."""

    def __init__(self, process: Process, declared: Declared, marks: Marks) -> None:
        self.process = process
        self.declared = declared
        self.marks = marks

    def problems(self) -> Iterator[FileProblem]:
        """Every name that nothing declares."""
        yield from self._graph()
        for index, field in enumerate(self.process.fields):
            yield from self._all("activity", field.learned_in, ("fields", index, "learned_in"))
        for path, requirement in asked(self.process):
            yield from self._all("role", requirement.waivable_by, (*path, "waivable_by"))
            yield from self._all("role", requirement.relaxed_for, (*path, "relaxed_for"))
        for path, condition in every_condition(self.process):
            yield from self._condition(path, condition)

    def _graph(self) -> Iterator[FileProblem]:
        yield from self._all("stage", self.process.start, ("start",))
        yield from self._all("stage", self.process.path, ("path",))
        for index, edge in enumerate(self.process.transitions):
            path: Path = ("transitions", index)
            yield from self._listed("stage", edge.sources, (*path, "from"), "open")
            yield from self._one("stage", edge.to, (*path, "to"))

    def _condition(self, path: Path, condition: Condition) -> Iterator[FileProblem]:
        if isinstance(condition, ActivityCondition):
            yield from self._activity(path, condition)
        elif isinstance(condition, FieldCondition):
            yield from self._field(path, condition)
        elif isinstance(condition, ContactCondition):
            yield from self._one("contact", condition.contact, (*path, "contact"))
        elif isinstance(condition, ApprovalCondition):
            yield from self._one("role", condition.approval, (*path, "approval"))
        elif isinstance(condition, DataQualityCondition):
            yield from self._all("field", condition.data_quality.fields or [], (*path, "data_quality", "fields"))
        elif isinstance(condition, MoverCondition):
            yield from self._all("role", condition.mover, (*path, "mover"))

    def _activity(self, path: Path, condition: ActivityCondition) -> Iterator[FileProblem]:
        yield from self._listed("activity", condition.activity, (*path, "activity"), "any")
        if condition.with_role is not None:
            yield from self._one("contact", condition.with_role, (*path, "with"))
        if isinstance(condition.since, StageRef):
            yield from self._one("stage", condition.since.stage, (*path, "since", "stage"))
        if condition.outcome is not None:
            yield from self._outcome(condition.outcome, condition.activity, (*path, "outcome"))

    def _outcome(self, outcome: str, activities: list[str], path: Path) -> Iterator[FileProblem]:
        """Each named activity must declare it; for `any`, one at least."""
        known = self.declared.outcomes
        if activities == ["any"]:
            if None not in known.values():
                every = dict.fromkeys(key for keys in known.values() for key in keys or ())
                yield from self._unknown("unknown_outcome", outcome, every, path, activity="any")
            return
        for activity in activities:
            if activity in known:
                yield from self._unknown("unknown_outcome", outcome, known[activity], path, activity=activity)

    def _field(self, path: Path, condition: FieldCondition) -> Iterator[FileProblem]:
        yield from self._one("field", condition.field, (*path, "field"))
        for name, operand in (("before", condition.before), ("after", condition.after)):
            if isinstance(operand, FieldRef):
                yield from self._one("field", operand.field, (*path, name, "field"))
        fact = self.declared.field_facts.get(condition.field)
        if fact is None or fact.type != "choice" or condition.comparison not in _CHOOSING:
            return
        here: Path = (*path, condition.comparison)
        operand = condition.operand
        places = (
            [((*here, at), one) for at, one in enumerate(operand)] if isinstance(operand, list) else [(here, operand)]
        )
        for place, choice in places:
            if isinstance(choice, str):
                yield from self._unknown("unknown_choice", choice, fact.choices, place, field=condition.field)

    def _listed(self, what: str, names: list[str], path: Path, word: str) -> Iterator[FileProblem]:
        """Names, or one word that stands for many and then stands alone."""
        if names == [word]:
            return
        for index, name in enumerate(names):
            if name == word:
                yield error("stands_alone", self.marks.place((*path, index)), word=word)
            else:
                yield from self._one(what, name, (*path, index))

    def _all(self, what: str, names: list[str], path: Path) -> Iterator[FileProblem]:
        for index, name in enumerate(names):
            yield from self._one(what, name, (*path, index))

    def _one(self, what: str, name: str, path: Path) -> Iterator[FileProblem]:
        section = {
            "stage": self.declared.stages,
            "activity": self.declared.activities,
            "field": self.declared.fields,
            "role": self.declared.roles,
            "contact": self.declared.contacts,
        }[what]
        yield from self._unknown("unknown_name", name, section, path, what=what)

    def _unknown(self, code: str, name: str, known: Keys, path: Path, **params: str) -> Iterator[FileProblem]:
        if known is not None and name not in known:
            yield error(code, self.marks.place(path), **params, name=name, known=list(known), near=None)
