"""HubSpot, played: its API over HTTP, and webhooks in no order, doubled, signed with v3 and v1.

Tests put deals, activities and people in with `add_…`, change them as people do with `change`, and have what happened
told with `deliver`. What comes by the API is told too, with the source INTEGRATION.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any

from app import clock
from app.crm.hubspot.signature import OLD_SIGNATURE, OLD_VERSION, SIGNATURE, TIMESTAMP, sign, sign_v1
from tests.crm.builders import PORTAL, SECRET, milliseconds
from tests.crm.fakes.base import Answer, Call, Sent, route
from tests.crm.fakes.hubspot_objects import Associations, Thing, iso
from tests.crm.fakes.hubspot_setup import PIPELINES, HubspotSetup, paging

APP_ID = "186886"
KINDS = ("deals", "contacts", "meetings", "calls", "emails", "tasks", "notes")
MOST_EVENTS = 100
RETRIES = 10
SEARCH_ENDS = 10_000
CRM_UI = "CRM_UI"


class FakeHubspot(HubspotSetup):
    """One HubSpot account."""

    def __init__(self, now: Callable[[], datetime] = clock.now, *, secret: str = SECRET) -> None:
        super().__init__(now)
        self.secret = secret
        self.things: dict[str, dict[str, Thing]] = {kind: {} for kind in KINDS}
        self.associations = Associations()
        self.merged: dict[str, str] = {}
        self.archived: dict[str, dict[str, Any]] = {}
        self.forbidden: set[str] = set()
        self.page_size = 500
        self.waiting: list[dict[str, Any]] = []
        self._last = datetime.min.replace(tzinfo=now().tzinfo)
        self._ids = 332507367155

    # --- what people do

    def add_deal(self, stage: str = "appointmentscheduled", *, pipeline: str = "default", **properties: str) -> str:
        """Make a deal."""
        at = self._tick()
        deal = self._new("deals", at)
        self._tell(deal.id, "deal.creation", at, changeFlag="CREATED", changeSource=CRM_UI)
        self._set(deal, {"pipeline": pipeline, "dealstage": stage, **properties}, at, _person("77"))
        return deal.id

    def change(self, deal: str, *, by: str = "77", **properties: str | None) -> datetime:
        """Change a deal in HubSpot's own pages, all at one instant."""
        at = self._tick()
        self._set(self.things["deals"][deal], properties, at, _person(by))
        return at

    def add_activity(self, kind: str, deal: str, *, contacts: Iterable[str] = (), **properties: str) -> str:
        """Log an activity on a deal."""
        at = self._tick()
        thing = self._new(kind, at)
        for name, value in properties.items():
            thing.set(name, value, at, _person("77"))
        self.associations.add(("deals", deal), (kind, thing.id))
        for contact in contacts:
            self.associations.add((kind, thing.id), ("contacts", contact))
        self._tell_association(deal, thing.id)
        return thing.id

    def edit(self, kind: str, own_id: str, **properties: str) -> None:
        """Change an activity or a contact; no deal's webhook tells of it."""
        at = self._tick()
        for name, value in properties.items():
            self.things[kind][own_id].set(name, value, at, _person("77"))

    def add_contact(self, deal: str, *, labels: Iterable[str] = (), **properties: str) -> str:
        """Put somebody on a deal."""
        at = self._tick()
        contact = self._new("contacts", at)
        for name, value in properties.items():
            contact.set(name, value, at, _person("77"))
        self.associations.add(("deals", deal), ("contacts", contact.id), labels)
        self._tell_association(deal, contact.id, "DEAL_TO_CONTACT")
        return contact.id

    def delete(self, deal: str) -> None:
        """Delete a deal."""
        at = self._tick()
        self.archived[deal] = self.things["deals"].pop(deal).shown([]) | {"archived": True, "archivedAt": iso(at)}
        self._tell(deal, "deal.deletion", at, changeFlag="DELETED", changeSource=CRM_UI)

    def merge(self, primary: str, *merged: str) -> None:
        """Let deals go into another, which has all of their histories then, and its own values."""
        kept, at = self.things["deals"][primary], self._tick()
        own = {name: kept.get(name) for name in kept.versions}
        for one in merged:
            for name, versions in self.things["deals"].pop(one).versions.items():
                both = [*kept.versions.get(name, []), *versions]
                kept.versions[name] = sorted(both, key=lambda version: str(version["timestamp"]), reverse=True)
            self.merged[one] = primary
        for name, value in {**own, "hs_merged_object_ids": ";".join(merged)}.items():
            kept.set(name, value, at, {"sourceType": "MERGE_OBJECTS", "sourceId": None})
        told = {"primaryObjectId": int(primary), "mergedObjectIds": [int(one) for one in merged]}
        self._tell(primary, "deal.merge", self._tick(), **told, changeSource=CRM_UI)

    # --- webhooks

    async def deliver(self, url: str, *, shuffle: Random | None = None, copies: int = 1) -> list[Sent]:
        """Tell everything that waits, again and again until it is taken, ten times at most."""
        events, self.waiting = self.waiting * copies, []
        if shuffle is not None:
            shuffle.shuffle(events)
        sent: list[Sent] = []
        for start in range(0, len(events), MOST_EVENTS):
            for attempt in range(1 + RETRIES):
                batch = [{**event, "attemptNumber": attempt} for event in events[start : start + MOST_EVENTS]]
                body = json.dumps(batch).encode()
                sent.append(await self.send(url, body, self.signed(url, body)))
                if sent[-1].status in range(200, 300):
                    break
        return sent

    def signed(self, url: str, body: bytes) -> dict[str, str]:
        """The headers of a delivery."""
        timestamp = str(milliseconds(self.now()))
        return {
            "content-type": "application/json",
            TIMESTAMP: timestamp,
            SIGNATURE: sign(self.secret, "POST", url, body, timestamp),
            OLD_VERSION: "v1",
            OLD_SIGNATURE: sign_v1(self.secret, body),
        }

    # --- the API: deals

    @route("GET", "/crm/v3/objects/deals/{deal}")
    def get_deal(self, call: Call, deal: str) -> Answer:
        """A deal; one that was merged is found under its old id."""
        thing = self.things["deals"].get(self.merged.get(deal, deal))
        if thing is None:
            return self._not_found(deal)
        asked = [call.query.get(name, "").split(",") for name in ("properties", "propertiesWithHistory")]
        return Answer(200, thing.shown(*asked))

    @route("GET", "/crm/v3/objects/deals")
    def list_archived(self, call: Call) -> Answer:
        """Deals that were deleted, in no order of time."""
        assert call.query["archived"] == "true"
        start, size = int(call.query.get("after", 0)), min(int(call.query["limit"]), 100)
        shown = list(self.archived.values())[start : start + size]
        return Answer(200, {"results": shown, **paging(start + size, len(self.archived))})

    @route("PATCH", "/crm/v3/objects/deals/{deal}")
    def patch_deal(self, call: Call, deal: str) -> Answer:
        """Write properties; a stage must be one of its pipeline."""
        thing = self.things["deals"].get(deal)
        if thing is None:
            return self._not_found(deal)
        properties = call.json["properties"]
        pipeline = properties.get("pipeline", thing.get("pipeline"))
        if properties.get("dealstage", thing.get("dealstage")) not in PIPELINES[pipeline]:
            return self.refusal(400, "VALIDATION_ERROR", f"{properties} is not a stage of {pipeline}")
        self._set(thing, properties, self._tick(), {"sourceType": "INTEGRATION", "sourceId": APP_ID})
        return Answer(200, thing.shown(properties))

    @route("POST", "/crm/v3/objects/deals/search")
    def search(self, call: Call) -> Answer:
        """Deals by their properties, a page at a time and 10,000 at most."""
        asked = call.json
        filters = [one for group in asked["filterGroups"] for one in group["filters"]]
        found = [one for one in self.things["deals"].values() if all(one.matches(each) for each in filters)]
        found.sort(key=lambda one: int(one.id))
        start, limit = int(asked.get("after", 0)), asked["limit"]
        if start + limit > SEARCH_ENDS:
            return self.refusal(400, "VALIDATION_ERROR", "There was a problem with the request: 10,000 at most")
        shown = [one.shown(asked["properties"]) for one in found[start : start + limit]]
        return Answer(200, {"total": len(found), "results": shown, **paging(start + limit, len(found))})

    # --- the API: what is on them

    @route("GET", "/crm/v4/objects/deals/{deal}/associations/{kind}")
    def associated(self, call: Call, deal: str, kind: str) -> Answer:
        """What of a kind is on a deal."""
        if kind in self.forbidden:
            return self.refusal(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes")
        found = self.associations.of("deals", deal, kind)
        start, size = int(call.query.get("after", 0)), min(int(call.query["limit"]), self.page_size)
        return Answer(200, {"results": found[start : start + size], **paging(start + size, len(found))})

    @route("POST", "/crm/v3/objects/{kind}/batch/read")
    def batch_read(self, call: Call, kind: str) -> Answer:
        """Many objects; what is not there is told among the errors."""
        asked = [one["id"] for one in call.json["inputs"]]
        if len(asked) > MOST_EVENTS:
            return self.refusal(400, "VALIDATION_ERROR", "100 inputs at most")
        found = [self.things[kind][one].shown(call.json["properties"]) for one in asked if one in self.things[kind]]
        gone = len(asked) - len(found)
        errors = {"numErrors": gone, "errors": [{"category": "OBJECT_NOT_FOUND"}]} if gone else {}
        return Answer(207 if gone else 200, {"status": "COMPLETE", "results": found, **errors})

    @route("POST", "/crm/v4/associations/{kind}/contacts/batch/read")
    def batch_associated(self, call: Call, kind: str) -> Answer:
        """The contacts of many activities."""
        pairs = [(one["id"], self.associations.of(kind, one["id"], "contacts")) for one in call.json["inputs"]]
        return Answer(200, {"results": [{"from": {"id": one}, "to": found} for one, found in pairs if found]})

    @route("POST", "/crm/v3/objects/{kind}")
    def create(self, call: Call, kind: str) -> Answer:
        """A note or a task on a deal."""
        properties = call.json["properties"]
        if "hs_timestamp" not in properties:
            return self.refusal(400, "VALIDATION_ERROR", "hs_timestamp is required")
        if properties.get("hubspot_owner_id", "o-77") not in self.owners:
            return self.refusal(400, "VALIDATION_ERROR", "hubspot_owner_id is no owner")
        thing = self._new(kind, self._tick())
        for name, value in properties.items():
            thing.set(name, value, thing.created_at, {"sourceType": "INTEGRATION", "sourceId": APP_ID})
        for one in call.json["associations"]:
            wanted = {"notes": 214, "tasks": 216}[kind]
            if [each["associationTypeId"] for each in one["types"]] == [wanted]:
                self.associations.add(("deals", one["to"]["id"]), (kind, thing.id))
        return Answer(201, thing.shown(properties))

    async def answer(self, call: Call) -> Answer | None:
        """Every answer is dated."""
        found = await super().answer(call)
        dated = {"date": format_datetime(self.now(), usegmt=True)}
        return None if found is None else found._replace(headers={**dated, **found.headers})

    # --- inside

    def _not_found(self, deal: str) -> Answer:
        return self.refusal(404, "OBJECT_NOT_FOUND", f"Object not found. objectId {deal}")

    def _new(self, kind: str, at: datetime) -> Thing:
        self._ids += 1
        self.things[kind][str(self._ids)] = thing = Thing(str(self._ids), at)
        return thing

    def _tick(self) -> datetime:
        """An instant that no other thing happens at, in whole milliseconds."""
        now = self.now()
        self._last = max(now - timedelta(microseconds=now.microsecond % 1000), self._last + timedelta(milliseconds=1))
        return self._last

    def _set(self, thing: Thing, properties: Mapping[str, str | None], at: datetime, source: dict[str, Any]) -> None:
        for name, value in properties.items():
            if value == thing.get(name):
                continue
            thing.set(name, value, at, source)
            told = {"propertyName": name, "propertyValue": value or ""}
            about = {"changeSource": source["sourceType"], "sourceId": source["sourceId"]}
            self._tell(thing.id, "deal.propertyChange", at, **told, **about)

    def _tell_association(self, deal: str, other: str, named: str = "DEAL_TO_ENGAGEMENT") -> None:
        ends = {"fromObjectId": int(deal), "toObjectId": int(other), "associationType": named}
        self._tell(None, "deal.associationChange", self._tick(), **ends, associationRemoved=False)

    def _tell(self, deal: str | None, happened: str, at: datetime, **more: Any) -> None:
        about = {} if deal is None else {"objectId": int(deal)}
        own = {"eventId": len(self.waiting) % 3, "subscriptionId": 1, "portalId": PORTAL, "appId": int(APP_ID)}
        self.waiting.append({**about, **own, "occurredAt": milliseconds(at), "subscriptionType": happened, **more})


def _person(user: str) -> dict[str, Any]:
    return {"sourceType": CRM_UI, "sourceId": f"userId:{user}", "updatedByUserId": int(user)}
