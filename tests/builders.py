"""Requests for tests over HTTP: one small sales process, deals in it, and the questions asked about them."""

from typing import Any

AS_OF = "2026-11-23T10:00:00Z"

PROCESS = """\
process: b2b-saas
name: {en: B2B SaaS sales, it: Vendita SaaS B2B}
timezone: Europe/Rome
roles: [rep, sales_manager]
contacts: [champion]
activities:
  - {key: demo, kind: meeting, name: Product demo, outcomes: [held, no_show], effort: 60m, lead_time: 3d}
fields:
  - {key: amount, type: number, unit: EUR}
  - {key: budget, type: choice, choices: [unknown, requested, approved], learned_in: [demo]}
  - {key: next_step, type: text, min_length: 10}
  - {key: lost_reason, type: choice, choices: [price, timing]}
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
      - {id: demo-held, activity: demo, outcome: held, since: stage_entry,
         say: {en: Hold the demo and log it as held, it: Svolgi la demo e registrala come svolta}}
      - {id: budget-known, field: budget, in: [requested, approved], mode: warn}
  - {from: demo_completed, to: won, requires: [{id: amount, field: amount, at_least: 1}]}
  - {from: open, to: lost, requires: [{id: why-lost, field: lost_reason, is: present}]}
"""
"""Nearly the process of the format's documentation: a demo is held, then the deal is won."""


def activity(**changes: Any) -> dict[str, Any]:
    """A demo that was held."""
    at = "2026-11-12T15:00:00Z"
    held = {"id": "a-1", "activity": "demo", "at": at, "status": "done", "outcome": "held", "contacts": ["c-1"]}
    return held | changes


def deal(**changes: Any) -> dict[str, Any]:
    """A deal that waits for its demo; nobody came to the first one."""
    waiting: dict[str, Any] = {
        "stage": "demo_scheduled",
        "stage_entered_at": "2026-11-10T09:00:00Z",
        "created_at": "2026-10-01T09:00:00Z",
        "owner": "rep-7",
        "fields": {"amount": 52000, "budget": "unknown"},
        "contacts": [{"id": "c-1", "role": "champion"}],
        "activities": [activity(outcome="no_show")],
    }
    return waiting | changes


def ready_deal(**changes: Any) -> dict[str, Any]:
    """A deal whose demo was held, and whose next step is known."""
    fields = {"amount": 52000, "budget": "approved", "next_step": "Call Rita after the board meeting"}
    return deal(fields=fields, activities=[activity()]) | changes


def question(**changes: Any) -> dict[str, Any]:
    """May the deal go from demo_scheduled to demo_completed? Only asked, not logged."""
    asked = {
        "process": "b2b-saas",
        "deal": deal(id="D-17"),
        "to": "demo_completed",
        "actor": {"id": "rep-7", "roles": ["rep"]},
        "as_of": AS_OF,
        "dry_run": True,
    }
    return {name: value for name, value in (asked | changes).items() if value is not ...}


def stored(**changes: Any) -> dict[str, Any]:
    """A deal as PUT takes it."""
    return {"process": "b2b-saas", **deal(), **changes}
