"""A Pipedrive connection as the API's document shows it."""

from typing import Any

EXAMPLE: dict[str, Any] = {
    "crm": "pipedrive",
    "company_id": "12345678",
    "pipelines": {"1": {"process": "b2b-saas", "stages": {"3": "demo_scheduled", "won": "won", "lost": "lost"}}},
    "fields": {"value": {"field": "amount", "type": "number"}},
    "activities": {"demo": {"activity": "demo", "outcomes": {"Took place": "held"}}},
    "people": {"18487521": {"id": "rep-7", "roles": ["rep"]}},
    "access": {"api_token": "the API token of a user of ours"},
    "remedy": ["note", "task"],
}
