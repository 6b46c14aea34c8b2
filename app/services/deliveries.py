"""Deliveries of CRMs: taken in with one durable insert, worked on afterwards, told about when asked."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app import logs
from app.crm.adapters import ADAPTERS, Answer
from app.crm.connection import ConnectionSettings
from app.crm.events import Batch, Event, Malformed, by_deal
from app.crm.reading import key_of
from app.crm.secrets import NoKey, WrongKey
from app.crm.timeline import identity
from app.engine.values import duration
from app.services.connection_settings import settings_of
from app.services.crm_facts import News, Source, Taken, source_of, take_in
from app.services.delivery_refusal import append_refused, refuse
from app.services.events import Events
from app.services.ids import new_id
from app.services.processes import Processes
from app.services.refusals import Refused
from app.services.secret_overlap import secrets_of
from app.store.connection_states import set_reconciling
from app.store.connections import StoredConnection, find_connection, read_connection
from app.store.database import Database, Transaction
from app.store.deliveries import (
    StoredDelivery,
    append_delivery,
    claim_delivery,
    finish_delivery,
    insert_events_if_new,
)

_log = logs.get_logger(__name__)


class UnknownConnection(Refused):
    """No such connection: `connection`."""

    kind = "unknown-connection"


class BadSignature(Refused):
    """What came is not from the CRM, or not from now. Which of the two, nobody is told."""

    kind = "bad-signature"


class SecretUnavailable(Refused):
    """The connection's secret cannot be decrypted here: not the CRM's fault, which should try again."""

    kind = "secret-unavailable"


class Received(NamedTuple):
    """A delivery that is safe with us; `answer` is what its CRM wants to hear, where that is not ours to choose."""

    tenant_id: str
    delivery_id: str
    status: str
    answer: Answer | None = None


class Request(NamedTuple):
    """A delivery as it came over HTTP: bytes that nobody has looked at, under the address that the CRM called.

    `refused` says why the body will not be read, nor kept: it only proves who sent it.
    """

    method: str
    uri: str
    headers: Mapping[str, str]
    body: bytes
    refused: Malformed | None = None


async def receive(
    db: Database, connection_id: str, request: Request, *, key: str | None, now: datetime, events: Events | None = None
) -> Received:
    """Check who sent it, then store it. One that cannot be read is stored as refused, with the reason."""
    connection = await genuine(db, connection_id, request, key=key, now=now)
    delivery = _received(connection, request, now)
    if delivery.status == "refused" and events is not None:
        await db.transaction(lambda tx: append_refused(tx, delivery, events, now))
    else:
        await append_delivery(db, delivery)
    answer = ADAPTERS[connection.kind].answer(request.body)
    return Received(delivery.tenant_id, delivery.delivery_id, delivery.status, answer)


async def genuine(
    db: Database, connection_id: str, request: Request, *, key: str | None, now: datetime
) -> StoredConnection:
    """The connection whose CRM sent this. Raises UnknownConnection, SecretUnavailable, BadSignature."""
    connection = await find_connection(db, connection_id)
    if connection is None:
        raise UnknownConnection(connection=connection_id)
    try:
        secrets = secrets_of(connection, key, now)
    except (NoKey, WrongKey) as error:
        _log.error("secret_unavailable", connection=connection_id, reason=type(error).__name__)
        raise SecretUnavailable from error
    method, uri, headers, body = request[:4]
    if not ADAPTERS[connection.kind].verify(secrets, method=method, uri=uri, headers=headers, body=body, now=now):
        raise BadSignature
    return connection


def _received(connection: StoredConnection, request: Request, now: datetime) -> StoredDelivery:
    refusal, settings = request.refused, settings_of(connection)
    scrub = ADAPTERS[connection.kind].scrub
    body = b""
    try:
        if refusal is None:
            body = request.body if scrub is None else scrub(request.body)
            read_with(connection, body, now)
    except Malformed as error:
        refusal = error
    return StoredDelivery(
        tenant_id=connection.tenant_id,
        delivery_id=new_id(now),
        connection_id=connection.connection_id,
        received_at=now,
        status="refused" if refusal else "received",
        reason=_reason(refusal) if refusal else None,
        body=body,
        attempts=0,
        not_before=now,
        processed_at=now if refusal else None,
        result=None,
        erase_at=now + duration(settings.keep_bodies),
    )


def read_with(connection: StoredConnection, body: bytes, received_at: datetime) -> Batch:
    """What a connection's adapter makes of a body. Raises Malformed."""
    adapter, settings = ADAPTERS[connection.kind], settings_of(connection)
    return adapter.read(body, settings) if adapter.read_at is None else adapter.read_at(body, settings, received_at)


