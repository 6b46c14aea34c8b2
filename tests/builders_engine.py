"""Builders for engine tests: processes as the mappings a file holds, deals as callers send them, one question each."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from app.engine import Actor, CompiledProcess, Decision, Finding, Process, Snapshot, compile_process, decide

AS_OF = datetime(2026, 11, 23, 10, tzinfo=UTC)
"""A Monday, 11:00 in Rome."""

REP = Actor(id="rep-7", roles=("rep",))

Parts = dict[str, Any]

BASE: Parts = {
    "process": "test",
    "timezone": "Europe/Rome",
    "roles": ["rep", "senior", "boss"],
    "contacts": ["buyer", "champion"],
    "activities": [
        {"key": "demo", "kind": "meeting", "outcomes": ["held", "no_show"], "effort": "60m", "lead_time": "3d"},
        {"key": "call", "kind": "call", "outcomes": ["reached", "held"]},
        {"key": "review", "kind": "document", "effort": "4h", "lead_time": "10d"},
    ],
    "fields": [
        {"key": "amount", "type": "number", "learned_in": ["demo"]},
        {"key": "note", "type": "text", "min_length": 10, "blank": ["n/a", "tbd"]},
        {"key": "name", "type": "text"},
        {"key": "personal", "type": "boolean"},
        {"key": "close", "type": "date"},
        {"key": "start", "type": "date"},
        {"key": "budget", "type": "choice", "choices": ["unknown", "requested", "approved"], "blank": ["-"]},
    ],
    "stages": [{"key": "first"}, {"key": "second"}, {"key": "won", "kind": "won"}, {"key": "lost", "kind": "lost"}],
    "path": ["first", "second", "won"],
}
"""What most tests need; each test overrides the parts it is about."""


def process(**parts: Any) -> CompiledProcess:
    """A compiled process: BASE with these parts in place of its own."""
    return compile_process(Process.model_validate({**BASE, **parts}))


def asking(*requirements: Parts, **parts: Any) -> CompiledProcess:
    """A process whose move from `first` to `second` asks these requirements."""
    return process(transitions=[{"from": "first", "to": "second", "requires": list(requirements)}], **parts)


def deal(stage: str = "first", **facts: Any) -> Snapshot:
    """A deal as a caller sends it, in JSON; it entered its stage on 10 November and was made on 1 October."""
    sent = {"stage": stage, "stage_entered_at": "2026-11-10T09:00:00Z", "created_at": "2026-10-01T09:00:00Z", **facts}
    return Snapshot.model_validate_json(json.dumps({key: value for key, value in sent.items() if value is not ...}))


def activity(number: int, key: str = "demo", at: datetime | str = AS_OF, status: str = "done", **more: Any) -> Parts:
    """An activity of a deal, as a caller sends it."""
    moment = at if isinstance(at, str) else at.isoformat()
    return {"id": f"a-{number}", "activity": key, "at": moment, "status": status, **more}


def moment(text: str) -> datetime:
    """Read `2026-11-23T10:00:00+01:00`."""
    return datetime.fromisoformat(text)


def before(**span: float) -> datetime:
    """So long before AS_OF."""
    return AS_OF - timedelta(**span)


def after(**span: float) -> datetime:
    """So long after AS_OF."""
    return AS_OF + timedelta(**span)


def judged(compiled: CompiledProcess, snapshot: Snapshot | None = None, to: str = "second", **more: Any) -> Decision:
    """Decide the move as of AS_OF by REP, unless told otherwise."""
    return decide(compiled, deal() if snapshot is None else snapshot, to, **{"as_of": AS_OF, "actor": REP, **more})


def finding(compiled: CompiledProcess, snapshot: Snapshot | None = None, **more: Any) -> Finding | None:
    """The only finding of the move from `first` to `second`; None when there is none."""
    found = judged(compiled, snapshot, **more).findings
    assert len(found) <= 1
    return found[0] if found else None


def blocking(code: str, expected: Parts, actual: Parts, *remediation: Parts, **more: Any) -> Finding:
    """A finding of the requirement `asked`, as the edge makes it; `more` overrides the rest."""
    usual: Parts = {
        "code": code, "severity": "block", "requirement": "asked", "at": "transition", "say": None,
        "expected": expected, "actual": actual, "remediation": remediation, "params": {},
    }  # fmt: skip
    return Finding(**{**usual, **more})


def outcomes(decision: Decision) -> dict[str, str]:
    """Requirement -> what became of it: a finding's code, `satisfied` or `not_applicable`."""
    found = {str(one.requirement): one.code for one in decision.findings}
    found |= {one.requirement: "satisfied" for one in decision.satisfied}
    return found | {one.requirement: "not_applicable" for one in decision.not_applicable}
