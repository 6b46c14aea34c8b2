"""What became of a delivery, for whoever asks: its status, why it was refused, what its events amounted to."""

import json
from typing import Any

from app.i18n import Locale, texts
from app.store.database import Reader
from app.store.deliveries import StoredDelivery, read_delivery


async def read(db: Reader, tenant_id: str, delivery_id: str) -> StoredDelivery | None:
    """One delivery of a tenant."""
    return await read_delivery(db, tenant_id, delivery_id)


def document(delivery: StoredDelivery, locale: Locale) -> dict[str, Any]:
    """A delivery in JSON. Its body is the CRM's and may hold anything: it is not shown."""
    result = json.loads(delivery.result) if delivery.result else {}
    shape: dict[str, Any] = {
        "id": delivery.delivery_id,
        "connection": delivery.connection_id,
        "status": delivery.status,
        **_reason(delivery.reason, locale),
        "received_at": delivery.received_at,
        "processed_at": delivery.processed_at,
        "attempts": delivery.attempts,
        "events": result.get("events"),
        "decisions": result.get("decisions", []),
    }
    if result.get("faults"):
        shape["faults"] = [{"event": one["place"], **_reason_of(one, locale)} for one in result["faults"]]
    return shape


def _reason(stored: str | None, locale: Locale) -> dict[str, str | None]:
    return _reason_of(json.loads(stored), locale) if stored else {"code": None, "reason": None}


def _reason_of(refusal: dict[str, Any], locale: Locale) -> dict[str, str | None]:
    code, params = refusal["code"], refusal["params"]
    return {"code": code, "reason": texts(locale).text(f"delivery.{code}", **params)}
