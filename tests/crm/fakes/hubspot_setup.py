"""How the fake HubSpot account is set up, as its API tells; its tokens and its errors."""

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from app import clock
from tests.crm.builders import PORTAL
from tests.crm.fakes.base import Answer, Call, FakeCrm, route

PIPELINES = {"default": ["appointmentscheduled", "qualifiedtobuy", "w", "l"], "renewals": ["due", "won", "lost"]}


class HubspotSetup(FakeCrm):
    """Pipelines, properties, owners, labels. `owners` are their ids, each with its user's."""

    def __init__(self, now: Callable[[], datetime] = clock.now) -> None:
        super().__init__(now)
        self.owners = {"o-77": "77", "9001": "1001"}
        self.policy = "TEN_SECONDLY_ROLLING"

    @route("GET", "/crm/v3/pipelines/deals")
    def pipelines(self, _call: Call) -> Answer:
        """Every pipeline with its stages."""
        closed = {"w": "1.0", "won": "1.0", "l": "0.0", "lost": "0.0"}
        listed = []
        for name, stages in PIPELINES.items():
            shown = [
                {
                    "id": stage,
                    "label": stage.capitalize(),
                    "displayOrder": n,
                    "metadata": {"isClosed": str(stage in closed).lower(), "probability": closed.get(stage, "0.4")},
                }
                for n, stage in enumerate(stages)
            ]
            listed.append({"id": name, "label": f"{name} pipeline", "displayOrder": 0, "stages": shown})
        return Answer(200, {"results": listed})

    @route("GET", "/crm/v3/properties/deals")
    def properties(self, _call: Call) -> Answer:
        """The properties of deals."""
        own = [
            {"name": "amount", "label": "Amount", "type": "number", "hubspotDefined": True},
            {"name": "next_step_text", "label": "Next step", "type": "string", "hubspotDefined": False},
            {"name": "legal_ok", "label": "Legal OK", "type": "bool", "hubspotDefined": False},
        ]
        return Answer(200, {"results": own})

    @route("GET", "/crm/v3/properties/meetings/hs_activity_type")
    def activity_types(self, _call: Call) -> Answer:
        """The types that meetings and calls may have."""
        return Answer(200, {"name": "hs_activity_type", "options": [{"value": "Demo", "label": "Demo"}]})

    @route("GET", "/crm/v3/owners")
    def list_owners(self, call: Call) -> Answer:
        """The owners, one a page."""
        start = int(call.query.get("after", 0))
        owner, user = list(self.owners.items())[start]
        shown = {"id": owner, "userId": int(user), "email": f"rep-{user}@example.com", "archived": False}
        shown |= {"firstName": "Ann", "lastName": "Lee"} if user == "77" else {}
        return Answer(200, {"results": [shown], **paging(start + 1, len(self.owners))})

    @route("GET", "/crm/v4/associations/deals/contacts/labels")
    def labels(self, _call: Call) -> Answer:
        """The labels that a contact may have on a deal."""
        return Answer(200, {"results": [{"typeId": 3, "label": None}, {"typeId": 36, "label": "Champion"}]})

    @route("GET", "/account-info/v3/details")
    def account(self, _call: Call) -> Answer:
        """The account."""
        return Answer(200, {"portalId": PORTAL, "timeZone": "Europe/Rome"})

    @route("POST", "/oauth/v1/token", free=True)
    def renew(self, call: Call) -> Answer:
        """A new access token for a refresh token."""
        wanted = {"grant_type": "refresh_token", "refresh_token": "refresh-1", "client_id": "c", "client_secret": "s"}
        if call.form != wanted:
            return Answer(400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"})
        return Answer(200, {"access_token": self.token, "refresh_token": "refresh-1", "expires_in": 1800})

    def error(self, status: int, headers: Mapping[str, str]) -> Answer:
        """An error as HubSpot writes it."""
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            limit = {"policyName": self.policy, "errorType": "RATE_LIMIT", "message": "You have reached your limit."}
            return Answer(status, {"status": "error", **limit}, headers)
        return self.refusal(status, "ERROR", f"error {status}")._replace(headers=headers)

    def refusal(self, status: int, category: str, message: str) -> Answer:
        """An error of a category."""
        return Answer(status, {"status": "error", "category": category, "message": message, "correlationId": "c-1"})


def paging(start: int, total: int) -> dict[str, Any]:
    """Where the next page begins, if there is one."""
    return {"paging": {"next": {"after": str(start)}}} if start < total else {}