def _reason(refusal: Malformed) -> str:
    return json.dumps({"code": refusal.code, "params": refusal.params}, ensure_ascii=False)


class Progress:
    """What the work in hand is about, told also when it fails: the delivery, and the outcomes of its decisions."""

    def __init__(self) -> None:
        self.delivery: StoredDelivery | None = None
        self.outcomes: list[str] = []


async def work_on(
    tx: Transaction, processes: Processes, now: datetime, progress: Progress, events: Events | None = None
) -> bool:
    """Work on the next delivery that is due, from its claim to its end in this one transaction; False with none due."""
    progress.outcomes = []
    progress.delivery = delivery = await claim_delivery(tx, now)
    if delivery is None:
        return False
    connection = await read_connection(tx, delivery.tenant_id, delivery.connection_id)
    if connection is None:
        await refuse(tx, delivery, _reason(Malformed("connection_gone")), events, now)
        return True
    try:
        batch = read_with(connection, delivery.body, delivery.received_at)
    except Malformed as refusal:  # the settings have changed since it came
        await refuse(tx, delivery, _reason(refusal), events, now)
        return True
    result = await _take_in_all(tx, source_of(connection, processes, now, events), batch, progress)
    await finish_delivery(tx, delivery, result=json.dumps(result, ensure_ascii=False), at=now)
    return True


async def _take_in_all(tx: Transaction, source: Source, batch: Batch, progress: Progress) -> dict[str, Any]:
    """Every event that was never seen before, deal by deal. In a fixed order, so that two batches cannot deadlock.

    Of copies that do not say the same each is taken in: what they say is joined, whichever of them came first.
    """
    told = {key_of(*event): event for event in batch.events}
    fresh = await insert_events_if_new(tx, source.tenant_id, source.connection_id, list(told), source.now)
    new = [event for said, event in told.items() if said in fresh]
    hints = set(batch.hints) if source.has_access else set()
    counts = Counter(ignored=batch.ignored, refused=len(batch.faults), duplicate=len(batch.events) - len(new))
    counts["facts"] += len(batch.facts)
    counts["settling" if source.has_access else "ignored"] += len(batch.hints) + batch.gap
    if batch.gap and source.has_access:
        await set_reconciling(tx, source.tenant_id, source.connection_id, source.now)
    decisions: list[str] = []
    events, facts = by_deal(new), by_deal(batch.facts)
    for object_id in sorted({*hints, *events, *facts}):
        own = events.get(object_id, [])
        taken = await take_in(tx, source, object_id, News(own, facts.get(object_id, []), object_id in hints))
        decisions += taken.decision_ids
        progress.outcomes += [one.decision.outcome for one in taken.judged.values()]
        counts += Counter(became(event, taken, source.settings) for event in own)
        identities = {identity(event) for event in own}
        counts["judged_anew"] += sum(one not in identities for one in taken.judged)
    faults = [fault._asdict() for fault in batch.faults]
    return {"events": {name: counts[name] for name in OUTCOMES}, "decisions": decisions, "faults": faults}


OUTCOMES = ("judged", "not_judged", "settling", "facts", "ignored", "duplicate", "refused", "judged_anew")
"""What may become of an event; `settling` counts what is judged later, `judged_anew` older events whose verdict is
another now.
"""


def became(event: Event, taken: Taken, settings: ConnectionSettings) -> str:
    """What became of one new event."""
    judgement = taken.judged.get(identity(event)) if _may_move(event, settings) else None
    if judgement is not None:
        return "not_judged" if judgement.decision.outcome == "not_judged" else "judged"
    if taken.settling and _may_move(event, settings):
        return "settling"
    return "ignored" if event.name == settings.stage_property else "facts"


def _may_move(event: Event, settings: ConnectionSettings) -> bool:
    return event.kind == "created" or event.name == settings.stage_property
