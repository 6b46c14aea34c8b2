"""One Salesforce organisation, asked and written to (app/crm/client.py says what a client is)."""

from datetime import datetime
from typing import Any

from app.crm.client import ClientError, Credentials, Keep, Note, Page, Standing, Task, Told
from app.crm.http import Http
from app.crm.reading import id_or_none
from app.crm.salesforce.api import Rest, instant, quoted
from app.crm.salesforce.ids import id_in
from app.crm.salesforce.reading import read_deal
from app.crm.salesforce.settings import SalesforceSettings

LISTED = 200
_TITLE, _SUBJECT, _TEXT = 80, 255, 32_000
_BEYOND = ("client_forbidden", "client_unknown_thing", "client_not_found", "client_refused")


class SalesforceClient:
    """Reads opportunities with their histories, activities and contacts; leaves notes and tasks; puts stages back."""

    def __init__(self, settings: SalesforceSettings, credentials: Credentials, http: Http, keep: Keep) -> None:
        self._settings = settings
        self._rest = Rest(settings, credentials, http, keep)

    async def read_deal(self, object_id: str, now: datetime) -> Told:
        """All that Salesforce holds of a deal."""
        return await read_deal(self._rest, self._settings, object_id, now)

    async def list_deals(self, changed_since: datetime | None, cursor: str | None) -> Page:
        """Deals in the order of their ids: one that changes meanwhile moves no other onto a page that was read.

        Among those that have changed are those that were deleted: no outbound message tells of that.
        """
        deleted = changed_since is not None
        since = [] if changed_since is None else [f"SystemModstamp >= {instant(changed_since)}"]
        beyond = [] if cursor is None else [f"Id > {quoted(cursor)}"]
        total = await self._rest.count("Opportunity", " AND ".join(since), deleted=deleted) if cursor is None else None
        where, order = " AND ".join((*since, *beyond)), f"ORDER BY Id LIMIT {LISTED}"
        rows = [one async for one in self._rest.rows(("Id",), "Opportunity", where, order, deleted=deleted)]
        ids = [one for one in (id_in(row.get("Id")) for row in rows) if one is not None]
        return Page(tuple(ids), ids[-1] if len(rows) >= LISTED else None, total)

    async def standing(self, object_id: str) -> Standing | None:
        """Its record type and stage."""
        row = await self._row(object_id)
        stage = None if row is None else id_or_none(row.get(self._settings.stage_property))
        if row is None or stage is None:
            return None
        return Standing(id_or_none(row.get(self._settings.pipeline_property)), stage)

    async def has_note(self, object_id: str, marker: str) -> bool:
        """Whether a note with this marker is on the deal. Texts as long cannot be searched for: they are read."""
        rows = self._rest.rows(("Id", "Body"), "Note", f"ParentId = {_id(object_id)}")
        return any([marker in str(one.get("Body")) async for one in rows])

    async def add_note(self, object_id: str, note: Note) -> None:
        """Leave a note on the deal (`Note`, among Notes & Attachments)."""
        text = _marked(note.text, note.marker)
        body = {"ParentId": id_in(object_id), "Title": text.partition("\n")[0][:_TITLE], "Body": text}
        await self._rest.call("POST", "/sobjects/Note", body)

    async def has_task(self, object_id: str, marker: str) -> bool:
        """Whether a task with this marker is on the deal, open or done."""
        rows = self._rest.rows(("Id", "Description"), "Task", f"WhatId = {_id(object_id)}")
        return any([marker in str(one.get("Description")) async for one in rows])

    async def add_task(self, object_id: str, task: Task) -> None:
        """Give the owner something to do. One who cannot have tasks gets none: it is left to whoever we are."""
        body: dict[str, Any] = {
            "WhatId": id_in(object_id), "Subject": task.subject[:_SUBJECT], "ActivityDate": task.due.isoformat(),
            "Description": _marked(task.text, task.marker),
        }  # fmt: skip
        owner = id_in(task.owner)
        if owner is None:
            row = await self._row(object_id)
            owner = None if row is None else id_in(row.get(self._settings.owner_property))
        try:
            await self._rest.call("POST", "/sobjects/Task", {**body, "OwnerId": owner} if owner else body)
        except ClientError as error:
            if owner is None or error.code not in ("client_refused", "client_not_found"):
                raise
            await self._rest.call("POST", "/sobjects/Task", body)

    async def set_stage(self, object_id: str, target: Standing) -> None:
        """Put the deal into a stage, and into that stage's record type; and see that it is there.

        Salesforce answers with success also where a flow or trigger of its own has put the deal elsewhere at once.
        """
        body = {self._settings.stage_property: target.stage}
        before = await self.standing(object_id)
        if before is not None and target.pipeline is not None and target.pipeline != before.pipeline:
            body[self._settings.pipeline_property] = target.pipeline
        await self._rest.call("PATCH", f"/sobjects/Opportunity/{id_in(object_id)}", body)
        after = await self.standing(object_id)
        if after is None or after.stage != target.stage:
            raise ClientError("client_without_effect", again=False)

    async def configuration(self) -> dict[str, Any]:
        """Stages, record types with the stages that each has, fields, users, the organisation."""
        stages = ("ApiName", "MasterLabel", "IsClosed", "IsWon", "SortOrder")
        types = await self._rest.known(("Id", "Name"), "RecordType", "SobjectType = 'Opportunity' AND IsActive = true")
        picked = {str(one.get("Id")): await self._picked(str(one.get("Id"))) for one in types or ()}
        users = await self._rest.known(
            ("Id", "Name"), "User", "IsActive = true AND UserType = 'Standard'", "LIMIT 1000"
        )
        described = await self._rest.call("GET", "/sobjects/Opportunity/describe")
        return {
            "stages": await self._rest.found(stages, "OpportunityStage", "IsActive = true", "ORDER BY SortOrder"),
            "record_types": types or [],
            "picked": picked,
            "fields": [_briefly(one) for one in _fields(described)],
            "users": users or [],
            "organization": next(iter(await self._rest.known(("Id",), "Organization", "") or []), {}),
        }

    async def renew_channel(self, now: datetime) -> datetime | None:  # noqa: ARG002 - of every client
        """Nothing: outbound messages do not expire."""
        return None

    async def _row(self, object_id: str) -> dict[str, Any] | None:
        settings = self._settings
        if id_in(object_id) is None:
            return None
        fields = ("Id", settings.stage_property, settings.pipeline_property, settings.owner_property)
        rows = await self._rest.found(fields, "Opportunity", f"Id = {_id(object_id)}")
        return rows[0] if rows else None

    async def _picked(self, record_type: str) -> list[str] | None:
        """The stages of one record type; None where the organisation does not say."""
        path = f"/ui-api/object-info/Opportunity/picklist-values/{record_type}/{self._settings.stage_property}"
        try:
            answer = await self._rest.call("GET", path)
        except ClientError as error:
            if error.code not in _BEYOND:
                raise
            return None
        values = answer.get("values") if isinstance(answer, dict) else None
        return [str(one.get("value")) for one in values if isinstance(one, dict)] if isinstance(values, list) else None


def _fields(described: Any) -> list[dict[str, Any]]:
    found = described.get("fields") if isinstance(described, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _briefly(field: dict[str, Any]) -> dict[str, Any]:
    """What a draft needs of a field: Salesforce says sixty things about each."""
    return {name: field.get(name) for name in ("name", "label", "type", "picklistValues")}


def _id(object_id: str) -> str:
    return quoted(id_in(object_id) or "")


def _marked(text: str, marker: str) -> str:
    """The text with its marker, however long it is."""
    room = _TEXT - len(marker) - 1
    return text if marker in text[:_TEXT] and len(text) <= _TEXT else f"{text[:room]}\n{marker}"
