"""The outbox: what is to leave is enqueued in the transaction of what caused it, and done afterwards, at least once.

A handler does one kind of item. It returns when the item is done; it raises `Later` when another try may help, and
`GiveUp` when none will.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple

from app import clock
from app.services.ids import new_id
from app.store import outbox as store
from app.store.database import Transaction
from app.store.outbox import StoredItem, withdrawn
from app.store.outbox_targets import know_target


class Item(NamedTuple):
    """Something to do. `target_id` says where it goes: `connection:ID` or `endpoint:ID`.

    Items of one target and order key are done one after another, in the order in which they were enqueued; all others
    side by side. A `dedupe_key` is taken once in a tenant.
    """

    tenant_id: str
    target_id: str
    order_key: str
    kind: str
    dedupe_key: str
    payload: dict[str, Any]
    not_before: datetime


class Work(NamedTuple):
    """An item in the hands of its handler. `attempt` counts from 1; `item_id` stays the same over all of them."""

    tenant_id: str
    item_id: str
    target_id: str
    order_key: str
    kind: str
    dedupe_key: str
    payload: dict[str, Any]
    attempt: int
    created_at: datetime


Handler = Callable[[Work], Awaitable[None]]
"""Does one item, at least once: done again when its worker died before it could say so."""


class Later(Exception):
    """It could not be done now. `code` names the text (`outbox.CODE`), `params` fill it.

    `after` is how many seconds the other side asks us to wait: then its whole target waits. `counts` is False when
    nobody is to blame: neither the item's attempts nor the target's failures are counted, and the target waits only
    where nothing of it could be done meanwhile (`whole`).
    """

    def __init__(
        self, code: str, *, after: float | None = None, counts: bool = True, whole: bool = False, **params: Any
    ) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
        self.after = after
        self.counts = counts
        self.whole = whole


class GiveUp(Exception):
    """It will never succeed, whoever tries. The item is dead, with `code` and `params` as the reason."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


async def enqueue(tx: Transaction, item: Item, now: datetime) -> str | None:
    """Put an item into the outbox with everything else that this transaction does; None when its key is taken.

    Its id comes from the clock and not from `now`, which may have been read before a wait for the deal's lock: items
    of one deal are in the order in which the lock was had.
    """
    await know_target(tx, item.tenant_id, item.target_id)
    item_id = new_id(clock.now())
    stored = StoredItem(
        tenant_id=item.tenant_id,
        item_id=item_id,
        target_id=item.target_id,
        order_key=item.order_key,
        kind=item.kind,
        dedupe_key=item.dedupe_key,
        payload=json.dumps(item.payload, ensure_ascii=False, separators=(",", ":")),
        status="waiting",
        attempts=0,
        not_before=item.not_before,
        lease_until=None,
        leased_by=None,
        reason=None,
        created_at=now,
        finished_at=None,
    )
    return item_id if await store.insert_item_if_new(tx, stored) else None


async def cancel(tx: Transaction, tenant_id: str, dedupe_key: str, now: datetime, code: str = "superseded") -> bool:
    """Take back an item that waits; False when there is none, or it is being worked on at this moment.

    Its key is free again: when the reason for it comes back, it can be enqueued once more.
    """
    return await store.withdraw_item(tx, tenant_id, dedupe_key, reason=reason(code), now=now)


def reason(code: str, **params: Any) -> str:
    """Why something was not done, as it is stored."""
    return json.dumps({"code": code, "params": params}, ensure_ascii=False, default=str)


def work_of(item: StoredItem) -> Work:
    """A claimed item, for its handler; under the key that it was enqueued with, also when it was withdrawn since."""
    return Work(
        item.tenant_id,
        item.item_id,
        item.target_id,
        item.order_key,
        item.kind,
        item.dedupe_key.removesuffix(withdrawn(item.item_id)),
        json.loads(item.payload),
        item.attempts,
        item.created_at,
    )
