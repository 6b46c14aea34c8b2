"""One HubSpot account, asked and written to (app/crm/client.py says what a client is)."""

from datetime import datetime
from typing import Any

from app.crm.client import ClientError, Credentials, Keep, Note, Page, Standing, Task, Told
from app.crm.http import Http
from app.crm.hubspot.api import Api, next_page, results
from app.crm.hubspot.reading import DEALS, deal_path, read_deal
from app.crm.hubspot.settings import HubspotSettings
from app.crm.hubspot.words import id_of, moment
from app.crm.hubspot.writing import add_note, add_task, has_text

LISTED = 200
"""Deals on a page, the most that HubSpot's search gives."""
ARCHIVED = 100
"""The same of its lists."""
_ARCHIVED = "archived:"
"""Opens the cursor of a page of deals that are no more."""
_BEYOND = ("client_forbidden", "client_not_found")


class HubspotClient:
    """Reads deals with their versions, activities and contacts; leaves notes and tasks; puts stages back."""

    def __init__(self, settings: HubspotSettings, credentials: Credentials, http: Http, keep: Keep) -> None:
        self._settings = settings
        self._api = Api(settings.api_url, credentials, http, keep)

    async def read_deal(self, object_id: str, now: datetime) -> Told:
        """All that HubSpot holds of a deal."""
        return await read_deal(self._api, self._settings, object_id, now)

    async def list_deals(self, changed_since: datetime | None, cursor: str | None) -> Page:
        """Deals in the order of their ids; all of them: those in a pipeline that is mapped. After those that have
        changed come those that were deleted, which no search finds.

        HubSpot's search ends after 10,000 results, so each page asks for ids beyond those of the last one: there is no
        end to reach, and a deal that changes meanwhile moves no other onto a page that was read.
        """
        if changed_since is not None and cursor is not None and cursor.startswith(_ARCHIVED):
            return await self._archived(changed_since, cursor.removeprefix(_ARCHIVED))
        filters: list[dict[str, Any]] = []
        if changed_since is None:
            pipelines = sorted(self._settings.pipelines)
            filters.append({"propertyName": self._settings.pipeline_property, "operator": "IN", "values": pipelines})
        else:
            since = str(int(changed_since.timestamp() * 1000))
            filters.append({"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": since})
        if cursor is not None:
            filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": cursor})
        sorts = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
        asked = {
            "filterGroups": [{"filters": filters}],
            "sorts": sorts,
            "properties": ["hs_object_id"],
            "limit": LISTED,
        }
        page = await self._api.post(f"{DEALS}/search", asked)
        ids = [one for one in (id_of(found.get("id")) for found in results(page)) if one is not None]
        total = page.get("total")
        known = total if cursor is None and isinstance(total, int) else None
        last = None if changed_since is None else _ARCHIVED
        return Page(tuple(ids), ids[-1] if len(ids) >= LISTED else last, known)

    async def standing(self, object_id: str) -> Standing | None:
        """Where the deal stands now; None when it is gone, or went into another."""
        stage, pipeline = self._settings.stage_property, self._settings.pipeline_property
        deal = await self._api.find(deal_path(object_id), properties=f"{stage},{pipeline}")
        if deal is None:
            return None
        properties = deal.get("properties")
        if id_of(deal.get("id")) != object_id or not isinstance(properties, dict):
            return None
        found = id_of(properties.get(stage))
        return Standing(id_of(properties.get(pipeline)), found) if found is not None else None

    async def has_note(self, object_id: str, marker: str) -> bool:
        """Whether a note with this marker is on the deal."""
        return await has_text(self._api, object_id, "notes", "hs_note_body", marker)

    async def add_note(self, object_id: str, note: Note) -> None:
        """Leave a note on the deal."""
        await add_note(self._api, object_id, note)

    async def has_task(self, object_id: str, marker: str) -> bool:
        """Whether a task with this marker is on the deal, open or done."""
        return await has_text(self._api, object_id, "tasks", "hs_task_body", marker)

    async def add_task(self, object_id: str, task: Task) -> None:
        """Give the owner something to do; where no owner is named, the deal's."""
        await add_task(self._api, object_id, task, self._settings.owner_property)

    async def set_stage(self, object_id: str, target: Standing) -> None:
        """Put the deal into a stage, and into that stage's pipeline."""
        properties = {self._settings.stage_property: target.stage}
        if target.pipeline is not None:
            properties[self._settings.pipeline_property] = target.pipeline
        await self._api.patch(deal_path(object_id), {"properties": properties})

    async def configuration(self) -> dict[str, Any]:
        """Pipelines with stages, properties, owners, contacts' labels, types of activities, as HubSpot writes them."""
        account = await self._optional(self._api.get("/account-info/v3/details"))
        labels = await self._optional(self._api.get("/crm/v4/associations/deals/contacts/labels"))
        types = await self._optional(self._api.get("/crm/v3/properties/meetings/hs_activity_type"))
        owners = [one async for one in self._api.pages("/crm/v3/owners", limit=100)]
        return {
            "portal_id": account.get("portalId"),
            "pipelines": results(await self._api.get("/crm/v3/pipelines/deals")),
            "properties": results(await self._api.get("/crm/v3/properties/deals")),
            "owners": owners,
            "labels": results(labels),
            "activity_types": types.get("options") or [],
        }

    async def renew_channel(self, now: datetime) -> datetime | None:  # noqa: ARG002 - of every client
        """Nothing: an app's subscriptions do not expire."""
        return None

    async def _archived(self, since: datetime, after: str) -> Page:
        """HubSpot lists them in no order of time, and keeps them for ninety days."""
        page = await self._api.get(
            DEALS, archived="true", limit=ARCHIVED, properties="hs_object_id", after=after or None
        )
        found = [(id_of(one.get("id")), moment(one.get("archivedAt"))) for one in results(page)]
        ids = tuple(one for one, at in found if one is not None and (at is None or at >= since))
        following = next_page(page)
        return Page(ids, None if following is None else f"{_ARCHIVED}{following}")

    async def _optional(self, asking: Any) -> dict[str, Any]:
        """What is of help, and may be beyond the token's scopes."""
        try:
            found: dict[str, Any] = await asking
        except ClientError as error:
            if error.code not in _BEYOND:
                raise
            return {}
        return found
