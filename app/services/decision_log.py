"""The decision log: what is written of a decision, and read again in any language."""

import json
from datetime import datetime
from typing import Literal

from pydantic_core import to_json

from app.engine import Actor, Decision
from app.i18n import from_document, to_document
from app.services.refusals import UnknownDecision
from app.store.database import Database
from app.store.decisions import LoggedDecision, read_decision

Source = Literal["api", "move", "put", "webhook", "crm", "veto"]
"""Who asked or told: a question of our API, a move there, a stored deal; a CRM's delivery, its question, its veto."""


def logged(
    tenant_id: str,
    decision_id: str,
    decision: Decision,
    *,
    deal_id: str | None,
    actor: Actor | None,
    source: Source,
    now: datetime,
    applied: bool | None = None,
) -> LoggedDecision:
    """The row of a decision: its columns for lists, its document for the rest."""
    return LoggedDecision(
        tenant_id,
        decision_id,
        deal_id,
        decision.process,
        decision.version or 0,
        decision.from_stage,
        decision.to_stage,
        decision.outcome,
        source,
        None if actor is None else actor.id,
        decision.as_of,
        now,
        applied,
        not decision.missing,
        to_json(to_document(decision)).decode(),
    )


def decision_of(row: LoggedDecision) -> Decision:
    """The decision as it was made."""
    return from_document(json.loads(row.document))


async def read_logged(db: Database, tenant_id: str, decision_id: str) -> LoggedDecision:
    """One line of the log."""
    row = await read_decision(db, tenant_id, decision_id)
    if row is None:
        raise UnknownDecision(decision=decision_id)
    return row
