"""What a requirement may ask, kind by kind, in the shape of the file people write."""

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from app.engine.values import DayPoint, Duration, Key, Number, Part, Scalar, duration

COMPARISONS = (
    "is", "equals", "not_equals", "in", "not_in", "at_least", "at_most", "more_than", "less_than", "before", "after",
)  # fmt: skip


class StageRef(Part):
    """A stage named as a starting time: its first entry."""

    stage: Key


class FieldRef(Part):
    """Another date field, to compare with."""

    field: Key


def _ref_kind(value: Any) -> str:
    return "requirement:ref" if isinstance(value, dict | Part) else "requirement:word"


Since = Annotated[
    Annotated[Literal["stage_entry", "deal_start"], Tag("requirement:word")]
    | Annotated[StageRef, Tag("requirement:ref")],
    Discriminator(_ref_kind),
]
DateOperand = Annotated[
    Annotated[DayPoint, Tag("requirement:word")] | Annotated[FieldRef, Tag("requirement:ref")],
    Discriminator(_ref_kind),
]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Keys = Annotated[
    list[Key],
    Field(min_length=1),
    BeforeValidator(_listed, json_schema_input_type=Key | Annotated[list[Key], Field(min_length=1)]),
]


class Condition(Part):
    """What every kind of requirement may carry when it is nested: a name of its own."""

    id: Key | None = None


class ActivityCondition(Condition):
    """Enough such activities are on record. `activity: any` counts every declared kind."""

    activity: Keys
    at_least: Annotated[int, Field(ge=1, le=1000)] = 1
    status: Literal["done", "planned"] = "done"
    outcome: Key | None = None
    direction: Literal["inbound", "outbound"] | None = None
    within: Duration | None = None
    since: Since | None = None
    with_role: Annotated[Key | None, Field(alias="with")] = None
    people: Annotated[int | None, Field(ge=1, le=1000)] = None


class FieldCondition(Condition):
    """The value of a field compares; exactly one comparison."""

    field: Key
    presence: Annotated[Literal["present", "absent"] | None, Field(alias="is")] = None
    equals: Scalar | None = None
    not_equals: Scalar | None = None
    one_of: Annotated[list[Scalar] | None, Field(alias="in", min_length=1)] = None
    none_of: Annotated[list[Scalar] | None, Field(alias="not_in", min_length=1)] = None
    at_least: Number | None = None
    at_most: Number | None = None
    more_than: Number | None = None
    less_than: Number | None = None
    before: DateOperand | None = None
    after: DateOperand | None = None

    @model_validator(mode="after")
    def _one_comparison(self) -> "FieldCondition":
        if len(self._given) != 1:
            raise PydanticCustomError(
                "one_comparison", "exactly one comparison", {"known": list(COMPARISONS), "found": self._given}
            )
        return self

    @property
    def _given(self) -> list[str]:
        dumped = self.model_dump(by_alias=True, exclude_none=True)
        return [name for name in COMPARISONS if name in dumped]

    @cached_property
    def comparison(self) -> str:
        """The name of the comparison, as written in the file."""
        return self._given[0]

    @cached_property
    def operand(self) -> Any:
        """What the value is compared with, as written in the file."""
        return getattr(self, _FIELD_ATTRIBUTES.get(self.comparison, self.comparison))


_FIELD_ATTRIBUTES = {"is": "presence", "in": "one_of", "not_in": "none_of"}


class ContactCondition(Condition):
    """A contact role is named on the deal, `at_least` so many people."""

    contact: Key
    at_least: Annotated[int, Field(ge=1, le=1000)] = 1


class Between(Part):
    """A time between two durations, both bounds counting; at least one is given."""

    at_least: Duration | None = None
    at_most: Duration | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "Between":
        if self.at_least is None and self.at_most is None:
            raise PydanticCustomError("no_bound", "say at_least, at_most or both")
        return self

    @property
    def shortest(self) -> timedelta | None:
        """The lower bound."""
        return None if self.at_least is None else duration(self.at_least)

    @property
    def longest(self) -> timedelta | None:
        """The upper bound."""
        return None if self.at_most is None else duration(self.at_most)


class StageAgeCondition(Condition):
    """The time since the deal entered its stage."""

    stage_age: Between


class DealAgeCondition(Condition):
    """The time since the deal was made."""

    deal_age: Between


class ApprovalCondition(Condition):
    """Someone with the role approved this very move."""

    approval: Key
    within: Duration | None = None


class MoverCondition(Condition):
    """The actor has one of the roles."""

    mover: Keys


class QualityBar(Part):
    """How well which fields must be filled; all of them if not said."""

    at_least: Annotated[Number, Field(ge=0, le=1)]
    fields: Annotated[list[Key], Field(min_length=1)] | None = None


class DataQualityCondition(Condition):
    """The fields of the deal are filled well enough."""

    data_quality: QualityBar


class AnyCondition(Condition):
    """At least one of the nested holds."""

    alternatives: Annotated["list[Nested]", Field(alias="any", min_length=1)]


class AllCondition(Condition):
    """All of the nested hold."""

    parts: Annotated["list[Nested]", Field(alias="all", min_length=1)]


class NotCondition(Condition):
    """The nested one does not hold."""

    negated: Annotated["Nested", Field(alias="not")]


KINDS: dict[str, str] = {
    "activity": "requirement:activity",
    "field": "requirement:field",
    "contact": "requirement:contact",
    "stage_age": "requirement:stage_age",
    "deal_age": "requirement:deal_age",
    "approval": "requirement:approval",
    "mover": "requirement:mover",
    "data_quality": "requirement:data_quality",
    "any": "requirement:any",
    "all": "requirement:all",
    "not": "requirement:not",
}
"""Kind -> tag. The tags stand in error paths; no key of a file looks like them, so they can be left out again."""

_ATTRIBUTES = {"any": "alternatives", "all": "parts", "not": "negated"}


def _kind(value: Any) -> str | None:
    for kind, tag in KINDS.items():
        if kind in value if isinstance(value, dict) else hasattr(value, _ATTRIBUTES.get(kind, kind)):
            return tag
    return None


_Nested = (
    Annotated[ActivityCondition, Tag("requirement:activity")]
    | Annotated[FieldCondition, Tag("requirement:field")]
    | Annotated[ContactCondition, Tag("requirement:contact")]
    | Annotated[StageAgeCondition, Tag("requirement:stage_age")]
    | Annotated[DealAgeCondition, Tag("requirement:deal_age")]
    | Annotated[ApprovalCondition, Tag("requirement:approval")]
    | Annotated[MoverCondition, Tag("requirement:mover")]
    | Annotated[DataQualityCondition, Tag("requirement:data_quality")]
    | Annotated[AnyCondition, Tag("requirement:any")]
    | Annotated[AllCondition, Tag("requirement:all")]
    | Annotated[NotCondition, Tag("requirement:not")]
)


def kind_discriminator() -> Discriminator:
    """Tell requirements apart by the kind they open with."""
    return Discriminator(
        _kind,
        custom_error_type="no_kind",
        custom_error_message="a requirement opens with its kind",
    )


Nested = Annotated[_Nested, kind_discriminator()]
"""A requirement inside another, or a `when`."""


def requirement_kind(condition: Condition) -> str:
    """The kind a requirement opens with, as written in the file."""
    return cast("str", _kind(condition)).removeprefix("requirement:")
