"""What callers get, as models for the OpenAPI document, and the one way answers are written."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import to_json

from app.api.problems import Reply
from app.engine import Snapshot
from app.services.decision_log import Source


class Shape(BaseModel):
    """Base of what is answered. More fields may be added; none is dropped or renamed."""

    model_config = ConfigDict(extra="allow", serialize_by_alias=True, validate_by_alias=True, validate_by_name=True)


class ProcessRef(Shape):
    """Which version judged."""

    key: str
    version: int | None
    digest: str


Expected = Annotated[dict[str, JsonValue], Field(description="What the requirement asks for.")]
Actual = Annotated[
    dict[str, JsonValue],
    Field(description="What was found; of activities and approvals also those ignored, and why."),
]
Remediation = Annotated[
    list[dict[str, JsonValue]],
    Field(description="The way out: steps by `kind`, alternatives as `one_of`; empty when nothing can help."),
]


class NestedReply(Shape):
    """What became of one requirement inside an `any`, `all` or `not`."""

    requirement: Annotated[str | None, Field(description="Its id, if it has one.")]
    holds: Annotated[bool | None, Field(description="Null where it could not be told.")]
    code: Annotated[str | None, Field(description="Null where it holds.")]
    detail: str | None
    expected: Expected
    actual: Actual
    remediation: Remediation
    nested: Annotated[list["NestedReply"], Field(description="Those inside this one.")] = []


class FindingReply(Shape):
    """One reason, with its way out."""

    code: Annotated[str, Field(description="Stable: match on it, never on the texts.")]
    severity: Annotated[Literal["block", "warn", "info"], Field(description="Only `block` stops the move.")]
    requirement: Annotated[
        str | None, Field(description="The requirement's id; null where the move itself is at fault.")
    ]
    at: Annotated[Literal["exit", "transition", "enter"], Field(description="Where the requirement stands.")]
    message: Annotated[str, Field(description="The author's own words, else ours: what to do.")]
    detail: Annotated[str, Field(description="Always ours, with the figures.")]
    expected: Expected
    actual: Actual
    remediation: Remediation
    nested: Annotated[
        list[NestedReply], Field(description="Of an `any`, `all` or `not`: what became of each part; else left out.")
    ] = []


class NoteReply(Shape):
    """Something in the deal that the process does not know; it was kept and ignored."""

    code: Literal["undeclared_field", "unknown_activity"]
    key: str
    message: str


class JudgedReply(Shape):
    """A requirement that made no finding."""

    requirement: str
    at: Literal["exit", "transition", "enter"]


class FactsReply(Shape):
    """What the verdict lacked."""

    complete: bool
    missing: list[str]


class DecisionReply(Shape):
    """The whole answer to one move."""

    decision_id: str | None = None
    outcome: Literal["allowed", "blocked", "not_judged"]
    process: ProcessRef
    from_stage: Annotated[str | None, Field(alias="from")]
    to: str | None
    from_buyer: Annotated[
        str | None, Field(description="The buyer's step of the stage that is left, if it has one.")
    ] = None
    to_buyer: Annotated[str | None, Field(description="The same of the stage that is entered.")] = None
    as_of: str
    findings: list[FindingReply]
    satisfied: list[JudgedReply]
    not_applicable: list[JudgedReply]
    waived: list[JudgedReply]
    facts: FactsReply
    notes: Annotated[
        list[NoteReply],
        Field(description="What the process does not know and ignored; left out when there is nothing."),
    ] = []


class AskedDecisionReply(DecisionReply):
    """The decision on a deal that a CRM asks about."""

    deal_id: str


class DecisionsReply(Shape):
    """The decisions on a batch; `faults` are those of its items that cannot be used."""

    decisions: list[AskedDecisionReply]


class LoggedDecisionReply(DecisionReply):
    """A decision of the log."""

    deal_id: str | None
    source: Source
    actor: str | None
    channel: Annotated[str | None, Field(description="Where the CRM says that the move was made, in its own word.")]
    changed_by: Annotated[str | None, Field(description="Who the CRM says made it: our person, else the CRM's id.")]
    supersedes: Annotated[str | None, Field(description="The decision on the same move that this one takes over from.")]
    decided_at: str
    applied: bool | None


class MoveReply(DecisionReply):
    """The decision on a move, and whether it was made."""

    applied: bool


class PlanReply(Shape):
    """The cheapest way to the goal."""

    stages: list[str]
    open_requirements: int
    effort_minutes: int
    lead_time_days: int


class SuggestionReply(Shape):
    """One ranked next step."""

    rank: int
    kind: str
    mandatory: bool
    message: str
    effort_minutes: int = 0
    lead_time_days: int = 0
    because: list[dict[str, JsonValue]] = []
    evidence: None = None
    why: list[str] = []
    how: str | None = None
    unlocks: list[dict[str, JsonValue]] = []


class AdviceReply(Shape):
    """What to do next."""

    process: ProcessRef
    stage: str
    goal: str
    plan: PlanReply | None
    suggestions: list[SuggestionReply]
    blocked_by: list[FindingReply]


class DealReply(Snapshot):
    """A stored deal with its process and version."""

    model_config = ConfigDict(extra="allow")

    process: str
    version: int


class PutDealReply(DealReply):
    """The deal as stored; `decision` when its stage changed."""

    decision: DecisionReply | None = None


class ActivityLoggedReply(Shape):
    """The activity as it is stored."""

    id: str
    activity: str
    at: str
    status: Literal["done", "planned"]


class Page(Shape):
    """A page of a list: go on with `cursor=next_cursor` until it is null."""

    next_cursor: str | None


class DealPage(Page):
    """Deals, by id."""

    items: list[DealReply]


class DecisionPage(Page):
    """Decisions, newest first."""

    items: list[LoggedDecisionReply]


class MovesReply(Shape):
    """The decision for every drawn move."""

    stage: str
    items: list[DecisionReply]


class HealthReply(Shape):
    """How the service is."""

    status: Literal["ok"]


class ProblemReply(Shape):
    """An error as RFC 9457 writes it. `type` is stable: match on it, never on the texts."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[dict[str, JsonValue]] | None = None
    known: list[str] | None = None


def json_reply(
    content: dict[str, Any], locale: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> Reply:
    """A JSON answer in a language."""
    ready = {
        "content-type": "application/json",
        "content-language": locale,
        "vary": "accept-language",
        "cache-control": "no-store",
    }
    return Reply(status, to_json(content), ready if headers is None else {**ready, **headers})


class RemovedReply(Shape):
    """What was taken away."""

    id: str
    removed: bool
