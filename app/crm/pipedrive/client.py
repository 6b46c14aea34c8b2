"""Pipedrive's API: a deal with its changelog, activities and people; notes, tasks and stages."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from app.crm.calling import Api, Dialect, bearer, refreshing
from app.crm.client import ClientError, Credentials, Keep, Note, Page, Standing, Task, Told
from app.crm.events import Fact, Group
from app.crm.http import Http
from app.crm.pipedrive.activities import activity_fact
from app.crm.pipedrive.history import history
from app.crm.pipedrive.settings import LOST, WON, PipedriveSettings
from app.crm.pipedrive.words import flat, is_deleted, is_number, number_or_none, place
from app.crm.reading import id_or_none, time_or_none

API = "https://api.pipedrive.com"
OAUTH = "https://oauth.pipedrive.com"
_PAGE = 100
_MOST_PAGES = 100


def _authorise(credentials: Credentials) -> Mapping[str, str]:
    if "api_token" in credentials:
        return {"x-api-token": credentials["api_token"]}
    return bearer(credentials)


class PipedriveClient:
    """One company's API (app/crm/client.py, `Client`)."""

    def __init__(self, settings: PipedriveSettings, credentials: Credentials, http: Http, keep: Keep) -> None:
        self._settings = settings
        base = settings.api_url or API
        tokens = f"{settings.oauth_url or OAUTH}/oauth/token"
        renew = None if "api_token" in credentials else refreshing(lambda _: tokens, basic=True)
        dialect = Dialect(_authorise, renew, reset="x-ratelimit-reset", nothing=(HTTPStatus.NOT_FOUND, HTTPStatus.GONE))
        self._api = Api(base, credentials, http, keep, dialect)

    async def read_deal(self, object_id: str, now: datetime) -> Told:
        """The deal, every change that the changelog knows, its activities, and the people on it."""
        data = await self._deal(object_id)
        if data is None:
            return Told((), (), frozenset(), now, "deleted")
        changes = [one async for one in self._pages(f"/v1/deals/{object_id}/changelog", {})]
        events = history(self._settings, object_id, data, changes, now)
        facts = [fact async for fact in self._activities(object_id, now)]
        facts += await self._contacts(object_id, data, now)
        return Told(tuple(events), tuple(facts), self._complete(), now)

    def _complete(self) -> frozenset[Group]:
        """What was read whole. What nothing is mapped to cannot be known to be none."""
        mapped: dict[Group, bool] = {
            "stage_history": True,
            "fields": True,
            "activities": bool(self._settings.activities),
            "contacts": bool(self._settings.contact_roles and self._settings.contact_role_property),
            "approvals": bool(self._settings.approvals),
        }
        return frozenset(group for group, whole in mapped.items() if whole)

    async def list_deals(self, changed_since: datetime | None, cursor: str | None) -> Page:
        """A page of ids; the deals that were touched last come last. Those deleted since are among them."""
        since = None if changed_since is None else changed_since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = None if since is None else "open,won,lost,deleted"
        query = {"updated_since": since, "status": status, "limit": _PAGE, "cursor": cursor, "sort_by": "update_time"}
        answer = await self._api.call("GET", "/api/v2/deals", query=query)
        ids = [id_or_none(one.get("id")) for one in _list(answer)]
        return Page(tuple(one for one in ids if one is not None), _cursor(answer))

    async def standing(self, object_id: str) -> Standing | None:
        """Its pipeline, and its status or stage."""
        data = await self._deal(object_id)
        stage = None if data is None else place(data, self._settings)
        return None if data is None or stage is None else Standing(id_or_none(data.get("pipeline_id")), stage)

    async def has_note(self, object_id: str, marker: str) -> bool:
        """Look through the notes of the deal."""
        notes = self._numbered("/v1/notes", {"deal_id": object_id})
        return any([marker in str(one.get("content")) async for one in notes])

    async def add_note(self, object_id: str, note: Note) -> None:
        """A note on the deal."""
        content = note.text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
        await self._api.call("POST", "/v1/notes", body={"deal_id": _number(object_id), "content": content})

    async def has_task(self, object_id: str, marker: str) -> bool:
        """Look through the activities of the deal."""
        listed = self._pages("/api/v2/activities", {"deal_id": object_id})
        return any([marker in f"{one.get('note')} {one.get('subject')}" async for one in listed])

    async def add_task(self, object_id: str, task: Task) -> None:
        """An activity of type `task`."""
        body = {"deal_id": _number(object_id), "type": "task", "subject": task.subject[:250], "note": task.text,
                "due_date": task.due.isoformat()}  # fmt: skip
        if task.owner is not None and is_number(task.owner):
            body["owner_id"] = int(task.owner)
        await self._api.call("POST", "/api/v2/activities", body=body)

    async def set_stage(self, object_id: str, target: Standing) -> None:
        """Close the deal, or open it in a stage."""
        if target.stage in (WON, LOST):
            body: dict[str, Any] = {"status": target.stage}
        else:
            body = {"stage_id": _number(target.stage), "status": "open"}
            if target.pipeline is not None:
                body["pipeline_id"] = _number(target.pipeline)
        await self._api.call("PATCH", f"/api/v2/deals/{_number(object_id)}", body=body)

    async def configuration(self) -> dict[str, Any]:
        """Pipelines, stages, fields of deals, users, types of activities, the company."""
        return {
            "pipelines": [one async for one in self._pages("/api/v2/pipelines", {})],
            "stages": [one async for one in self._pages("/api/v2/stages", {})],
            "fields": [one async for one in self._numbered("/v1/dealFields", {})],
            "users": _list(await self._api.call("GET", "/v1/users")),
            "activity_types": _list(await self._api.call("GET", "/v1/activityTypes")),
            "me": _object(await self._api.call("GET", "/v1/users/me"), "data"),
        }

    async def renew_channel(self, now: datetime) -> datetime | None:
        """Pipedrive's webhooks do not expire."""
        del now
        return None

    async def _deal(self, object_id: str) -> dict[str, Any] | None:
        """The deal as it stands; None when it is gone. An id that is none of Pipedrive's is nobody's."""
        if not is_number(object_id):
            return None
        answer = await self._api.call("GET", f"/api/v2/deals/{object_id}", missing=True)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict) or is_deleted(data):
            return None
        return flat(data)

    async def _activities(self, object_id: str, now: datetime) -> AsyncIterator[Fact]:
        async for one in self._pages("/api/v2/activities", {"deal_id": object_id}):
            at = time_or_none(one.get("update_time")) or now
            fact = activity_fact(one, self._settings, deal=object_id, at=at)
            if fact is not None:
                yield fact

    async def _contacts(self, object_id: str, data: Mapping[str, Any], now: datetime) -> list[Fact]:
        listed = [one async for one in self._numbered(f"/v1/deals/{object_id}/participants", {})]
        people = [one.get("person_id") or one.get("person") for one in listed]
        ids = [number_or_none(_id(one)) for one in (data.get("person_id"), *people)]
        facts = []
        for person in dict.fromkeys(one for one in ids if one is not None):
            value: dict[str, Any] = {"id": person}
            role = await self._role(person)
            if role is not None:
                value["role"] = role
            facts.append(Fact(object_id, "contact", person, now, value))
        return facts

    async def _role(self, person: str) -> str | None:
        name = self._settings.contact_role_property
        if name is None:
            return None
        answer = await self._api.call("GET", f"/api/v2/persons/{person}", missing=True)
        data = answer.get("data") if isinstance(answer, dict) else None
        return self._settings.contact_roles.get(str(flat(data).get(name))) if isinstance(data, dict) else None

    async def _pages(self, path: str, query: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Everything, page after page, by cursor."""
        cursor = None
        for _ in range(_MOST_PAGES):
            answer = await self._api.call("GET", path, query={**query, "limit": _PAGE, "cursor": cursor})
            for one in _list(answer):
                yield one
            cursor = _cursor(answer)
            if cursor is None:
                return
        raise ClientError("client_endless", again=False, path=path)

    async def _numbered(self, path: str, query: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Everything, page after page, by the number of the first."""
        start: Any = 0
        for _ in range(_MOST_PAGES):
            answer = await self._api.call("GET", path, query={**query, "limit": _PAGE, "start": start})
            for one in _list(answer):
                yield one
            paging = _object(answer, "additional_data", "pagination")
            if not paging.get("more_items_in_collection"):
                return
            start = paging.get("next_start")
        raise ClientError("client_endless", again=False, path=path)


def _number(text: str) -> int:
    """An id as Pipedrive's API takes it: version 2 coerces no text."""
    if not is_number(text):
        raise ClientError("client_not_found", again=False, said=text)
    return int(text)


def _id(value: Any) -> Any:
    return value.get("id", value.get("value")) if isinstance(value, dict) else value


def _list(answer: Any) -> list[dict[str, Any]]:
    data = answer.get("data") if isinstance(answer, dict) else None
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def _cursor(answer: Any) -> str | None:
    cursor = _object(answer, "additional_data").get("next_cursor")
    return cursor if isinstance(cursor, str) and cursor else None


def _object(answer: Any, *names: str) -> dict[str, Any]:
    """The object that stands in an answer under a name, and under a name in that; an empty one where none does."""
    for name in names:
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer if isinstance(answer, dict) else {}
