"""The decision: the whole answer to one move, as a value. Codes and figures only; prose is made elsewhere."""

from datetime import datetime
from typing import Any, Literal, NamedTuple

from app.engine.tops import Severity

Outcome = Literal["allowed", "blocked", "not_judged"]
Place = Literal["exit", "transition", "enter"]
Remedy = dict[str, Any]
"""One step out, `kind` first: see the remediation kinds in the process format's documentation."""


class Nested(NamedTuple):
    """The result of one requirement inside an `any`, `all` or `not`."""

    requirement: str | None
    holds: bool | None
    code: str | None
    expected: dict[str, Any]
    actual: dict[str, Any]
    remediation: tuple[Remedy, ...]
    params: dict[str, Any]
    nested: tuple["Nested", ...] = ()


class Finding(NamedTuple):
    """One reason, with its way out.

    `say` is the author's text by locale (None: ours); `params` are the figures our detail text needs beyond
    `expected` and `actual`.
    """

    code: str
    severity: Severity
    requirement: str | None
    at: Place
    say: dict[str, str] | None
    expected: dict[str, Any]
    actual: dict[str, Any]
    remediation: tuple[Remedy, ...]
    params: dict[str, Any]
    nested: tuple[Nested, ...] = ()
    relaxed_for: str | None = None
    """The role of the mover for whom this only advises; without it, it would block."""


class Judged(NamedTuple):
    """A requirement that made no finding, and where it stands."""

    requirement: str
    at: Place


class Note(NamedTuple):
    """Something in the snapshot that the process does not know; kept, ignored."""

    code: Literal["undeclared_field", "unknown_activity"]
    key: str


class Decision(NamedTuple):
    """May this deal move there, and if not, every reason."""

    outcome: Outcome
    process: str
    version: int | None
    digest: str
    from_stage: str | None
    to_stage: str
    as_of: datetime
    findings: tuple[Finding, ...]
    satisfied: tuple[Judged, ...] = ()
    not_applicable: tuple[Judged, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    kept: tuple[str, ...] = ()
    """The house rules that were asked and are kept."""


class Suggestion(NamedTuple):
    """One ranked next step. `subject` says what it is about: `{"activity": "demo", "outcome": "held", "times": 1}`."""

    kind: str
    subject: dict[str, Any]
    mandatory: bool
    effort_minutes: int
    lead_time_days: int
    because: tuple[tuple[str, str, str], ...]
    """(requirement, from, to) of each requirement it serves; the requirement is the code for an undrawn move."""
    booked: dict[str, Any] | None = None


class Plan(NamedTuple):
    """The cheapest way to the goal."""

    stages: tuple[str, ...]
    open_requirements: int
    effort_minutes: int
    lead_time_days: int


class Advice(NamedTuple):
    """What to do next, and where that leads; `plan` is None when the goal is out of reach: `blocked_by` says why."""

    process: str
    version: int | None
    digest: str
    stage: str
    goal: str
    as_of: datetime
    plan: Plan | None
    suggestions: tuple[Suggestion, ...]
    blocked_by: tuple[Finding, ...] = ()
