"""Pipedrive as crm-facts has it: webhooks of both versions with Basic auth, a changelog, activities, notes, people."""

import asyncio
import base64
import copy
import json
from datetime import datetime, timedelta
from typing import Any

from app import clock
from app.crm.pipedrive import PipedriveSettings
from tests.crm.fakes.base import Answer, Call, FakeCrm, Sent, route

COMPANY = "12345678"
USER, PASSWORD = "stagerail", "a webhook's password"
OURS = 900
RETRIES = (3.0, 30.0, 150.0)
BAN_AFTER = 10
BAN = timedelta(minutes=30)


class FakePipedrive(FakeCrm):
    """One company. `url_of_webhook` is where it tells of changes, as version `version`; retries wait `pause` times."""

    def __init__(self, now: Any = clock.now) -> None:
        super().__init__(now)
        self.deals: dict[int, dict[str, Any]] = {}
        self.changelog: dict[int, list[dict[str, Any]]] = {}
        self.activities: dict[int, dict[str, Any]] = {}
        self.notes: list[dict[str, Any]] = []
        self.persons: dict[int, dict[str, Any]] = {}
        self.participants: dict[int, list[int]] = {}
        self.webhook = ""
        self.version = 2
        self.failures = 0
        self.banned_until: datetime | None = None
        self._next_id = 1000

    # --- what people do in it

    def make_deal(self, deal: int, *, at: datetime, **fields: Any) -> list[dict[str, Any]]:
        """Make a deal. The webhook that tells of it."""
        self.deals[deal] = {
            "id": deal, "title": f"deal {deal}", "status": "open", "pipeline_id": 1, "owner_id": 77, "person_id": None,
            "add_time": _iso(at), "update_time": _iso(at), "custom_fields": {}, **fields,
        }  # fmt: skip
        self.changelog[deal] = []
        return [self._webhook("create", deal, {}, at)]

    def change(
        self, deal: int, *, at: datetime, by: int = 77, source: str = "app", **fields: Any
    ) -> list[dict[str, Any]]:
        """Change some fields of a deal. The webhook that tells of it; none where nothing changed."""
        one = self.deals[deal]
        previous = {name: one.get(name) for name, value in fields.items() if one.get(name) != value}
        if not previous:
            return []
        for name, was in previous.items():
            old, new = (None if value is None else str(value) for value in (was, fields[name]))
            entry = {"field_key": name, "old_value": old, "new_value": new, "actor_user_id": by}
            self.changelog[deal].append({**entry, "change_source": source, "time": f"{at:%Y-%m-%d %H:%M:%S}"})
        previous["update_time"] = one["update_time"]
        one.update(fields, update_time=_iso(at))
        return [self._webhook("change", deal, previous, at, by=by, source=source)]

    def change_all(self, deals: list[int], *, at: datetime, **fields: Any) -> list[dict[str, Any]]:
        """Change several deals at once in the list view. A webhook for each."""
        told = [webhook for deal in deals for webhook in self.change(deal, at=at, **fields)]
        for webhook in told:
            webhook["meta"]["is_bulk_edit"] = True
        return told

    def delete(self, deal: int, *, at: datetime) -> dict[str, Any]:
        """Delete a deal. The webhook that tells of it."""
        webhook = self._webhook("delete", deal, {}, at)
        self.deals[deal].update(is_deleted=True, status="deleted", update_time=_iso(at))
        return {**webhook, "data": None, "previous": webhook["data"]}

    def merge(self, deal: int, into: int, *, at: datetime) -> list[dict[str, Any]]:
        """Merge one deal into another. The webhooks that tell of it: the one is deleted, the other changed."""
        gone = self.delete(deal, at=at)
        gone["meta"]["merged_to_id"] = str(into)
        kept = self._webhook("change", into, {"update_time": self.deals[into]["update_time"]}, at)
        kept["meta"]["merged_from_id"] = str(deal)
        return [gone, kept]

    def add_activity(self, deal: int, *, at: datetime, **fields: Any) -> dict[str, Any]:
        """Add an activity to a deal. The webhook that tells of it."""
        self._next_id += 1
        one = {"id": self._next_id, "deal_id": deal, "type": "meeting", "done": True, "owner_id": 77,
               "participants": [], "due_date": f"{at:%Y-%m-%d}", "due_time": f"{at:%H:%M}",
               "marked_as_done_time": _iso(at), "update_time": _iso(at), **fields}  # fmt: skip
        self.activities[one["id"]] = one
        meta = self._meta("create", "activity", one["id"], at)
        return {"meta": meta, "data": copy.deepcopy(one), "previous": None}

    def _webhook(
        self, action: str, deal: int, previous: dict[str, Any], at: datetime, *, by: int = 77, source: str = "app"
    ) -> dict[str, Any]:
        data = copy.deepcopy(self.deals[deal])
        meta = self._meta(action, "deal", deal, at, by=by, source=source)
        return {"meta": meta, "data": data, "previous": previous or None}

    def _meta(
        self, action: str, entity: str, entity_id: int, at: datetime, *, by: int = 77, source: str = "app"
    ) -> dict[str, Any]:
        return {"action": action, "entity": entity, "company_id": COMPANY, "entity_id": str(entity_id),
                "correlation_id": f"c-{len(self.sent)}", "id": f"e-{action}-{entity_id}-{_iso(at)}",
                "is_bulk_edit": False, "timestamp": _iso(at), "type": "general", "user_id": str(by), "version": "2.0",
                "webhook_id": "99", "change_source": source, "attempt": 1, "host": "company.pipedrive.com",
                "permitted_user_ids": [str(by)]}  # fmt: skip

    # --- webhooks

    async def tell(self, webhook: dict[str, Any], *, pause: float = 0.0) -> list[Sent]:
        """Send a webhook, and again after 3, 30 and 150 seconds until it is accepted; while banned, it is lost.

        A second lasts `pause` seconds.
        """
        if self.banned_until is not None and self.now() < self.banned_until:
            return []
        tries = []
        for attempt, wait in enumerate((0.0, *RETRIES)):
            await asyncio.sleep(wait * pause)
            body = copy.deepcopy(webhook if self.version == 2 else as_v1(webhook, attempt))
            if self.version == 2:
                body["meta"]["attempt"] = attempt + 1
            tries.append(await self.send(self.webhook, json.dumps(body).encode(), basic()))
            if 200 <= tries[-1].status < 300:
                break
            if attempt == 0:
                self.failures += 1
                if self.failures >= BAN_AFTER:
                    self.banned_until = self.now() + BAN
        return tries

    # --- its API

    def authorised(self, call: Call) -> bool:
        """An API token, or a bearer."""
        return call.headers.get("x-api-token") == self.token or super().authorised(call)

    def error(self, status: int, headers: Any) -> Answer:
        """As Pipedrive words it."""
        return Answer(status, {"success": False, "error": f"error {status}", "error_info": "see the docs"}, headers)

    @route("POST", "/oauth/token", free=True)
    def _token(self, call: Call) -> Answer:
        if call.headers.get("authorization") != basic("c", "s")["authorization"]:
            return Answer(401, {"error": "invalid_client"})
        if call.form.get("refresh_token") != "refresh-1":
            return Answer(400, {"error": "invalid_grant"})
        return Answer(200, {"access_token": self.token, "refresh_token": "refresh-1", "token_type": "Bearer"})

    @route("GET", "/api/v2/pipelines")
    def _pipelines(self, call: Call) -> Answer:
        return _page([{"id": 1, "name": "Sales"}], call)

    @route("GET", "/api/v2/stages")
    def _stages(self, call: Call) -> Answer:
        return _page([{"id": 1, "name": "Demo scheduled", "pipeline_id": 1, "order_nr": 1}], call)

    @route("GET", "/v1/dealFields")
    @route("GET", "/v1/users")
    def _none(self, _call: Call) -> Answer:
        return Answer(200, {"success": True, "data": None})

    @route("GET", "/v1/activityTypes")
    def _types(self, _call: Call) -> Answer:
        kinds = [{"id": 1, "name": "Demo", "key_string": "demo", "active_flag": True}]
        return Answer(200, {"success": True, "data": kinds})

    @route("GET", "/v1/users/me")
    def _me(self, _call: Call) -> Answer:
        return Answer(200, {"success": True, "data": {"id": OURS, "company_id": int(COMPANY)}})

    @route("GET", "/api/v2/deals")
    def _deals(self, call: Call) -> Answer:
        since = call.query.get("updated_since", "")
        status = call.query.get("status", "open,won,lost").split(",")
        found = (one for one in self.deals.values() if one["update_time"] >= since and one["status"] in status)
        listed = sorted(found, key=lambda one: one["id"])
        return _page(listed, call)

    @route("GET", "/api/v2/deals/{deal}")
    def _deal(self, _call: Call, deal: str) -> Answer:
        one = self.deals.get(int(deal))
        return self.error(404, {}) if one is None else Answer(200, {"success": True, "data": one})

    @route("PATCH", "/api/v2/deals/{deal}")
    async def _patch(self, call: Call, deal: str) -> Answer:
        if int(deal) not in self.deals:
            return self.error(404, {})
        told = self.change(int(deal), at=self.now(), by=OURS, source="api", **call.json)
        for webhook in told if self.webhook else []:
            await self.tell(webhook)
        return Answer(200, {"success": True, "data": self.deals[int(deal)]})

    @route("GET", "/v1/deals/{deal}/changelog")
    def _changes(self, call: Call, deal: str) -> Answer:
        return _page(list(reversed(self.changelog[int(deal)])), call)

    @route("GET", "/v1/deals/{deal}/participants")
    def _people(self, _call: Call, deal: str) -> Answer:
        people = self.participants.get(int(deal), [])
        data = [{"id": 10 + one, "person_id": {"value": one, "name": "X"}} for one in people]
        return Answer(200, {"success": True, "data": data or None, "additional_data": {"pagination": {}}})

    @route("GET", "/api/v2/persons/{person}")
    def _person(self, _call: Call, person: str) -> Answer:
        one = self.persons.get(int(person))
        return self.error(404, {}) if one is None else Answer(200, {"success": True, "data": one})

    @route("GET", "/api/v2/activities")
    def _activities(self, call: Call) -> Answer:
        deal = int(call.query["deal_id"])
        return _page([one for one in self.activities.values() if one["deal_id"] == deal], call)

    @route("POST", "/api/v2/activities")
    def _add_activity(self, call: Call) -> Answer:
        self._next_id += 1
        one = {"id": self._next_id, "done": False, "update_time": _iso(self.now()), **call.json}
        self.activities[one["id"]] = one
        return Answer(201, {"success": True, "data": one})

    @route("GET", "/v1/notes")
    def _notes(self, call: Call) -> Answer:
        own = [one for one in self.notes if one["deal_id"] == int(call.query["deal_id"])]
        start, limit = int(call.query["start"]), int(call.query["limit"])
        more = {"more_items_in_collection": start + limit < len(own), "next_start": start + limit}
        paging = {"additional_data": {"pagination": more}}
        return Answer(200, {"success": True, "data": own[start : start + limit] or None, **paging})

    @route("POST", "/v1/notes")
    def _add_note(self, call: Call) -> Answer:
        self.notes.append(call.json)
        return Answer(201, {"success": True, "data": call.json})


