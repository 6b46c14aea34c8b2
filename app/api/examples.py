"""The worked examples of the OpenAPI document: one small process and one deal, answered by the engine itself."""

from datetime import datetime
from typing import Any

from app.engine import Actor, Snapshot, compile_process, decide, digest_of, suggest
from app.engine.diagram import Format, diagram
from app.engine.load import load_process
from app.i18n import render_advice, render_decision

PROCESS_FILE = """\
process: b2b-saas
name: {en: B2B SaaS sales, it: Vendita SaaS B2B}
timezone: Europe/Rome
activities:
  - {key: demo, kind: meeting, name: Product demo, outcomes: [held, no_show], effort: 60m, lead_time: 3d}
fields:
  - {key: next_step, type: text, min_length: 10, blank: [n/a, tbd]}
  - {key: budget, type: choice, choices: [unknown, requested, approved], learned_in: [demo]}
stages:
  - {key: demo_scheduled, exit: [{id: next-step, field: next_step, is: present}]}
  - {key: demo_completed}
  - {key: won, kind: won}
  - {key: lost, kind: lost}
path: [demo_scheduled, demo_completed, won]
transitions:
  - from: demo_scheduled
    to: demo_completed
    requires:
      - {id: demo-held, activity: demo, outcome: held, since: stage_entry, say: Hold the demo and log it as held}
      - {id: budget-known, field: budget, in: [requested, approved], mode: warn}
  - {from: open, to: lost}
"""
_PROCESS = load_process(PROCESS_FILE.encode())
PROCESS: dict[str, Any] = _PROCESS.model_dump(mode="json", by_alias=True, exclude_defaults=True)
_FORMATS: tuple[Format, ...] = ("mermaid", "svg", "json")
PICTURES = {form: diagram(_PROCESS, form) for form in _FORMATS}
_COMPILED = compile_process(_PROCESS, 3)
_AS_OF = "2026-11-23T10:00:00Z"
_NOW = datetime.fromisoformat(_AS_OF)
_ID = "019a9e2c-5b1e-7000-8000-3f2a9c1d7e55"

_ACTIVITY = {
    "id": "a-1", "activity": "demo", "at": "2026-11-12T15:00:00Z", "status": "done", "outcome": "no_show",
    "direction": "outbound", "contacts": ["c-1"], "by": "rep-7",
}  # fmt: skip
FACTS: dict[str, Any] = {
    "id": "D-17",
    "stage": "demo_scheduled",
    "stage_entered_at": "2026-11-10T09:00:00Z",
    "created_at": "2026-10-01T09:00:00Z",
    "owner": "rep-7",
    "fields": {"budget": "unknown"},
    "contacts": [{"id": "c-1", "role": "champion"}],
    "activities": [_ACTIVITY],
}
_ACTOR = {"id": "rep-7", "roles": ["rep"]}
_SNAPSHOT = Snapshot.model_validate(FACTS, strict=False)
_BLOCKED = decide(_COMPILED, _SNAPSHOT, "demo_completed", as_of=_NOW, actor=Actor.model_validate(_ACTOR, strict=False))

DECISION = render_decision(_BLOCKED, _COMPILED, "en", decision_id=_ID)
LOGGED = {
    **DECISION, "deal_id": "D-17", "source": "api", "actor": "rep-7", "channel": None, "changed_by": None,
    "supersedes": None, "decided_at": _AS_OF, "applied": None,
}  # fmt: skip
MOVE = {**DECISION, "applied": False}
_LOOK = decide(_COMPILED, _SNAPSHOT, "lost", as_of=_NOW)
ALLOWED = render_decision(_LOOK, _COMPILED, "en", decision_id=_ID)
MOVES = {"stage": "demo_scheduled", "items": [render_decision(_LOOK, _COMPILED, "en", decision_id=None)]}
ADVICE = render_advice(suggest(_COMPILED, _SNAPSHOT, as_of=_NOW), _COMPILED, "en")

_REF = {"key": "b2b-saas", "version": 3, "digest": digest_of(_PROCESS)}
PUBLISHED = {"process": _REF, "created": True, "published_at": _AS_OF, "warnings": []}
PUBLISHED_AGAIN = {**PUBLISHED, "created": False}
SUMMARY = {**_REF, "updated_at": _AS_OF}
READ_PROCESS = {**_REF, "published_at": _AS_OF, "published_by": "k3y9", "definition": PROCESS, "warnings": []}

DEAL = {**FACTS, "process": "b2b-saas", "version": 3}
DEAL_STORED = DEAL
DEAL_MOVED = {**DEAL, "stage": "demo_completed", "decision": DECISION}
ACTIVITY = _ACTIVITY

VALIDATE = {
    "a deal sent along": {
        "value": {
            "process": "b2b-saas", "deal": FACTS, "to": "demo_completed", "actor": _ACTOR, "as_of": _AS_OF,
            "dry_run": True,
        }
    },
    "a stored deal": {"value": {"deal_id": "D-17", "to": "demo_completed", "actor": _ACTOR}},
    "what if": {
        "value": {
            "deal_id": "D-17", "to": "demo_completed", "dry_run": True,
            "proposed": {"fields": {"next_step": "Call the buyer on Monday"}},
        }
    },
}  # fmt: skip
NEXT = {
    "a deal sent along": {"value": {"process": "b2b-saas", "deal": FACTS, "goal": "won", "limit": 5, "as_of": _AS_OF}},
    "a stored deal": {"value": {"deal_id": "D-17"}},
}
PUT_DEAL = {"a deal": {"value": {"process": "b2b-saas", **FACTS}}}
MOVE_DEAL = {"a move": {"value": {"to": "demo_completed", "expected_stage": "demo_scheduled", "actor": _ACTOR}}}
LOG_ACTIVITY = {"a demo that was held": {"value": {**_ACTIVITY, "id": "a-2", "outcome": "held"}}}
