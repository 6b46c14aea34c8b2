"""A HubSpot connection as the API's document shows it."""

from typing import Any

EXAMPLE: dict[str, Any] = {
    "crm": "hubspot",
    "portal_id": 5799819,
    "pipelines": {
        "default": {
            "process": "b2b-saas",
            "stages": {"presentationscheduled": "demo_scheduled", "closedwon": "won", "closedlost": "lost"},
        }
    },
    "fields": {"amount": {"field": "amount", "type": "number"}},
    "people": {"1001": {"id": "rep-7", "roles": ["rep"]}, "9001": {"id": "rep-7", "roles": ["rep"]}},
}
