"""A Zoho connection as the API's document shows it."""

from typing import Any

EXAMPLE: dict[str, Any] = {
    "crm": "zoho",
    "channel_id": "1000000068001",
    "pipelines": {
        "Standard (Standard)": {
            "process": "b2b-saas",
            "stages": {"Demo Scheduled": "demo_scheduled", "Closed Won": "won", "Closed Lost": "lost"},
        }
    },
    "fields": {"Amount": {"field": "amount", "type": "number"}},
    "activities": {"Events": {"activity": "demo", "outcomes": {"Held": "held"}}},
    "outcome_property": "Result",
    "people": {"5725767000000411001": {"id": "rep-7", "roles": ["rep"]}},
}
