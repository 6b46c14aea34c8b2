"""Our own events: told in the transaction of what they tell, to every endpoint of the tenant that wants them.

Each is a CloudEvent (1.0, structured JSON). Which endpoints a tenant has is remembered for a second, so that a tenant
without any pays nothing for events.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args

from app.engine import Decision
from app.services.ids import new_id
from app.services.outbox import Item, enqueue
from app.store.database import Transaction
from app.store.endpoints import StoredEndpoint, list_endpoints
from app.store.outbox import StoredItem
from app.store.outbox_targets import ENDPOINT

EventType = Literal[
    "deal.moved",
    "deal.move.refused",
    "deal.drifted",
    "deal.drift.resolved",
    "deal.rotting",
    "delivery.refused",
    "delivery.dead",
    "connection.channel_expiring",
    "connection.gap",
]
TYPES: tuple[EventType, ...] = get_args(EventType)
EVERY = "*"
KIND = "event"
_FRESH = timedelta(seconds=1)
_MOST_KNOWN = 10_000
_MOST_ENDPOINTS = 1000


class Subscription(NamedTuple):
    """An endpoint, and the types it wants."""

    endpoint_id: str
    events: frozenset[str]

    def wants(self, event: str) -> bool:
        """Whether it is to be told of this type."""
        return event in self.events or EVERY in self.events


class OurEvent(NamedTuple):
    """Something to tell. `subject` is what it is about: the id of a deal, a delivery, a connection.

    What is told under the same `once` reaches each endpoint once.
    """

    tenant_id: str
    type: EventType
    subject: str
    data: dict[str, Any]
    once: str | None = None


def target_of(endpoint_id: str) -> str:
    """An endpoint as a target of the outbox."""
    return ENDPOINT + endpoint_id


def endpoint_of(target_id: str) -> str:
    """The endpoint behind a target."""
    return target_id.removeprefix(ENDPOINT)


class Events:
    """Tells events. One for each application: it remembers who wants them."""

    def __init__(self, source: str) -> None:
        """`source` is the address of this server, or a name for it."""
        self._source = source
        self._known: dict[str, tuple[datetime, Sequence[Subscription]]] = {}

    async def tell(self, tx: Transaction, event: OurEvent, now: datetime) -> int:
        """Put the event into the outbox for whoever wants it; for how many. Wake the worker after the commit.

        Events of one subject reach each endpoint in their order.
        """
        wanting = [one for one in await self._subscriptions(tx, event.tenant_id, now) if one.wants(event.type)]
        return await self._tell(tx, wanting, event, now) if wanting else 0

    async def died(self, tx: Transaction, item: StoredItem, code: str, params: dict[str, Any], now: datetime) -> None:
        """Tell that something of the outbox is dead. Its own target is not told, nor is that of telling it told."""
        if item.kind == KIND and '"type":"delivery.dead"' in item.payload:
            return
        wanting = [
            one
            for one in await self._subscriptions(tx, item.tenant_id, now)
            if one.wants("delivery.dead") and target_of(one.endpoint_id) != item.target_id
        ]
        data = {
            "item": item.item_id,
            "target": item.target_id,
            "kind": item.kind,
            "about": item.order_key,
            "attempts": item.attempts,
            "code": code,
            "params": params,
        }
        if wanting:
            await self._tell(tx, wanting, OurEvent(item.tenant_id, "delivery.dead", item.item_id, data), now)

    def forget(self, tenant_id: str) -> None:
        """Look anew: this tenant's endpoints have changed."""
        self._known.pop(tenant_id, None)

    async def _subscriptions(self, tx: Transaction, tenant_id: str, now: datetime) -> Sequence[Subscription]:
        known = self._known.get(tenant_id)
        if known is not None and abs(now - known[0]) < _FRESH:
            return known[1]
        found = await list_endpoints(tx, tenant_id, limit=_MOST_ENDPOINTS)
        wanted = [_subscription(one) for one in found if not one.paused]
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[tenant_id] = (now, wanted)
        return wanted

    async def _tell(self, tx: Transaction, wanting: Sequence[Subscription], event: OurEvent, now: datetime) -> int:
        event_id = new_id(now)
        body = {
            "specversion": "1.0",
            "id": event_id,
            "source": self._source,
            "type": event.type,
            "subject": event.subject,
            "time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": event.data,
        }
        for one in wanting:
            target, key = target_of(one.endpoint_id), f"event:{event.once or event_id}:{one.endpoint_id}"
            await enqueue(tx, Item(event.tenant_id, target, event.subject, KIND, key, body, now), now)
        return len(wanting)


def _subscription(endpoint: StoredEndpoint) -> Subscription:
    return Subscription(endpoint.endpoint_id, frozenset(endpoint.events.split()))


def move_data(
    decision: Decision, decision_id: str | None, *, deal_id: str, source: str, actor: str | None
) -> dict[str, Any]:
    """What is told of a move: from where to where, the verdict, and the codes of what stood in the way."""
    findings = [
        {"code": one.code, "severity": one.severity, "requirement": one.requirement} for one in decision.findings
    ]
    return {
        "deal": deal_id,
        "process": {"key": decision.process, "version": decision.version},
        "from": decision.from_stage,
        "to": decision.to_stage,
        "outcome": decision.outcome,
        "decision": decision_id,
        "source": source,
        "actor": actor,
        "findings": findings,
    }
