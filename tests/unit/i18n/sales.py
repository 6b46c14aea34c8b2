"""A process with names in two languages, and a deal in it, for tests of texts."""

from typing import Any

from app.engine import Actor, CompiledProcess, Decision
from app.i18n import Locale, render_decision
from tests.builders_engine import REP, activity, deal, judged, process

PARTS: dict[str, Any] = {
    "process": "b2b-saas",
    "timezone": "Europe/Rome",
    "roles": ["rep", "senior", {"key": "sales_manager", "name": {"en": "Sales manager", "it": "Responsabile vendite"}}],
    "contacts": [{"key": "economic_buyer", "name": {"en": "Economic buyer", "it": "Decisore economico"}}, "champion"],
    "activities": [
        {"key": "demo", "kind": "meeting", "name": "Product demo", "outcomes": ["held", "no_show"],
         "effort": "60m", "lead_time": "3d"},
        {"key": "discovery", "kind": "call", "name": {"en": "Discovery call", "it": "Chiamata di scoperta"},
         "outcomes": [{"key": "interested", "name": {"en": "Interested", "it": "Interessato"}}]},
        {"key": "security_review", "kind": "document"},
        {"key": "follow_up", "kind": "email", "name": {"en": "Offer", "it": "Offerta"}},
        {"key": "zzz", "name": "Go-live"},
    ],
    "fields": [
        {"key": "amount", "type": "number", "unit": "EUR", "name": {"en": "Amount", "it": "Importo"}},
        {"key": "budget", "type": "choice", "choices": ["unknown", "requested", "approved"], "learned_in": ["demo"]},
        {"key": "personal_data", "type": "boolean", "name": {"en": "Personal data", "it": "Trattamento dati"}},
        {"key": "next_step", "type": "text", "min_length": 10, "name": {"en": "Next step", "it": "Prossimo passo"}},
        {"key": "close_date", "type": "date", "name": {"en": "Close date", "it": "Data di chiusura"}},
        {"key": "start_date", "type": "date", "name": {"en": "Start date", "it": "Data di inizio"}},
        {"key": "lost_reason", "type": "choice", "name": {"en": "Lost reason", "it": "Motivo della perdita"},
         "choices": [{"key": "price", "name": {"en": "Price", "it": "Prezzo"}}, "timing"]},
    ],
    "stages": [
        {"key": "first", "name": {"en": "Demo scheduled", "it": "Demo pianificata"}},
        {"key": "second", "name": {"en": "Demo completed", "it": "Demo svolta"}},
        {"key": "won", "kind": "won", "name": {"en": "Won", "it": "Vinta"}},
        {"key": "lost", "kind": "lost", "name": {"en": "Lost", "it": "Persa"}},
    ],
}  # fmt: skip


def sales(*requirements: dict[str, Any], **parts: Any) -> CompiledProcess:
    """The process, asking these on the move from `first` to `second`."""
    edge = {"from": "first", "to": "second", "requires": list(requirements)}
    return process(**{**PARTS, "transitions": [edge], **parts})


def words(
    requirement: dict[str, Any], locale: Locale, *, actor: Actor | None = REP, missing: str = "", **facts: Any
) -> tuple[str, str, str]:
    """Code, message and detail of the finding a requirement makes on a deal with these facts."""
    compiled = sales({"id": "asked", **requirement})
    left_out = frozenset({missing} - {""})
    found = shape(judged(compiled, deal(**facts), actor=actor, missing=left_out), compiled, locale)["findings"]
    assert len(found) == 1
    return found[0]["code"], found[0]["message"], found[0]["detail"]


def shape(decision: Decision, compiled: CompiledProcess, locale: Locale) -> dict[str, Any]:
    """The decision as callers read it."""
    return render_decision(decision, compiled, locale)


def demo(outcome: str = "held", **more: Any) -> dict[str, Any]:
    """A demo of 12 November with the champion."""
    return activity(1, at="2026-11-12T15:00:00Z", outcome=outcome, contacts=["c-1"], **more)


CHAMPION = [{"id": "c-1", "role": "champion"}]
