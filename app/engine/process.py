"""The process: stages, transitions and requirements, as values, in the shape of the file people write."""

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from app.engine.silence import Silence
from app.engine.values import Day, DayPoint, Duration, Key, Named, Number, Part, Scalar, Text, duration

Severity = Literal["block", "warn", "info"]
ModeName = Literal["observe", "warn", "enforce"]
ActivityKind = Literal["call", "meeting", "email", "task", "document", "other"]
FieldType = Literal["number", "text", "boolean", "date", "choice"]
StageKind = Literal["open", "won", "lost"]

COMPARISONS = (
    "is", "equals", "not_equals", "in", "not_in", "at_least", "at_most", "more_than", "less_than", "before", "after",
)  # fmt: skip


class DatedMode(Part):
    """A mode that changes by the calendar: each takes effect at 00:00 of its date, process time; `observe` before."""

    observe: Day | None = None
    warn: Day | None = None
    enforce: Day | None = None

    @model_validator(mode="after")
    def _dates_differ(self) -> "DatedMode":
        dates = [day for day in (self.observe, self.warn, self.enforce) if day is not None]
        if not dates:
            raise PydanticCustomError("no_date", "name at least one mode with its date")
        if len(set(dates)) < len(dates):
            raise PydanticCustomError("same_date", "two modes begin on the same date")
        return self


def _mode_kind(value: Any) -> str:
    return "requirement:dated" if isinstance(value, dict | DatedMode) else "requirement:mode"


Mode = Annotated[
    Annotated[ModeName, Tag("requirement:mode")] | Annotated[DatedMode, Tag("requirement:dated")],
    Discriminator(_mode_kind),
]


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
    | Annotated[AnyCondition, Tag("requirement:any")]
    | Annotated[AllCondition, Tag("requirement:all")]
    | Annotated[NotCondition, Tag("requirement:not")]
)


def _kind_discriminator() -> Discriminator:
    return Discriminator(
        _kind,
        custom_error_type="no_kind",
        custom_error_message="a requirement opens with its kind",
    )


Nested = Annotated[_Nested, _kind_discriminator()]
"""A requirement inside another, or a `when`."""


class Requirement(Part):
    """What a requirement carries at the top, whatever its kind."""

    id: Key
    mode: Mode = "enforce"
    when: Nested | None = None
    say: Text | None = None
    waivable_by: list[Key] = []


class ActivityRequirement(Requirement, ActivityCondition):
    """Top-level `activity`."""

    id: Key


class FieldRequirement(Requirement, FieldCondition):
    """Top-level `field`."""

    id: Key


class ContactRequirement(Requirement, ContactCondition):
    """Top-level `contact`."""

    id: Key


class StageAgeRequirement(Requirement, StageAgeCondition):
    """Top-level `stage_age`."""

    id: Key


class DealAgeRequirement(Requirement, DealAgeCondition):
    """Top-level `deal_age`."""

    id: Key


class ApprovalRequirement(Requirement, ApprovalCondition):
    """Top-level `approval`."""

    id: Key


class MoverRequirement(Requirement, MoverCondition):
    """Top-level `mover`."""

    id: Key


class AnyRequirement(Requirement, AnyCondition):
    """Top-level `any`."""

    id: Key


class AllRequirement(Requirement, AllCondition):
    """Top-level `all`."""

    id: Key


class NotRequirement(Requirement, NotCondition):
    """Top-level `not`."""

    id: Key


_Top = (
    Annotated[ActivityRequirement, Tag("requirement:activity")]
    | Annotated[FieldRequirement, Tag("requirement:field")]
    | Annotated[ContactRequirement, Tag("requirement:contact")]
    | Annotated[StageAgeRequirement, Tag("requirement:stage_age")]
    | Annotated[DealAgeRequirement, Tag("requirement:deal_age")]
    | Annotated[ApprovalRequirement, Tag("requirement:approval")]
    | Annotated[MoverRequirement, Tag("requirement:mover")]
    | Annotated[AnyRequirement, Tag("requirement:any")]
    | Annotated[AllRequirement, Tag("requirement:all")]
    | Annotated[NotRequirement, Tag("requirement:not")]
)
Top = Annotated[_Top, _kind_discriminator()]
"""A requirement as it stands in `enter`, `exit` or `requires`."""


