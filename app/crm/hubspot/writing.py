"""What we leave on a HubSpot deal: notes and tasks, and how those that are there already are found."""

from datetime import datetime, time
from html import escape
from typing import Any

from app.crm.client import ClientError, Note, Task
from app.crm.hubspot.api import Api
from app.crm.hubspot.reading import BODIES, associated, deal_path, ids_in
from app.crm.hubspot.words import moment

NOTE_TO_DEAL, TASK_TO_DEAL = 214, 216
END_OF_DAY = time(17)
"""UTC: HubSpot wants an hour for a day."""
_REFUSED = "client_refused"


async def has_text(api: Api, object_id: str, kind: str, name: str, marker: str) -> bool:
    """Whether anything of a kind on the deal holds the marker. Read from the deal: HubSpot's search lags behind."""
    ids = ids_in(await associated(api, object_id, kind))
    for start in range(0, len(ids), BODIES):
        found = await api.batch(f"/crm/v3/objects/{kind}/batch/read", ids[start : start + BODIES], properties=[name])
        if any(marker in _text(one, name) for one in found):
            return True
    return False


def _text(found: dict[str, Any], name: str) -> str:
    properties = found.get("properties")
    return str(properties.get(name)) if isinstance(properties, dict) else ""


async def add_note(api: Api, object_id: str, note: Note) -> None:
    """Leave a note, dated by HubSpot's own clock."""
    at, _ = await _deal_now(api, object_id, "hubspot_owner_id")
    properties = {"hs_timestamp": at.isoformat(), "hs_note_body": _html(note.text, note.marker)}
    await api.post("/crm/v3/objects/notes", {"properties": properties, **_on(object_id, NOTE_TO_DEAL)})


async def add_task(api: Api, object_id: str, task: Task, owner_property: str) -> None:
    """Give the owner a task. One that HubSpot does not know as an owner gets none: the task is left to nobody."""
    owner = task.owner
    if owner is None:
        _, owner = await _deal_now(api, object_id, owner_property)
    properties = {
        "hs_timestamp": f"{datetime.combine(task.due, END_OF_DAY).isoformat()}Z",
        "hs_task_subject": task.subject,
        "hs_task_body": _html(task.text, task.marker),
        "hs_task_status": "NOT_STARTED",
        "hs_task_type": "TODO",
    }
    on = _on(object_id, TASK_TO_DEAL)
    if owner is not None:
        try:
            await api.post("/crm/v3/objects/tasks", {"properties": {**properties, "hubspot_owner_id": owner}, **on})
        except ClientError as error:
            if error.code != _REFUSED:
                raise
        else:
            return
    await api.post("/crm/v3/objects/tasks", {"properties": properties, **on})


async def _deal_now(api: Api, object_id: str, owner_property: str) -> tuple[datetime, str | None]:
    """What time it is in HubSpot, and the deal's owner."""
    deal = await api.get(deal_path(object_id), properties=owner_property)
    at = api.answered_at or moment(deal.get("updatedAt"))
    if at is None:
        raise ClientError("client_unreadable", again=True)
    properties = deal.get("properties")
    owner = properties.get(owner_property) if isinstance(properties, dict) else None
    return at, owner if isinstance(owner, str) and owner else None


def _html(text: str, marker: str) -> str:
    """Notes and tasks are HTML in HubSpot. The marker is part of the text, and is added where it is not."""
    whole = text if marker in text else f"{text}\n{marker}"
    return escape(whole, quote=False).replace("\n", "<br>")


def _on(object_id: str, type_id: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
    return {"associations": [{"to": {"id": object_id}, "types": types}]}
