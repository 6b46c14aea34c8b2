"""A CRM of somebody's own as tests play it: its settings, its deliveries, its signatures."""

import json
from datetime import datetime
from typing import Any

from app.crm.generic import GenericSettings
from app.crm.standard_webhooks import headers_of
from tests.crm.builders import NOON

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def settings_json(**changes: Any) -> dict[str, Any]:
    """The settings of a connection, as they are put; without its secret."""
    return {
        "crm": "generic",
        "stage_property": "/deal/stage",
        "pipeline_property": "/deal/pipeline",
        "owner_property": "/deal/owner",
        "pipelines": {
            "1": {"process": "sales", "stages": {"1": "demo_scheduled", "2": "demo_completed", "3": "won", "4": "lost"}}
        },
        "fields": {"/deal/amount": {"field": "amount", "type": "number"}},
        "approvals": {"/deal/approved": {"role": "sales_manager"}},
        "people": {"u7": {"id": "rep-7", "roles": ["rep"]}},
        "activities": {"demo_call": {"activity": "demo", "outcomes": {"Held": "held"}, "direction": "outbound"}},
        "contact_roles": {"Boss": "economic_buyer"},
        "deliveries": {
            "id": "/deal/id",
            "at": "/at",
            "event_id": "/event",
            "kind": "/type",
            "kinds": {
                "deal.created": "created",
                "deal.updated": "changed",
                "deal.deleted": "deleted",
                "deal.merged": "merged",
            },
            "merged_into": "/into",
            "previous_stage": "/before/stage",
            "changed_by": "/user",
            "channel": "/source",
            "activities": {
                "items": "/deal/activities",
                "status": "/state",
                "statuses": {"completed": "done", "open": "planned", "cancelled": "gone"},
                "outcome": "/result",
            },
            "contacts": {"items": "/deal/people"},
        },
        **changes,
    }  # fmt: skip


def generic_settings(**changes: Any) -> GenericSettings:
    """The same, read."""
    return GenericSettings.model_validate(settings_json(**changes))


def update(stage: Any = 2, *, at: Any = None, event: str = "e-1", **deal: Any) -> dict[str, Any]:
    """A deal has changed: it is now in this stage."""
    return {
        "type": "deal.updated",
        "event": event,
        "at": NOON.isoformat() if at is None else at,
        "user": "u7",
        "source": "board",
        "deal": {"id": 42, "stage": stage, "pipeline": 1, **deal},
    }


def signed(content: Any, *, at: datetime = NOON, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    """A body with its headers."""
    body = json.dumps(content).encode()
    return body, headers_of([secret], "msg-1", at, body)
