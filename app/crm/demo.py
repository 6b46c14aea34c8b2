"""The demo's connection: a made-up HubSpot portal whose default pipeline follows the process `b2b-saas`."""

from app.crm.hubspot import HubspotSettings

DEMO_CONNECTION = "hubspot-demo"
DEMO_PORTAL = 5799819


def demo_connection() -> HubspotSettings:
    """Its settings. HubSpot's own stages have names for ids; one that somebody added has a number."""
    return HubspotSettings.model_validate(
        {
            "crm": "hubspot",
            "portal_id": DEMO_PORTAL,
            "pipelines": {
                "default": {
                    "process": "b2b-saas",
                    "stages": {
                        "appointmentscheduled": "new",
                        "qualifiedtobuy": "discovery",
                        "presentationscheduled": "demo_scheduled",
                        "1145311872": "demo_completed",
                        "decisionmakerboughtin": "proposal",
                        "contractsent": "negotiation",
                        "closedwon": "won",
                        "closedlost": "lost",
                    },
                }
            },
            "fields": {
                "amount": {"field": "amount", "type": "number"},
                "closedate": {"field": "close_on", "type": "date"},
                "hs_next_step": {"field": "next_step", "type": "text"},
                "budget_status": {"field": "budget", "type": "choice", "choices": {"Approved": "approved"}},
                "closed_lost_reason": {
                    "field": "lost_reason",
                    "type": "choice",
                    "choices": {"Too expensive": "price", "Not now": "timing", "Lost to competitor": "competitor"},
                },
            },
            "people": {
                "1001": {"id": "ana", "roles": ["rep"]},
                "9001": {"id": "ana", "roles": ["rep"]},
                "1002": {"id": "bo", "roles": ["rep", "sales_manager"]},
            },
        }
    )
