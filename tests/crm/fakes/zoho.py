"""Zoho CRM as crm-facts has it: notifications with a token, channels that expire, a Blueprint, partial saves."""

import json
from datetime import datetime, timedelta
from typing import Any

from app import clock
from app.crm.zoho import ZohoSettings
from tests.crm.fakes.base import Answer, Call, FakeCrm, Sent, route

TOKEN = "TOKEN_FOR_VERIFICATION_OF_1000000068001"
CHANNEL = "1000000068001"
DEAL = "5725767000003000064"
OURS = "5725767000000999999"
OPEN_LISTS = {"Calls": "Calls", "Events": "Events", "Tasks": "Tasks"}
CLOSED_LISTS = {"Calls_Closed": "Calls", "Events_Closed": "Events", "Tasks_Closed": "Tasks"}
"""Related lists by name, with their module. Zoho's own names for the closed ones are not known to us: it tells them."""
_CODES = {401: "INVALID_TOKEN", 403: "NO_PERMISSION", 404: "INVALID_URL_PATTERN", 429: "TOO_MANY_REQUESTS"}


class FakeZoho(FakeCrm):
    """One organisation. With `blueprint` its transitions rule every deal: stage -> stages; `partial` saves in part.

    `hidden` are related lists, or `related_lists` itself, that our user may not read.
    """

    def __init__(self, now: Any = clock.now) -> None:
        super().__init__(now)
        self.deals: dict[str, dict[str, Any]] = {}
        self.history: dict[str, list[dict[str, Any]]] = {}
        self.related: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.webhook = ""
        self.channel_expiry = self.now() + timedelta(days=1)
        self.blueprint: dict[str, list[str]] = {}
        self.partial = False
        self.hidden: set[str] = set()
        self.deleted: list[dict[str, Any]] = []
        self.subscribed = ["Deals"]
        self._next_id = 1000

    # --- what people do in it

    def make_deal(self, deal: str, *, at: datetime, **fields: Any) -> dict[str, Any]:
        """Make a deal. The notification that tells of it."""
        self.deals[deal] = {"id": deal, "Created_Time": iso(at), "Modified_Time": iso(at), "Pipeline": "Standard",
                            "Owner": {"id": "77", "name": "Ana"}, **fields}  # fmt: skip
        self.history[deal] = [self._entry(fields["Stage"], at, "77")] if "Stage" in fields else []
        return self.notification("insert", {deal: fields}, at)

    def change(self, deal: str, *, at: datetime, by: str = "77", **fields: Any) -> dict[str, Any]:
        """Change some fields. The notification that tells of it."""
        one = self.deals[deal]
        if fields.get("Stage", one.get("Stage")) != one.get("Stage"):
            self.history[deal].append(self._entry(fields["Stage"], at, by))
        one.update(fields, Modified_Time=iso(at))
        return self.notification("update", {deal: fields}, at)

    def delete(self, deal: str, *, at: datetime) -> dict[str, Any]:
        """Delete a deal. The notification that tells of it."""
        del self.deals[deal]
        self.deleted.append({"id": deal, "deleted_time": iso(at), "type": "recycle"})
        return self.notification("delete", {deal: {}}, at)

    def add(self, deal: str, module: str, **fields: Any) -> dict[str, Any]:
        """Add a call, a meeting, a task, a note or a contact with a role to a deal."""
        self._next_id += 1
        one = {"id": str(self._next_id), **fields}
        self.related.setdefault((deal, module), []).append(one)
        return one

    def notification(
        self, operation: str, values: dict[str, Any], at: datetime, module: str = "Deals"
    ) -> dict[str, Any]:
        """What Zoho sends, in the shape of its own sample."""
        return {
            "server_time": round(at.timestamp() * 1000), "query_params": {}, "module": module,
            "resource_uri": f"https://www.zohoapis.com/crm/v7/{module}", "ids": list(values), "affected_fields": [],
            "affected_values": [{"record_id": record, "values": one} for record, one in values.items() if one],
            "operation": operation, "channel_id": CHANNEL, "token": TOKEN,
        }  # fmt: skip

    async def tell(self, notification: dict[str, Any]) -> Sent | None:
        """Send a notification; None once the channel has expired: then it is lost."""
        if self.now() >= self.channel_expiry:
            return None
        return await self.send(self.webhook, json.dumps(notification).encode(), {"content-type": "application/json"})

    @staticmethod
    def _entry(stage: str, at: datetime, by: str) -> dict[str, Any]:
        return {"Stage": stage, "Modified_Time": iso(at), "Modified_By": {"id": by, "name": "X"}}

    # --- its API

    def authorised(self, call: Call) -> bool:
        """Zoho's own scheme."""
        return call.headers.get("authorization") == f"Zoho-oauthtoken {self.token}"

    def error(self, status: int, headers: Any) -> Answer:
        """As Zoho words it."""
        code = _CODES.get(status, "INTERNAL_ERROR")
        return Answer(status, {"code": code, "details": {}, "message": "see the docs", "status": "error"}, headers)

    @route("POST", "/oauth/v2/token", free=True)
    def _token(self, call: Call) -> Answer:
        if call.form.get("refresh_token") != "refresh-1":
            return Answer(200, {"error": "invalid_code"})
        return Answer(200, {"access_token": self.token, "expires_in": 3600})

    @route("GET", "/crm/v8/Deals")
    def _list(self, call: Call) -> Answer:
        since = call.headers.get("if-modified-since", "")
        found = [one for one in self.deals.values() if not since or _at(one["Modified_Time"]) > _at(since)]
        return Answer(304) if since and not found else _page(found, call)

    @route("GET", "/crm/v8/Deals/deleted")
    def _deleted(self, call: Call) -> Answer:
        start, limit = (int(call.query["page"]) - 1) * int(call.query["per_page"]), int(call.query["per_page"])
        if not self.deleted:
            return Answer(204)
        more = start + limit < len(self.deleted)
        return Answer(200, {"data": self.deleted[start : start + limit], "info": {"more_records": more}})

    @route("GET", "/crm/v8/settings/related_lists")
    def _lists(self, _call: Call) -> Answer:
        if "related_lists" in self.hidden:
            return self.error(403, {})
        lists = {**OPEN_LISTS, **CLOSED_LISTS}
        told = [{"api_name": name, "type": "default", "module": {"api_name": of}} for name, of in lists.items()]
        grouped = {"api_name": "Activities_Chronological_View", "type": "grouped", "module": None}
        return Answer(200, {"related_lists": [grouped, *told]})

    @route("GET", "/crm/v8/Deals/{deal}")
    def _deal(self, _call: Call, deal: str) -> Answer:
        return Answer(200, {"data": [self.deals[deal]]}) if deal in self.deals else Answer(204)

    @route("PUT", "/crm/v8/Deals/{deal}")
    async def _put(self, call: Call, deal: str) -> Answer:
        if self.blueprint:
            return Answer(400, {"data": [{"code": "RECORD_IN_BLUEPRINT", "status": "error"}]})
        await self._moved(self.change(deal, at=self.now(), by=OURS, **call.json["data"][0]))
        return Answer(200, {"data": [{"code": "SUCCESS", "status": "success"}]})

    @route("GET", "/crm/v8/Deals/{deal}/actions/blueprint")
    def _blueprint(self, _call: Call, deal: str) -> Answer:
        stages = self.blueprint.get(self.deals[deal]["Stage"], [])
        listed = [{"id": f"t-{one}", "name": f"To {one}", "next_field_value": one, "type": "manual"} for one in stages]
        info = {"api_name": "Stage", "field_value": self.deals[deal]["Stage"], "name": "Standard"}
        return Answer(200, {"blueprint": {"process_info": info, "transitions": listed}})

    @route("PUT", "/crm/v8/Deals/{deal}/actions/blueprint")
    async def _transition(self, call: Call, deal: str) -> Answer:
        stage = call.json["blueprint"][0]["transition_id"].removeprefix("t-")
        if self.partial:
            return Answer(200, {"code": "SUCCESS", "message": "transition saved partially", "status": "success"})
        await self._moved(self.change(deal, at=self.now(), by=OURS, Stage=stage))
        return Answer(200, {"code": "SUCCESS", "message": "transition updated successfully", "status": "success"})

    @route("GET", "/crm/v8/Deals/{deal}/Stage_History")
    def _history(self, call: Call, deal: str) -> Answer:
        return self.error(403, {}) if "Stage_History" in self.hidden else _page(self.history[deal][::-1], call)

    @route("GET", "/crm/v8/Deals/{deal}/{module}")
    def _related(self, call: Call, deal: str, module: str) -> Answer:
        if module in self.hidden:
            return self.error(403, {})
        if module not in (*OPEN_LISTS, *CLOSED_LISTS, "Notes", "Contact_Roles"):
            return Answer(400, {"code": "INVALID_DATA", "message": "the relation name given seems to be invalid"})
        return _page(self.related.get((deal, module), []), call)

    @route("POST", "/crm/v8/Deals/{deal}/Notes")
    def _note(self, call: Call, deal: str) -> Answer:
        self.add(deal, "Notes", **call.json["data"][0])
        return Answer(201, {"data": [{"code": "SUCCESS"}]})

    @route("POST", "/crm/v8/Tasks")
    def _task(self, call: Call) -> Answer:
        one = call.json["data"][0]
        self.add(one["What_Id"]["id"], "Tasks", **one)
        return Answer(201, {"data": [{"code": "SUCCESS"}]})

    @route("GET", "/crm/v8/actions/watch")
    def _watched(self, call: Call) -> Answer:
        if call.query["channel_id"] != CHANNEL or self.now() >= self.channel_expiry:
            return Answer(204)
        about = {"channel_id": CHANNEL, "channel_expiry": iso(self.channel_expiry), "notify_url": self.webhook}
        return Answer(200, {"watch": [{**about, "resource_name": one} for one in self.subscribed]})

    @route("PATCH", "/crm/v8/actions/watch")
    def _watch(self, call: Call) -> Answer:
        until = _at(call.json["watch"][0]["channel_expiry"])
        if until > self.now() + timedelta(days=7):
            return Answer(400, {"watch": [{"code": "INVALID_DATA", "status": "error"}]})
        self.channel_expiry = until
        self.subscribed = [one.removesuffix(".all") for one in call.json["watch"][0]["events"]]
        return Answer(200, {"watch": [{"code": "SUCCESS"}]})

    async def _moved(self, notification: dict[str, Any]) -> None:
        if self.webhook:
            await self.tell(notification)


