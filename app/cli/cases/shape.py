"""The shape of a case file. Every key is known; what is misspelt is refused with its place."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.engine import Actor, Instant

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Mapping = dict[str, JsonValue]


class Part(BaseModel):
    """Base of what stands in a case file: immutable, strict, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_alias=True, validate_by_name=False)

    def given(self) -> dict[str, Any]:
        """The keys that the author wrote, under the names the answer over HTTP uses; null where null was written."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _text_or_mapping(value: Any) -> Any:
    if not isinstance(value, str | dict) or not value:
        raise PydanticCustomError("text_or_mapping", "text or a mapping")
    return value


def _deal(value: Any) -> Any:
    if isinstance(value, dict) and not isinstance(value.get("like", ""), str):
        raise PydanticCustomError("like_no_text", "the name of a deal")
    return value if value == {} else _text_or_mapping(value)


TextOrMapping = Annotated[Any, AfterValidator(_text_or_mapping)]


def _named(value: Any) -> Any:
    return {"requirement": value} if isinstance(value, str) else value


class ExpectedFinding(Part):
    """A finding, in the keys that matter to the case."""

    requirement: str | None = None
    code: str | None = None
    severity: Literal["block", "warn", "info"] | None = None
    relaxed_for: str | None = None
    at: Literal["exit", "transition", "enter"] | None = None
    message: str | None = None
    detail: str | None = None
    expected: Mapping | None = None
    actual: Mapping | None = None
    remediation: list[Mapping] | None = None

    @model_validator(mode="after")
    def _identified(self) -> Self:
        if self.requirement is None and self.code is None:
            raise PydanticCustomError("finding_unnamed", "name the requirement or the code")
        return self


class ExpectedPlan(Part):
    """The plan of an advice."""

    stages: list[str] | None = None
    open_requirements: int | None = None
    effort_minutes: int | None = None
    lead_time_days: int | None = None


class ExpectedSuggestion(Part):
    """A suggestion, in the keys that matter to the case."""

    rank: int | None = None
    kind: str | None = None
    activity: str | None = None
    outcome: str | None = None
    direction: str | None = None
    with_role: Annotated[str | None, Field(alias="with")] = None
    people: int | None = None
    within: str | None = None
    times: int | None = None
    field: str | None = None
    presence: Annotated[str | None, Field(alias="is")] = None
    learned_in: list[str] | None = None
    role: str | None = None
    until: str | None = None
    name: str | None = None
    booked: Mapping | None = None
    mandatory: bool | None = None
    effort_minutes: int | None = None
    lead_time_days: int | None = None
    message: str | None = None
    because: list[Mapping] | None = None
    why: list[str] | None = None
    how: str | None = None
    unlocks: list[Mapping] | None = None


Findings = list[Annotated[ExpectedFinding, BeforeValidator(_named)]]


class Expected(Part):
    """What should come out."""

    outcome: Literal["allowed", "blocked", "not_judged"] | None = None
    findings: Findings | None = None
    satisfied: list[str] | None = None
    not_applicable: list[str] | None = None
    from_buyer: str | None = None
    to_buyer: str | None = None
    plan: ExpectedPlan | None = None
    suggestions: list[ExpectedSuggestion] | None = None
    blocked_by: Findings | None = None
    buyer_step: str | None = None
    goal_buyer: str | None = None


_OF_DECISIONS = ("outcome", "findings", "satisfied", "not_applicable", "from_buyer", "to_buyer")
_OF_ADVICE = ("plan", "suggestions", "blocked_by", "buyer_step", "goal_buyer")


class CaseShape(Part):
    """One case as written."""

    name: Name
    deal: Annotated[Any, AfterValidator(_deal)] = {}
    to: Name | None = None
    goal: Name | None = None
    limit: Annotated[int, Field(ge=0, le=100)] = 100
    actor: Actor | None = None
    as_of: Instant | None = None
    missing: list[Literal["fields", "activities", "contacts", "approvals", "stage_history"]] = []
    expect: Expected

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.to is None) == (self.goal is None):
            raise PydanticCustomError("to_or_goal", "either `to` or `goal`")
        foreign = _OF_ADVICE if self.goal is None else _OF_DECISIONS
        wrong = sorted(self.expect.model_fields_set & set(foreign))
        if wrong:
            raise PydanticCustomError("not_answered", "not answered here: {names}", {"names": ", ".join(wrong)})
        if self.goal is None and self.expect.outcome is None:
            raise PydanticCustomError("outcome_missing", "say the outcome")
        if not self.expect.model_fields_set:
            raise PydanticCustomError("nothing_expected", "expect something")
        return self


class FileShape(Part):
    """A whole case file as written."""

    process: TextOrMapping
    as_of: Instant | None = None
    actor: Actor | None = None
    lang: Literal["en", "it"] = "en"
    deal: Mapping = {}
    deals: dict[Name, Mapping] = {}
    cases: list[CaseShape]