def pipedrive_settings(**changes: Any) -> PipedriveSettings:
    """The settings of a connection to the company, for the process `sales`."""
    settings: dict[str, Any] = {
        "crm": "pipedrive",
        "company_id": COMPANY,
        "pipelines": {
            "1": {
                "process": "sales",
                "stages": {"1": "demo_scheduled", "2": "demo_completed", "won": "won", "lost": "lost"},
            }
        },
        "fields": {"value": {"field": "amount", "type": "number"}, "ab12": {"field": "next_step", "type": "text"}},
        "activities": {"meeting": {"activity": "demo", "outcomes": {"Held": "held"}}},
        "outcome_property": "result",
        "people": {"77": {"id": "rep-7", "roles": ["rep"]}},
    }
    return PipedriveSettings.model_validate(settings | changes)


def basic(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    """The headers of a webhook."""
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"content-type": "application/json", "authorization": f"Basic {token}"}


def as_v1(webhook: dict[str, Any], retry: int = 0) -> dict[str, Any]:
    """The same as version 1 tells it: numbers for ids, seconds for the time, custom fields among the others; and all
    that was before, not what has changed alone.
    """
    meta, entity = webhook["meta"], webhook["meta"]["entity"]
    action = {"create": "added", "change": "updated", "delete": "deleted"}[meta["action"]]
    seconds = int(datetime.fromisoformat(meta["timestamp"]).timestamp())

    def flat(data: dict[str, Any] | None) -> dict[str, Any] | None:
        if data is None:
            return None
        custom = {
            key: one["value"] if isinstance(one, dict) else one for key, one in data.get("custom_fields", {}).items()
        }
        owner = {"user_id": data["owner_id"]} if "owner_id" in data else {}
        kept = {key: one for key, one in data.items() if key not in ("custom_fields", "owner_id")}
        return {**kept, **owner, **custom}

    now, before = flat(webhook["data"]), flat(webhook["previous"])
    return {
        "v": 1, "event": f"{action}.{entity}", "retry": retry, "current": now,
        "previous": None if before is None else {**(now or {}), **before},
        "meta": {"v": 1, "action": action, "object": entity, "id": int(meta["entity_id"]), "timestamp": seconds,
                 "company_id": int(meta["company_id"]), "user_id": int(meta["user_id"]), "change_source": "app",
                 "is_bulk_update": meta["is_bulk_edit"], "host": meta["host"]},
    }  # fmt: skip


def _page(listed: list[dict[str, Any]], call: Call) -> Answer:
    start, limit = int(call.query.get("cursor") or 0), int(call.query.get("limit", 100))
    cursor = str(start + limit) if start + limit < len(listed) else None
    data = listed[start : start + limit]
    return Answer(200, {"success": True, "data": data or None, "additional_data": {"next_cursor": cursor}})


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
