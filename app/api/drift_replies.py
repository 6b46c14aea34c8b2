"""What the questions about drift answer, as models for the OpenAPI document, with a worked example of each."""

from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.replies import Page, Shape


class DriftCounts(Shape):
    """How many moves there were, and what their verdicts are now."""

    judged: Annotated[int, Field(description="The denominator: surely allowed, or surely not.")]
    drift: Annotated[int, Field(description="Of these, moves that the process would have blocked.")]
    share: Annotated[float | None, Field(description="Drift of judged; null when nothing was judged.")]
    incomplete: Annotated[int, Field(description="Blocked for want of facts: nobody is held to those.")]
    not_judged: Annotated[int, Field(description="Without a known stage before, or in a stage that is not mapped.")]
    own: Annotated[int, Field(description="Made by us, when we put a deal back.")]


class DriftGroup(DriftCounts):
    """One group; what was not asked for is not there."""

    channel: str | None = None
    author: str | None = None
    requirement: str | None = None
    rule: str | None = None
    week: Annotated[str | None, Field(description="ISO week, in the process's timezone.")] = None


class DriftReply(Page):
    """Moves against the process."""

    process: str
    first: Annotated[str | None, Field(alias="from")]
    last: Annotated[str | None, Field(alias="to")]
    by: Literal["channel", "author", "requirement", "week"]
    totals: DriftCounts
    items: list[DriftGroup]


class DriftedMove(Shape):
    """A move that the process would have blocked."""

    deal: str
    connection: str
    source: Annotated[str | None, Field(alias="from")]
    to: str | None
    at: str
    channel: str | None
    author: str | None
    decision_id: str
    remedied: Annotated[
        dict[str, str] | None, Field(description="What each part of the remedy came to, and when; null before that.")
    ]


class DriftedPage(Page):
    """Moves that the process would have blocked, the latest first."""

    items: list[DriftedMove]


_COUNTS: dict[str, Any] = {"judged": 40, "drift": 6, "share": 0.15, "incomplete": 2, "not_judged": 9, "own": 3}
DRIFT = {
    "process": "b2b-saas",
    "from": "2026-10-01",
    "to": None,
    "by": "channel",
    "totals": _COUNTS,
    "items": [
        {"channel": "CRM_UI", **_COUNTS, "judged": 30, "drift": 6, "share": 0.2},
        {"channel": "INTEGRATION", **_COUNTS, "judged": 10, "drift": 0, "share": 0.0},
    ],
    "next_cursor": None,
}
DRIFTED = {
    "items": [
        {
            "deal": "hubspot-eu:332507367156",
            "connection": "hubspot-eu",
            "from": "demo_scheduled",
            "to": "demo_completed",
            "at": "2026-11-23T10:00:00Z",
            "channel": "CRM_UI",
            "author": "rep-7",
            "decision_id": "0199c7a1-52d5-7a00-9b1f-6f2f4f1f7b11",
            "remedied": {"at": "2026-11-23T14:00:03Z", "revert": "done", "note": "done", "task": "done"},
        }
    ],
    "next_cursor": None,
}
