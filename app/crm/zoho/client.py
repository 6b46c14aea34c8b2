"""Zoho CRM's API: a deal with its stage history, activities and contact roles; notes, tasks, stages and Blueprints."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.crm.calling import Api, Dialect, refreshing, said
from app.crm.client import ClientError, Credentials, Keep, Note, Page, Standing, Task, Told
from app.crm.events import Event, Fact
from app.crm.http import Http
from app.crm.reading import id_or_none, time_or_none
from app.crm.zoho.activities import MODULES, activity_fact
from app.crm.zoho.events import DEALS, changes, make_event, named
from app.crm.zoho.settings import ZohoSettings

API, ACCOUNTS = "https://www.zohoapis.com", "https://accounts.zoho.com"
LONGEST_CHANNEL = timedelta(days=7) - timedelta(minutes=5)
"""Zoho keeps a channel for a week at most."""
_PAGE = 200
_MOST_PAGES = 100
_IN_BLUEPRINT = "RECORD_IN_BLUEPRINT"


def _authorise(credentials: Credentials) -> Mapping[str, str]:
    return {"authorization": f"Zoho-oauthtoken {credentials.get('access_token', '')}"}


def _problem(status: int, content: Any) -> ClientError | None:
    """Zoho's own codes, wherever in the answer they stand."""
    code = _code(content)
    if code in ("INVALID_TOKEN", "OAUTH_SCOPE_MISMATCH", "AUTHENTICATION_FAILURE"):
        return ClientError("client_token_refused", again=False)
    if code == "RECORD_LOCKED":
        return ClientError("client_refused", again=True, status=status, said=code)
    return ClientError("client_refused", again=False, status=status, said=code) if code and status < 500 else None  # noqa: PLR2004


