"""One Dynamics organisation, asked and written to (app/crm/client.py says what a client is)."""

from datetime import UTC, datetime
from typing import Any

from app.crm.client import ClientError, Credentials, Keep, Note, Page, Standing, Task, Told
from app.crm.dynamics.api import WebApi
from app.crm.dynamics.flows import move_in_flow
from app.crm.dynamics.reading import opportunity, read_deal, standing_of
from app.crm.dynamics.settings import IN_PROCESS_FLOW, LOST, WON, DynamicsSettings
from app.crm.dynamics.values import guid_of, text_of
from app.crm.dynamics.words import OPEN, STATE
from app.crm.http import Http

_CLOSING = {WON: ("/WinOpportunity", 3), LOST: ("/LoseOpportunity", 4)}
"""The actions that close an opportunity, and the status reasons that every organisation has for it."""
_REOPENED = {"statecode": 0, "statuscode": 1}
_SUBJECT, _TEXT = 200, 60_000
_BEYOND = ("client_forbidden", "client_refused", "client_not_found")
_OPPORTUNITY = "/EntityDefinitions(LogicalName='opportunity')/Attributes"
_DELETED = "deleted:"
"""The cursor of the page after the last: what was deleted."""
_PICKLISTS = "/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"


class DynamicsClient:
    """Reads opportunities with their audit, activities and contacts; leaves notes and tasks; puts stages back."""

    def __init__(self, settings: DynamicsSettings, credentials: Credentials, http: Http, keep: Keep) -> None:
        self._settings = settings
        self._api = WebApi(settings, credentials, http, keep)

    async def read_deal(self, object_id: str, now: datetime) -> Told:
        """All that Dynamics holds of a deal."""
        return await read_deal(self._api, self._settings, object_id, now)

    async def list_deals(self, changed_since: datetime | None, cursor: str | None) -> Page:
        """A page of deals; the link to the next one is the cursor. After those that have changed come those that were
        deleted, as far as the audit tells.
        """
        since = None if changed_since is None else f"{changed_since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if since is not None and cursor == _DELETED:
            gone = f"objecttypecode eq 'opportunity' and operation eq 3 and createdon ge {since}"
            audited = await self._api.known("/audits", {"$select": "_objectid_value", "$filter": gone})
            return Page(_ids(audited or [], "_objectid_value"), None)
        query = {"$select": "opportunityid"} | ({} if since is None else {"$filter": f"modifiedon ge {since}"})
        rows, following = await self._api.page(*(("/opportunities", query) if cursor is None else (cursor,)))
        return Page(_ids(rows), following or (None if since is None else _DELETED))

    async def standing(self, object_id: str) -> Standing | None:
        """Its process, and its state or stage."""
        data = await opportunity(self._api, self._settings, object_id)
        pipeline, stage = (None, None) if data is None else standing_of(data, self._settings)
        return None if stage is None else Standing(pipeline, stage)

    async def has_note(self, object_id: str, marker: str) -> bool:
        """Whether a note with this marker is on the deal."""
        query = {"$select": "notetext", "$filter": f"_objectid_value eq {_guid(object_id)}"}
        return any([marker in str(one.get("notetext")) async for one in self._api.rows("/annotations", query)])

    async def add_note(self, object_id: str, note: Note) -> None:
        """Leave a note on the deal."""
        text = _marked(note.text, note.marker)
        body = {
            "subject": text.partition("\n")[0][:_SUBJECT], "notetext": text,
            "objectid_opportunity@odata.bind": f"/opportunities({_guid(object_id)})",
        }  # fmt: skip
        await self._api.call("POST", "/annotations", body=body)

    async def has_task(self, object_id: str, marker: str) -> bool:
        """Whether a task with this marker is on the deal, open or done."""
        query = {"$select": "description", "$filter": f"_regardingobjectid_value eq {_guid(object_id)}"}
        return any([marker in str(one.get("description")) async for one in self._api.rows("/tasks", query)])

    async def add_task(self, object_id: str, task: Task) -> None:
        """Give the owner something to do. Where the owner is a team, or cannot have tasks, it is left to us."""
        body = {
            "subject": task.subject[:_SUBJECT], "description": _marked(task.text, task.marker),
            "scheduledend": f"{task.due.isoformat()}T17:00:00Z",
            "regardingobjectid_opportunity_task@odata.bind": f"/opportunities({_guid(object_id)})",
        }  # fmt: skip
        owner = guid_of(task.owner) if task.owner is not None else await self._owner(object_id)
        if owner is not None:
            try:
                await self._api.call("POST", "/tasks", body={**body, "ownerid@odata.bind": f"/systemusers({owner})"})
            except ClientError as error:
                if error.code not in _BEYOND:
                    raise
            else:
                return
        await self._api.call("POST", "/tasks", body=body)

    async def set_stage(self, object_id: str, target: Standing) -> None:
        """Close the deal, or have it open in a stage; and see that it is there."""
        found = _guid(object_id)
        if target.stage in _CLOSING:
            path, status = _CLOSING[target.stage]
            close = {
                "subject": "Stagerail",
                "opportunityid@odata.bind": f"/opportunities({found})",
                "@odata.type": "Microsoft.Dynamics.CRM.opportunityclose",
            }
            await self._api.call("POST", path, body={"Status": status, "OpportunityClose": close})
        else:
            await self._open_in(found, target.stage)
        after = await self.standing(object_id)
        if after is None or after.stage != target.stage:
            raise ClientError("client_without_effect", again=False)

    async def _open_in(self, object_id: str, stage: str) -> None:
        """A deal that is closed is opened first: Dynamics lets nothing else of it be changed."""
        data = await opportunity(self._api, self._settings, object_id) or {}
        path = f"/opportunities({object_id})"
        if text_of(data.get(STATE)) != OPEN:
            await self._api.call("PATCH", path, body=_REOPENED)
        if self._settings.stage_property == IN_PROCESS_FLOW:
            await move_in_flow(self._api, self._settings, object_id, stage)
        else:
            value = int(stage) if stage.isascii() and stage.isdigit() else stage
            await self._api.call("PATCH", path, body={self._settings.stage_property: value})

    async def configuration(self) -> dict[str, Any]:
        """The codes of its stages, or the stages of its flows; columns, users, the organisation."""
        sets = await self._api.known(f"{_OPPORTUNITY}{_PICKLISTS}", {
            "$select": "LogicalName,DisplayName", "$expand": "OptionSet($select=Options)",
        })  # fmt: skip
        users = {"$select": "systemuserid,fullname", "$filter": "isdisabled eq false"}
        stages = {
            "$select": "processstageid,stagename,stagecategory,_processid_value",
            "$filter": "primaryentitytypecode eq 'opportunity'",
        }
        return {
            "stage_property": self._settings.stage_property,
            "picklists": sets or [],
            "attributes": await self._api.known(_OPPORTUNITY, {"$select": "LogicalName,DisplayName,AttributeType"})
            or [],
            "process_stages": await self._api.known("/processstages", stages) or [],
            "users": await self._api.known("/systemusers", users) or [],
            "me": await self._api.call("GET", "/WhoAmI") or {},
        }

    async def renew_channel(self, now: datetime) -> datetime | None:  # noqa: ARG002 - of every client
        """Nothing: steps do not expire."""
        return None

    async def _owner(self, object_id: str) -> str | None:
        data = await opportunity(self._api, self._settings, object_id) or {}
        return guid_of(data.get(f"_{self._settings.owner_property}_value"))


def _guid(object_id: str) -> str:
    """The id, which stands in addresses and filters as it is."""
    found = guid_of(object_id)
    if found is None:
        raise ClientError("client_not_found", again=False, said=object_id[:_SUBJECT])
    return found


def _ids(rows: list[dict[str, Any]], name: str = "opportunityid") -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in (guid_of(row.get(name)) for row in rows) if one is not None))


def _marked(text: str, marker: str) -> str:
    """The text with its marker, however long it is."""
    room = _TEXT - len(marker) - 1
    return text if marker in text and len(text) <= _TEXT else f"{text[:room]}\n{marker}"
