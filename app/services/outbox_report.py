"""The outbox for whoever looks at it: listed, read, replayed, cancelled."""

import json
from datetime import datetime
from typing import Any

from app.i18n import Locale, texts
from app.services.outbox import reason
from app.services.refusals import Refused
from app.store import outbox as store
from app.store.database import Reader, Transaction
from app.store.outbox import StoredItem
from app.store.outbox_targets import know_target

_SAID_IN = ("outbox", "client", "http")
"""Where the texts of reasons stand: ours, the CRMs', those of addresses that cannot be reached."""


class UnknownItem(Refused):
    """No such item: `item`."""

    kind = "unknown-outbox-item"


class ItemWaits(Refused):
    """The item waits already: `item`."""

    kind = "outbox-item-waits"


class ItemOver(Refused):
    """The item does not wait, or is being worked on at this moment: `item`, `status`."""

    kind = "outbox-item-over"


async def read(db: Reader, tenant_id: str, item_id: str) -> StoredItem:
    """One item of a tenant."""
    item = await store.read_item(db, tenant_id, item_id)
    if item is None:
        raise UnknownItem(item=item_id)
    return item


async def replay(tx: Transaction, tenant_id: str, item_id: str, now: datetime) -> StoredItem:
    """Do it again from the start, whatever became of it."""
    again = await store.replay_item(tx, tenant_id, item_id, now)
    item = await read(tx, tenant_id, item_id)
    if not again:
        raise ItemWaits(item=item_id)
    await know_target(tx, tenant_id, item.target_id)
    return item


async def cancel(tx: Transaction, tenant_id: str, item_id: str, now: datetime) -> StoredItem:
    """Never do it."""
    if not await store.cancel_item(tx, tenant_id, item_id, reason=reason("cancelled"), now=now):
        item = await read(tx, tenant_id, item_id)
        raise ItemOver(item=item_id, status="in_progress" if item.status == "waiting" else item.status)
    return await read(tx, tenant_id, item_id)


def document(item: StoredItem, locale: Locale, now: datetime) -> dict[str, Any]:
    """An item in JSON, without what it carries."""
    waits = item.status == "waiting"
    busy = waits and item.lease_until is not None and item.lease_until > now
    return {
        "id": item.item_id,
        "target": item.target_id,
        "about": item.order_key,
        "kind": item.kind,
        "status": item.status,
        "in_progress": busy,
        "attempts": item.attempts,
        "next_attempt_at": item.not_before if waits and not busy else None,
        **why(item.reason, locale),
        "created_at": item.created_at,
        "finished_at": item.finished_at,
    }


def payload(item: StoredItem) -> dict[str, Any]:
    """What an item carries."""
    found: dict[str, Any] = json.loads(item.payload)
    return found


def why(stored: str | None, locale: Locale) -> dict[str, str | None]:
    """A stored reason: its code, and its text in a language."""
    if stored is None:
        return {"code": None, "reason": None}
    refusal = json.loads(stored)
    return {"code": refusal["code"], "reason": sentence(refusal["code"], refusal["params"], locale)}


def sentence(code: str, params: dict[str, Any], locale: Locale) -> str:
    """Why something could not be done, in words; the bare code where there are none."""
    catalogue = texts(locale)
    name = next((f"{prefix}.{code}" for prefix in _SAID_IN if catalogue.has(f"{prefix}.{code}")), None)
    return code if name is None else catalogue.text(name, **params)