class ActivityType(Part):
    """Something a person does with the buyer, as the process counts it."""

    key: Key
    kind: ActivityKind = "other"
    name: Text | None = None
    outcomes: list[Named] = []
    effort: Duration | None = None
    lead_time: Duration | None = None
    how: Text | None = None


class ProcessField(Part):
    """A fact the process asks about a deal."""

    key: Key
    type: FieldType
    name: Text | None = None
    unit: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    choices: list[Named] = []
    learned_in: list[Key] = []
    min_length: Annotated[int, Field(ge=1, le=100_000)] | None = None
    blank: list[str] = []


class Stage(Part):
    """A step a deal stands in."""

    key: Key
    name: Text | None = None
    kind: StageKind = "open"
    buyer: Key | None = None
    enter: list[Top] = []
    exit: list[Top] = []
    rots_after: Duration | None = None


class Transition(Part):
    """A drawn edge, or several: what is asked of a move from one stage to another."""

    sources: Annotated[Keys, Field(alias="from")]
    to: Key
    requires: list[Top] = []


class ReopenWithin(Part):
    """A lost deal may be reopened for so long after it was lost."""

    reopen_within: Duration


def _reopen_kind(value: Any) -> str:
    return "requirement:within" if isinstance(value, dict | ReopenWithin) else "requirement:new_deal"


class Policies(Part):
    """What holds for the whole process; the first three are modes."""

    undrawn: Mode = "enforce"
    skip: Mode = "enforce"
    back: Mode = "enforce"
    reopen_lost: (
        Annotated[
            Annotated[Literal["new_deal"], Tag("requirement:new_deal")]
            | Annotated[ReopenWithin, Tag("requirement:within")],
            Discriminator(_reopen_kind),
        ]
        | None
    ) = None
    first_touch: Literal["call", "email"] | None = None


class Process(Part):
    """A definition: stages, transitions, requirements. A published version never changes."""

    process: Key
    name: Text | None = None
    maturity: Literal["crawl", "walk", "run"] = "walk"
    timezone: str = "UTC"
    roles: list[Named] = []
    contacts: list[Named] = []
    activities: list[ActivityType] = []
    fields: list[ProcessField] = []
    stages: Annotated[list[Stage], Field(min_length=1)]
    start: list[Key] = []
    path: list[Key] = []
    transitions: list[Transition] = []
    policies: Policies = Policies()
    silence: list[Silence] = []

    @property
    def open_stages(self) -> list[str]:
        """The keys of the stages a deal can still leave, in order."""
        return [stage.key for stage in self.stages if stage.kind == "open"]

    @property
    def starts(self) -> list[str]:
        """Where a deal may begin: `start`, or the first stage."""
        return self.start or [self.stages[0].key]

    @cached_property
    def edges(self) -> dict[tuple[str, str], list[Top]]:
        """Every drawn move with what it asks: by `path`, by `open`, by name. A name replaces `open` for its pair."""
        drawn: dict[tuple[str, str], list[Top]] = {pair: [] for pair in zip(self.path, self.path[1:], strict=False)}
        by_open = [edge for edge in self.transitions if edge.sources == ["open"]]
        by_name = [edge for edge in self.transitions if edge.sources != ["open"]]
        for edge in by_open:
            drawn.update({(source, edge.to): edge.requires for source in self.open_stages if source != edge.to})
        for edge in by_name:
            drawn.update({(source, edge.to): edge.requires for source in edge.sources})
        return drawn


def requirement_kind(condition: Condition) -> str:
    """The kind a requirement opens with, as written in the file."""
    return cast("str", _kind(condition)).removeprefix("requirement:")
