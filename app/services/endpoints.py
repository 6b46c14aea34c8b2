"""Endpoints: put, read, listed, taken away, their secrets rotated. A secret is ours, and is shown once."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.http import Unreachable
from app.crm.secrets import NoKey
from app.crm.standard_webhooks import secret_of
from app.outbox.addresses import Allowed
from app.outbox.http import checked_url
from app.services.events import Events, target_of
from app.services.outbox import reason
from app.services.refusals import InvalidRequest, Refused
from app.services.secret_overlap import renewed
from app.store import endpoints as store
from app.store.database import Reader, Transaction
from app.store.endpoints import StoredEndpoint
from app.store.outbox import cancel_items, release_items
from app.store.outbox_targets import begin_anew

OVERLAP = timedelta(hours=24)
"""How long the old secret signs along after a rotation."""
_SECRET_BYTES = 32


class UnknownEndpoint(Refused):
    """No such endpoint: `endpoint`."""

    kind = "unknown-endpoint"


class Change(NamedTuple):
    """What a caller puts."""

    endpoint_id: str
    url: str
    events: Sequence[str]
    paused: bool


class Put(NamedTuple):
    """An endpoint after a change; `secret` where a new one was made, never to be seen again."""

    endpoint: StoredEndpoint
    created: bool
    secret: str | None


async def put(
    tx: Transaction, events: Events, tenant_id: str, change: Change, *, key: str | None, now: datetime
) -> Put:
    """Store an endpoint, new or over an older one; one that is no longer paused is sent what waits for it, at once.

    INVARIANT: the address was checked.
    """
    old = await store.lock_endpoint(tx, tenant_id, change.endpoint_id)
    secret = None
    endpoint = old or StoredEndpoint(tenant_id, change.endpoint_id, "", "", False, "", None, None, now, now)
    if old is None:
        secret = new_secret()
        endpoint = _with_secret(endpoint, secret, key, now)
    endpoint = endpoint._replace(
        url=change.url, events=" ".join(sorted(set(change.events))), paused=change.paused, updated_at=now
    )
    await store.put_endpoint(tx, endpoint)
    if old is None or old.url != change.url or (old.paused and not change.paused):
        await begin_anew(tx, tenant_id, target_of(change.endpoint_id))
        await release_items(tx, tenant_id, target_of(change.endpoint_id), now)
    events.forget(tenant_id)
    return Put(endpoint, old is None, secret)


async def rotate(tx: Transaction, tenant_id: str, endpoint_id: str, *, key: str | None, now: datetime) -> Put:
    """A new secret; each before signs along until its own overlap ends."""
    old = await store.lock_endpoint(tx, tenant_id, endpoint_id)
    if old is None:
        raise UnknownEndpoint(endpoint=endpoint_id)
    secret = new_secret()
    endpoint = _with_secret(old._replace(updated_at=now), secret, key, now)
    await store.put_endpoint(tx, endpoint)
    return Put(endpoint, created=False, secret=secret)


async def read(db: Reader, tenant_id: str, endpoint_id: str) -> StoredEndpoint:
    """One endpoint."""
    found = await store.read_endpoint(db, tenant_id, endpoint_id)
    if found is None:
        raise UnknownEndpoint(endpoint=endpoint_id)
    return found


async def remove(tx: Transaction, events: Events, tenant_id: str, endpoint_id: str, now: datetime) -> None:
    """Take an endpoint away, and with it what waits for it."""
    if not await store.delete_endpoint(tx, tenant_id, endpoint_id):
        raise UnknownEndpoint(endpoint=endpoint_id)
    await cancel_items(tx, tenant_id, target_of(endpoint_id), reason=reason("endpoint_gone"), now=now)
    events.forget(tenant_id)


def document(endpoint: StoredEndpoint, now: datetime) -> dict[str, Any]:
    """An endpoint in JSON, without its secrets."""
    overlapping = endpoint.previous_until is not None and endpoint.previous_until > now
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "events": endpoint.events.split(),
        "paused": endpoint.paused,
        "previous_secret_until": endpoint.previous_until if overlapping else None,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }


def new_secret() -> str:
    """A secret as Standard Webhooks writes them."""
    return secret_of(secrets.token_bytes(_SECRET_BYTES))


def check_url(url: str, allowed: Allowed) -> None:
    """An address that can be sent to at all. Where its name leads is looked at each time something is sent."""
    try:
        checked = checked_url(url, allowed)
    except Unreachable as error:
        code = "endpoint_plain_http" if error.code == "plain_http" else "endpoint_url"
        raise InvalidRequest("url", code, url=url[:200]) from None
    if checked.fragment:
        raise InvalidRequest("url", "endpoint_url", url=url[:200])


def _with_secret(endpoint: StoredEndpoint, secret: str, key: str | None, now: datetime) -> StoredEndpoint:
    try:
        return renewed(endpoint, secret, OVERLAP, key=key, now=now)
    except NoKey:
        raise InvalidRequest("url", "endpoint_without_key", variable="STAGERAIL_ENCRYPTION_KEY") from None
