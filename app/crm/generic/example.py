"""A generic connection as the API's document shows it."""

from typing import Any

EXAMPLE: dict[str, Any] = {
    "crm": "generic",
    "stage_property": "/deal/stage",
    "owner_property": "/deal/owner",
    "pipelines": {
        "all": {"process": "b2b-saas", "stages": {"Demo booked": "demo_scheduled", "Won": "won", "Lost": "lost"}}
    },
    "fields": {"/deal/amount": {"field": "amount", "type": "number"}},
    "activities": {"demo": {"activity": "demo", "outcomes": {"Took place": "held"}}},
    "people": {"17": {"id": "rep-7", "roles": ["rep"]}},
    "deliveries": {
        "id": "/deal/id",
        "at": "/occurred_at",
        "event_id": "/id",
        "kind": "/event",
        "kinds": {"deal.created": "created", "deal.updated": "changed", "deal.deleted": "deleted"},
        "changed_by": "/user/id",
        "activities": {"items": "/deal/activities", "statuses": {"completed": "done", "scheduled": "planned"}},
    },
}
