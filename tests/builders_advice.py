"""Builders for tests of suggestions: the advice for a deal, and what it says in short."""

from typing import Any

from app.engine import Advice, Suggestion, suggest
from tests.builders_engine import AS_OF, REP, Parts, deal, process

STAGES = [
    {"key": "first"},
    {"key": "aside"},
    {"key": "second"},
    {"key": "third"},
    {"key": "won", "kind": "won"},
    {"key": "lost", "kind": "lost"},
]


def advice(compiled: Any, snapshot: Any = None, **more: Any) -> Advice:
    return suggest(compiled, deal() if snapshot is None else snapshot, **{"as_of": AS_OF, "actor": REP, **more})


def suggestion(kind: str, about: Parts, *served: str, **more: Any) -> Suggestion:
    """A mandatory suggestion for the move from `first` to `second`; an activity costs what BASE says of it."""
    costs = {"demo": (60, 3), "call": (30, 0), "review": (240, 10)}
    effort, lead = costs.get(about.get("activity", ""), (0, 0))
    usual = {
        "mandatory": True, "effort_minutes": 0 if kind == "book_activity" else effort * about.get("times", 1),
        "lead_time_days": lead, "because": tuple((name, "first", "second") for name in served),
    }  # fmt: skip
    return Suggestion(kind, about, **{**usual, **more})


def kinds(given: Advice) -> list[tuple[str, Any]]:
    """Kind and subject of each suggestion, shortly."""
    return [(one.kind, next(iter(one.subject.values()))) for one in given.suggestions]


def names(given: Advice) -> list[str]:
    return [finding.requirement or finding.code for finding in given.blocked_by]


def road(*edges: tuple[str, str, Parts | None], **parts: Any) -> Any:
    drawn = [
        {"from": source, "to": to, "requires": [] if asked is None else [{"id": f"{source}-{to}", **asked}]}
        for source, to, asked in edges
    ]
    return process(stages=STAGES, path=[], transitions=drawn, **parts)