class ZohoClient:
    """One organisation's API (app/crm/client.py, `Client`)."""

    def __init__(self, settings: ZohoSettings, credentials: Credentials, http: Http, keep: Keep) -> None:
        self._settings = settings
        tokens = f"{settings.accounts_url or settings.api_url or ACCOUNTS}/oauth/v2/token"
        dialect = Dialect(_authorise, refreshing(lambda _: tokens), _problem)
        self._api = Api(f"{settings.api_url or API}/crm/v8", credentials, http, keep, dialect)

    async def read_deal(self, object_id: str, now: datetime) -> Told:
        """The deal, its stage history, what was done, and who is on it."""
        data = await self._deal(object_id)
        if data is None:
            return Told((), (), frozenset(), now, "deleted")
        facts = [fact for module in MODULES async for fact in self._activities(module, object_id, now)]
        facts += [fact async for fact in self._contacts(object_id, now)]
        events = await self._events(object_id, data, now)
        whole = {"activities", "contacts", "fields", "approvals", "stage_history"}
        return Told(tuple(events), tuple(facts), frozenset(whole), now)  # type: ignore[arg-type]

    async def list_deals(self, changed_since: datetime | None, cursor: str | None) -> Page:
        """A page of ids."""
        headers = {} if changed_since is None else {"if-modified-since": changed_since.isoformat(timespec="seconds")}
        query = {"fields": "id,Modified_Time", "per_page": _PAGE, "page_token": cursor}
        answer = await self._api.call("GET", f"/{DEALS}", query=query, headers=headers)
        info = (answer or {}).get("info") or {}
        ids = [id_or_none(one.get("id")) for one in _list(answer)]
        following = info.get("next_page_token") if info.get("more_records") else None
        return Page(tuple(one for one in ids if one is not None), following)

    async def standing(self, object_id: str) -> Standing | None:
        """Its pipeline and stage, by name."""
        data = await self._deal(object_id)
        stage = None if data is None else data.get(self._settings.stage_property)
        if data is None or stage is None:
            return None
        return Standing(id_or_none(data.get(self._settings.pipeline_property)), str(stage))

    async def has_note(self, object_id: str, marker: str) -> bool:
        """Look through the notes of the deal."""
        notes = self._related(object_id, "Notes", "Note_Title,Note_Content")
        return any([marker in str(one.get("Note_Content")) async for one in notes])

    async def add_note(self, object_id: str, note: Note) -> None:
        """A note on the deal."""
        body = {"data": [{"Note_Title": "Stagerail", "Note_Content": note.text}]}
        await self._write("POST", f"/{DEALS}/{object_id}/Notes", body)

    async def has_task(self, object_id: str, marker: str) -> bool:
        """Look through the tasks of the deal."""
        tasks = self._related(object_id, "Tasks", "Subject,Description")
        return any([marker in f"{one.get('Description')} {one.get('Subject')}" async for one in tasks])

    async def add_task(self, object_id: str, task: Task) -> None:
        """A task of the deal's owner."""
        one: dict[str, Any] = {
            "Subject": task.subject[:250], "Description": task.text, "Due_Date": task.due.isoformat(),
            "What_Id": {"id": object_id}, "$se_module": DEALS,
        }  # fmt: skip
        if task.owner is not None:
            one["Owner"] = {"id": task.owner}
        await self._write("POST", "/Tasks", {"data": [one]})

    async def set_stage(self, object_id: str, target: Standing) -> None:
        """By a plain update; where a Blueprint rules the deal, by its transition to that stage."""
        body = {"data": [{self._settings.stage_property: target.stage}]}
        try:
            await self._write("PUT", f"/{DEALS}/{object_id}", body)
        except ClientError as error:
            if error.params.get("said") != _IN_BLUEPRINT:
                raise
            await self._transition(object_id, target.stage)

    async def configuration(self) -> dict[str, Any]:
        """Pipelines of every layout, fields, users."""
        layouts = await self._api.call("GET", "/settings/layouts", query={"module": DEALS}) or {}
        pipelines: list[Any] = []
        for layout in layouts.get("layouts") or []:
            found = await self._api.call("GET", "/settings/pipeline", query={"layout_id": layout.get("id")}) or {}
            pipelines += found.get("pipeline") or []
        fields = await self._api.call("GET", "/settings/fields", query={"module": DEALS}) or {}
        users = await self._api.call("GET", "/users", query={"type": "ActiveUsers"}) or {}
        return {"pipelines": pipelines, "fields": fields.get("fields") or [], "users": users.get("users") or []}

    async def renew_channel(self, now: datetime) -> datetime | None:
        """Ask for another week; None where the connection names no channel."""
        if self._settings.channel_id is None:
            return None
        until = (now + LONGEST_CHANNEL).replace(microsecond=0)
        watch = {"channel_id": self._settings.channel_id, "channel_expiry": until.isoformat()}
        await self._write("PATCH", "/actions/watch", {"watch": [{**watch, "events": [f"{DEALS}.all"]}]})
        return until

    async def _deal(self, object_id: str) -> dict[str, Any] | None:
        if not object_id.isalnum():
            return None
        answer = await self._api.call("GET", f"/{DEALS}/{object_id}", missing=True)
        return next(iter(_list(answer)), None)

    async def _events(self, object_id: str, data: Mapping[str, Any], now: datetime) -> list[Event]:
        """The deal's making, each stage that its history tells, and the fields as seen at the last change."""
        made = time_or_none(data.get("Created_Time")) or now
        seen = time_or_none(data.get("Modified_Time")) or now
        stage = self._settings.stage_property
        events = [make_event(object_id, "created", made)]
        async for one in self._related(object_id, "Stage_History", "Stage,Modified_Time,Modified_By"):
            at, value = time_or_none(one.get("Modified_Time")), one.get("Stage")
            if at is not None and isinstance(value, str):
                by = id_or_none(named(one.get("Modified_By")))
                events.append(make_event(object_id, "changed", at, stage, value, by=by))
        return events + changes(self._settings, object_id, data, seen, "seen")

    async def _activities(self, module: str, object_id: str, now: datetime) -> AsyncIterator[Fact]:
        names = ("id", "Owner", "Who_Id", "Modified_Time", "Call_Type", *MODULES[module].at, MODULES[module].status,
                 self._settings.outcome_property)  # fmt: skip
        async for one in self._related(object_id, module, ",".join(name for name in names if name)):
            fact = activity_fact(module, one, self._settings, deal=object_id, now=now)
            if fact is not None:
                yield fact

    async def _contacts(self, object_id: str, now: datetime) -> AsyncIterator[Fact]:
        async for one in self._related(object_id, "Contact_Roles", "id,Contact_Role"):
            contact = id_or_none(one.get("id"))
            role = one.get("Contact_Role")
            label = role.get("name") if isinstance(role, dict) else role
            mapped = self._settings.contact_roles.get(str(label))
            if contact is not None:
                value = {"id": contact} | ({"role": mapped} if mapped else {})
                yield Fact(object_id, "contact", contact, now, value)

    async def _related(self, object_id: str, name: str, fields: str) -> AsyncIterator[dict[str, Any]]:
        """Everything of a related list, page after page; an empty one is answered with nothing at all."""
        path, token = f"/{DEALS}/{object_id}/{name}", None
        for _ in range(_MOST_PAGES):
            query = {"fields": fields, "per_page": _PAGE, "page_token": token}
            answer = await self._api.call("GET", path, query=query, missing=True)
            for one in _list(answer):
                yield one
            info = (answer or {}).get("info") or {}
            token = info.get("next_page_token") if info.get("more_records") else None
            if token is None:
                return
        raise ClientError("client_endless", again=False, path=path)

    async def _transition(self, object_id: str, stage: str) -> None:
        """Take the Blueprint's transition that leads to the stage."""
        path = f"/{DEALS}/{object_id}/actions/blueprint"
        found = (await self._api.call("GET", path) or {}).get("blueprint") or {}
        listed = [one for one in found.get("transitions") or [] if isinstance(one, dict)]
        fitting = next((one for one in listed if one.get("next_field_value") == stage), None)
        if fitting is None:
            raise ClientError("client_no_transition", again=False, stage=stage)
        answer = await self._write("PUT", path, {"blueprint": [{"transition_id": fitting.get("id"), "data": {}}]})
        if isinstance(answer, dict) and "partial" in str(answer.get("message")):
            raise ClientError("client_partly_saved", again=False, stage=stage)

    async def _write(self, method: str, path: str, body: Any) -> Any:
        """Zoho answers 200 and says for each record whether it was written."""
        answer = await self._api.call(method, path, body=body)
        code = _code(answer)
        if code not in (None, "SUCCESS"):
            raise _problem(200, answer) or ClientError("client_refused", again=False, status=200, said=said(answer))
        return answer


def _code(content: Any) -> str | None:
    """`SUCCESS`, or what went wrong: of the whole, or of the first record."""
    if not isinstance(content, dict):
        return None
    for name in ("data", "watch"):
        if isinstance(content.get(name), list) and content[name] and isinstance(content[name][0], dict):
            content = content[name][0]
            break
    code = content.get("code")
    return code if isinstance(code, str) else None


def _list(answer: Any) -> list[dict[str, Any]]:
    data = answer.get("data") if isinstance(answer, dict) else None
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []
