"""A small world for deliveries: a tenant, its process, its connection; and what is to be seen of them afterwards."""

import json
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet

from app.crm.secrets import encrypt
from app.services.deliveries import Progress, Request, receive, work_on
from app.services.processes import Processes
from app.store.connections import StoredConnection, put_connection
from app.store.database import Database, Transaction
from app.store.deals import list_deals
from app.store.decisions import list_decisions
from app.store.deliveries import read_delivery
from app.store.processes import ProcessVersion, lock_process, publish
from app.store.tenants import Tenant, insert_tenant
from tests.crm.builders import NOON, SECRET, hubspot_settings, signed_headers

KEY = Fernet.generate_key().decode()
URI = "https://gate.example.com/webhooks/hs"

SALES = b"""
process: sales
timezone: Europe/Rome
roles: [rep, sales_manager]
activities: [{key: demo, outcomes: [held, no_show]}]
fields:
  - {key: amount, type: number}
  - {key: next_step, type: text}
stages:
  - {key: demo_scheduled, exit: [{id: next-step, field: next_step, is: present}]}
  - {key: demo_completed}
  - {key: won, kind: won}
  - {key: lost, kind: lost}
path: [demo_scheduled, demo_completed, won]
transitions:
  - from: demo_scheduled
    to: demo_completed
    requires: [{id: demo-held, activity: demo, outcome: held, mode: warn}]
  - {from: demo_completed, to: won, requires: [{id: amount, field: amount, at_least: 1}]}
  - {from: open, to: lost}
"""
RENEWALS = b"""
process: renewals
stages: [{key: due}, {key: won, kind: won}, {key: lost, kind: lost}]
path: [due, won]
transitions: [{from: open, to: lost}]
"""


async def furnish(database: Database) -> None:
    """A tenant with two processes and one connection."""
    await database.transaction(lambda tx: insert_tenant(tx, Tenant("acme", "Acme", NOON)))
    await publish_to(database, "acme")
    await connect(database)


async def publish_to(database: Database, tenant_id: str) -> None:
    """Publish both processes for a tenant."""

    async def work(tx: Transaction) -> None:
        for key, source in (("sales", SALES), ("renewals", RENEWALS)):
            await lock_process(tx, tenant_id, key, NOON)
            row = (tenant_id, key, 1, f"sha256:{key}", "application/yaml", source.decode(), "[]", NOON, None)
            await publish(tx, ProcessVersion(*row))

    await database.transaction(work)


async def connect(database: Database, **changes: Any) -> None:
    """Put the connection's settings."""
    settings = hubspot_settings(**changes).model_dump_json()
    row = StoredConnection("acme", "hs", "hubspot", settings, encrypt(KEY, SECRET), NOON, NOON)
    await database.transaction(lambda tx: put_connection(tx, row))


async def deliver(database: Database, body: bytes, *, at: datetime = NOON, to: str = "hs") -> str:
    """Have HubSpot deliver; the delivery's id."""
    request = Request("POST", URI, signed_headers(body, uri=URI, at=at), body)
    return (await receive(database, to, request, key=KEY, now=at)).delivery_id


async def work_off(database: Database, *, at: datetime = NOON) -> None:
    """Work on every delivery that waits."""
    while await database.transaction(lambda tx: work_on(tx, Processes(), at, Progress())):
        pass


async def became_of(database: Database, delivery_id: str) -> tuple[str, dict[str, int]]:
    """The status of a delivery, and those of its counts that are not nought."""
    row = await read_delivery(database, "acme", delivery_id)
    assert row is not None
    counts: dict[str, int] = json.loads(row.result)["events"] if row.result else {}
    return row.status, {name: count for name, count in counts.items() if count}


async def log_of(database: Database) -> list[tuple[str | None, str | None, str]]:
    """The decision log, oldest first: from, to, outcome."""
    rows = await list_decisions(database, "acme", limit=10_000)
    return [(row.from_stage, row.to_stage, row.outcome) for row in reversed(rows)]


async def deals_of(database: Database) -> dict[str, dict[str, Any]]:
    """The stored deals by id, without what is empty."""
    rows = await list_deals(database, "acme", limit=10_000)
    snapshots = {row.deal_id: json.loads(row.snapshot) for row in rows}
    return {deal_id: {key: value for key, value in one.items() if value} for deal_id, one in snapshots.items()}
