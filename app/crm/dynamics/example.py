"""A Dynamics connection as the API's document shows it."""

from typing import Any

EXAMPLE: dict[str, Any] = {
    "crm": "dynamics",
    "organization_id": "4ef5b371-e89e-e711-8122-000d3aa2331c",
    "api_url": "https://example.crm4.dynamics.com",
    "pipelines": {
        "all": {
            "process": "b2b-saas",
            "stages": {"0": "demo_scheduled", "2": "demo_completed", "won": "won", "lost": "lost"},
        }
    },
    "fields": {"estimatedvalue": {"field": "amount", "type": "number"}},
    "activities": {"appointment": {"activity": "demo", "outcomes": {"3": "held"}}},
    "people": {"75c2dd85-e89e-e711-8122-000d3aa2331c": {"id": "rep-7", "roles": ["rep"]}},
    "on_failure": "open",
}
