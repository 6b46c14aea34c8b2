"""A Salesforce connection as the API's document shows it."""

from typing import Any

EXAMPLE: dict[str, Any] = {
    "crm": "salesforce",
    "organization_id": "00D000000000062EAA",
    "api_url": "https://example.my.salesforce.com",
    "pipelines": {
        "012000000000001AAA": {
            "process": "b2b-saas",
            "stages": {"Prospecting": "demo_scheduled", "Closed Won": "won", "Closed Lost": "lost"},
        }
    },
    "fields": {"Amount": {"field": "amount", "type": "number"}},
    "activities": {"Demo": {"activity": "demo", "outcomes": {"Held": "held"}}},
    "people": {"005000000000001AAA": {"id": "rep-7", "roles": ["rep"]}},
    "access": {"client_id": "the consumer key of a connected app", "client_secret": "its secret"},
    "remedy": ["note", "task"],
}
