"""What we ask of Zoho CRM: deals read back and listed; notes, tasks, stages and Blueprints; the channel renewed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.crm.client import ClientError, Credentials, Keep, Note, Page, Standing, Task, Told
from app.crm.http import Http
from app.crm.reading import id_or_none, time_or_none
from app.crm.zoho.api import PAGE, Api, listed, next_page
from app.crm.zoho.events import DEALS, is_record_id
from app.crm.zoho.reading import activity_lists, deal_of, read_deal
from app.crm.zoho.settings import ZohoSettings

LONGEST_CHANNEL = timedelta(days=7) - timedelta(minutes=5)
"""Zoho keeps a channel for a week at most."""
_IN_BLUEPRINT = "RECORD_IN_BLUEPRINT"
_DELETED = "deleted:"
_TITLE = 250


class ZohoClient:
    """One organisation's API (app/crm/client.py, `Client`)."""

    def __init__(self, settings: ZohoSettings, credentials: Credentials, http: Http, keep: Keep) -> None:
        self._settings = settings
        self._api = Api(settings, credentials, http, keep)

    async def read_deal(self, object_id: str, now: datetime) -> Told:
        """The deal, its stage history, what was done, and who is on it."""
        return await read_deal(self._api, self._settings, object_id, now)

    async def list_deals(self, changed_since: datetime | None, cursor: str | None) -> Page:
        """A page of ids; after those that are there, those deleted since, which Zoho lists apart."""
        if changed_since is not None and cursor is not None and cursor.startswith(_DELETED):
            return await self._deleted(changed_since, cursor.removeprefix(_DELETED))
        since = None if changed_since is None else changed_since.astimezone(UTC).isoformat(timespec="seconds")
        fields = "id,Modified_Time"
        answer = await self._api.get(f"/{DEALS}", since=since, fields=fields, per_page=PAGE, page_token=cursor)
        ids = [id_or_none(one.get("id")) for one in listed(answer)]
        last = None if changed_since is None else f"{_DELETED}1"
        return Page(tuple(one for one in ids if one is not None), next_page(answer) or last)

    async def standing(self, object_id: str) -> Standing | None:
        """Its pipeline and stage, by name."""
        data = await deal_of(self._api, object_id)
        stage = None if data is None else data.get(self._settings.stage_property)
        if data is None or stage is None:
            return None
        return Standing(id_or_none(data.get(self._settings.pipeline_property)), str(stage))

    async def has_note(self, object_id: str, marker: str) -> bool:
        """Look through the notes of the deal."""
        notes = self._api.pages(f"{_path(object_id)}/Notes", fields="Note_Title,Note_Content")
        return any([marker in str(one.get("Note_Content")) async for one in notes])

    async def add_note(self, object_id: str, note: Note) -> None:
        """A note on the deal."""
        body = {"data": [{"Note_Title": "Stagerail", "Note_Content": note.text}]}
        await self._api.write("POST", f"{_path(object_id)}/Notes", body)

    async def has_task(self, object_id: str, marker: str) -> bool:
        """Look through the tasks of the deal, open ones and closed ones."""
        path = _path(object_id)
        for name in await self._task_lists():
            async for one in self._api.pages(f"{path}/{name}", fields="Subject,Description"):
                if marker in f"{one.get('Description')} {one.get('Subject')}":
                    return True
        return False

    async def add_task(self, object_id: str, task: Task) -> None:
        """A task of the deal's owner."""
        _path(object_id)
        one: dict[str, Any] = {
            "Subject": task.subject[:_TITLE],
            "Description": task.text,
            "Due_Date": task.due.isoformat(),
            "What_Id": {"id": object_id},
            "$se_module": DEALS,
        }
        if task.owner is not None and is_record_id(task.owner):
            one["Owner"] = {"id": task.owner}
        await self._api.write("POST", "/Tasks", {"data": [one]})

    async def set_stage(self, object_id: str, target: Standing) -> None:
        """By a plain update; where a Blueprint rules the deal, by its transition to that stage."""
        now = await self.standing(object_id)
        values = {self._settings.stage_property: target.stage}
        if now is not None and None not in (now.pipeline, target.pipeline) and now.pipeline != target.pipeline:
            values[self._settings.pipeline_property] = str(target.pipeline)
        try:
            await self._api.write("PUT", _path(object_id), {"data": [values]})
        except ClientError as error:
            if error.params.get("said") != _IN_BLUEPRINT:
                raise
            await self._transition(object_id, target.stage)

    async def configuration(self) -> dict[str, Any]:
        """Pipelines of every layout, fields, users. An organisation may have no pipelines: then its stages alone."""
        layouts = await self._api.get("/settings/layouts", module=DEALS)
        pipelines: list[Any] = []
        for layout in listed(layouts, "layouts"):
            try:
                found = await self._api.get("/settings/pipeline", layout_id=layout.get("id"))
            except ClientError as error:
                if error.code != "client_refused":
                    raise
                continue
            pipelines += listed(found, "pipeline")
        fields = await self._api.get("/settings/fields", module=DEALS)
        users = await self._api.get("/users", type="ActiveUsers")
        return {"pipelines": pipelines, "fields": listed(fields, "fields"), "users": listed(users, "users")}

    async def renew_channel(self, now: datetime) -> datetime | None:
        """Ask for another week of all that the channel tells of; None where the connection names no channel."""
        channel = self._settings.channel_id
        if channel is None:
            return None
        answer = await self._api.get("/actions/watch", channel_id=channel)
        rows = [one for one in listed(answer, "watch") if id_or_none(one.get("channel_id")) == channel]
        if not rows:
            raise ClientError("client_channel_gone", again=False, channel=channel)
        modules = dict.fromkeys(str(one["resource_name"]) for one in rows if one.get("resource_name")) or [DEALS]
        until = (now + LONGEST_CHANNEL).replace(microsecond=0)
        events = [f"{module}.all" for module in modules]
        watch = {"channel_id": channel, "events": events, "channel_expiry": until.isoformat()}
        await self._api.write("PATCH", "/actions/watch", {"watch": [watch]})
        return until

    async def _task_lists(self) -> list[str]:
        """The lists that hold the tasks of deals; the one of open tasks where Zoho does not let us ask."""
        try:
            return [name for name, module in await activity_lists(self._api) if module == "Tasks"]
        except ClientError as error:
            if error.again:
                raise
            return ["Tasks"]

    async def _deleted(self, since: datetime, page: str) -> Page:
        answer = await self._api.get(f"/{DEALS}/deleted", type="all", page=page, per_page=PAGE)
        found = [(id_or_none(one.get("id")), time_or_none(one.get("deleted_time"))) for one in listed(answer)]
        ids = tuple(one for one, at in found if one is not None and (at is None or at >= since))
        info = answer.get("info")
        more = isinstance(info, dict) and info.get("more_records") and page.isdigit()
        return Page(ids, f"{_DELETED}{int(page) + 1}" if more else None)

    async def _transition(self, object_id: str, stage: str) -> None:
        """Take the Blueprint's transition that leads to the stage."""
        path = f"{_path(object_id)}/actions/blueprint"
        found = (await self._api.get(path)).get("blueprint")
        drawn = listed(found, "transitions")
        fitting = [one for one in drawn if one.get("next_field_value") == stage and one.get("type") != "automatic"]
        fitting.sort(key=lambda one: one.get("criteria_matched") is False)
        if not fitting:
            raise ClientError("client_no_transition", again=False, stage=stage)
        body: dict[str, Any] = {"blueprint": [{"transition_id": fitting[0].get("id"), "data": {}}]}
        answer = await self._api.write("PUT", path, body)
        if isinstance(answer, dict) and "partial" in str(answer.get("message")):
            raise ClientError("client_partly_saved", again=False, stage=stage)


def _path(object_id: str) -> str:
    """Where a deal is. What is no id of Zoho's is nowhere."""
    if not is_record_id(object_id):
        raise ClientError("client_not_found", again=False, said=object_id)
    return f"/{DEALS}/{object_id}"
