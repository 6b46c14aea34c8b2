"""A delivery that will never be worked on: stored so, with the reason, and told to whoever wants to know."""

import json
from datetime import datetime

from app.services.events import Events, OurEvent
from app.store.database import Transaction
from app.store.deliveries import StoredDelivery, insert_delivery, refuse_delivery


async def append_refused(tx: Transaction, delivery: StoredDelivery, events: Events | None, now: datetime) -> None:
    """Store one that could not be read as it came."""
    await insert_delivery(tx, delivery)
    await _tell(tx, delivery, delivery.reason, events, now)


async def refuse(tx: Transaction, delivery: StoredDelivery, reason: str, events: Events | None, now: datetime) -> bool:
    """Refuse one that was waiting; False when it was no longer."""
    if not await refuse_delivery(tx, delivery, reason=reason, at=now):
        return False
    await _tell(tx, delivery, reason, events, now)
    return True


async def _tell(
    tx: Transaction, delivery: StoredDelivery, reason: str | None, events: Events | None, now: datetime
) -> None:
    if events is None:
        return
    why = json.loads(reason or "{}")
    data = {"delivery": delivery.delivery_id, "connection": delivery.connection_id, **why}
    await events.tell(tx, OurEvent(delivery.tenant_id, "delivery.refused", delivery.delivery_id, data), now)