def zoho_settings(**changes: Any) -> ZohoSettings:
    """The settings of a connection to the organisation, for the process `sales`."""
    settings: dict[str, Any] = {
        "crm": "zoho",
        "channel_id": CHANNEL,
        "pipelines": {
            "Standard": {
                "process": "sales",
                "stages": {
                    "Demo": "demo_scheduled", "Shown": "demo_completed", "Closed Won": "won", "Closed Lost": "lost",
                },
            }
        },
        "fields": {
            "Amount": {"field": "amount", "type": "number"}, "Next_Step": {"field": "next_step", "type": "text"},
        },
        "activities": {"Events": {"activity": "demo", "outcomes": {"Held": "held"}}},
        "outcome_property": "Result",
        "contact_roles": {"Buyer": "champion"},
        "people": {"77": {"id": "rep-7", "roles": ["rep"]}},
    }  # fmt: skip
    return ZohoSettings.model_validate(settings | changes)


def iso(at: datetime) -> str:
    """A time as Zoho writes it."""
    return at.astimezone().isoformat(timespec="seconds")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _page(listed: list[dict[str, Any]], call: Call) -> Answer:
    """A page; nothing at all where there is nothing."""
    if not listed:
        return Answer(204)
    start, limit = int(call.query.get("page_token", 0)), int(call.query["per_page"])
    more = start + limit < len(listed)
    info = {"more_records": more, "next_page_token": str(start + limit) if more else None}
    return Answer(200, {"data": listed[start : start + limit], "info": info})
