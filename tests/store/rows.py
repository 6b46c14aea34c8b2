"""Rows for tests: whole and ordinary, each test changing only what it is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.store.activities import StoredActivity
from app.store.connections import StoredConnection
from app.store.crm_moves import CrmMove
from app.store.crm_records import StoredRecord
from app.store.database import Database
from app.store.deals import StoredDeal, insert_deal
from app.store.decisions import LoggedDecision
from app.store.deliveries import StoredDelivery
from app.store.endpoints import StoredEndpoint
from app.store.idempotency import StoredAnswer
from app.store.keys import ApiKey
from app.store.outbox import StoredItem
from app.store.processes import ProcessVersion, lock_process, publish
from app.store.tenants import Tenant, insert_tenant

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def tenant(tenant_id: str = "acme") -> Tenant:
    return Tenant(tenant_id, "Acme", NOON)


def api_key(**changes: Any) -> ApiKey:
    return ApiKey("acme", "k1", "hash", "decide admin", "laptop", NOON, None)._replace(**changes)


def version(number: int = 1, **changes: Any) -> ProcessVersion:
    row = ProcessVersion(
        "acme", "sales", number, f"sha256:{number}", "application/yaml", "key: sales", "[]", NOON, "k1"
    )
    return row._replace(**changes)


def deal(**changes: Any) -> StoredDeal:
    return StoredDeal("acme", "D-1", "sales", 1, "demo", "rep-7", 1, "{}", None, NOON, NOON)._replace(**changes)


def activity(**changes: Any) -> StoredActivity:
    row = StoredActivity("acme", "D-1", "a-1", "demo", NOON, "done", "held", "outbound", "rep-7", '["c-1"]', "sha256:a")
    return row._replace(**changes)


def decision(decision_id: str = "0199-1", **changes: Any) -> LoggedDecision:
    row = LoggedDecision(
        tenant_id="acme",
        decision_id=decision_id,
        deal_id="D-1",
        process_key="sales",
        process_version=1,
        from_stage="demo",
        to_stage="won",
        outcome="blocked",
        source="api",
        actor_id="rep-7",
        as_of=NOON,
        decided_at=NOON,
        applied=False,
        facts_complete=True,
        document='{"findings": []}',
    )
    return row._replace(**changes)


def connection(**changes: Any) -> StoredConnection:
    return StoredConnection("acme", "hub-1", "hubspot", "{}", "gAAA", NOON, NOON)._replace(**changes)


def record(**changes: Any) -> StoredRecord:
    return StoredRecord("acme", "hub-1", "7", "{}", NOON)._replace(**changes)


def crm_move(**changes: Any) -> CrmMove:
    row = CrmMove(
        "acme", "hub-1", "7", "e-1", "sales", "demo", "won", NOON, "2026-W48", "2026-11-23", "CRM_UI", "rep-7",
        "drift", "0199-1",
    )  # fmt: skip
    return row._replace(**changes)


def delivery(delivery_id: str = "d-1", **changes: Any) -> StoredDelivery:
    row = StoredDelivery("acme", delivery_id, "hub-1", NOON, "received", None, b"[\x00\xff]", 0, NOON, None, None)
    return row._replace(**changes)


def answer(**changes: Any) -> StoredAnswer:
    return StoredAnswer("acme", "once", "sha256:f", 201, '{"etag": "1"}', b"{\x00}", NOON)._replace(**changes)


async def add_tenants(database: Database, *tenant_ids: str) -> None:
    for tenant_id in tenant_ids:
        await database.transaction(lambda tx, name=tenant_id: insert_tenant(tx, tenant(name)))  # type: ignore[misc]


async def add_deal(database: Database, row: StoredDeal) -> None:
    await database.transaction(lambda tx: insert_deal(tx, row))


async def add_version(database: Database, row: ProcessVersion) -> None:
    async def work(tx: Any) -> None:
        await lock_process(tx, row.tenant_id, row.process_key, NOON)
        await publish(tx, row)

    await database.transaction(work)


def endpoint(**changes: Any) -> StoredEndpoint:
    row = StoredEndpoint("acme", "e-1", "https://example.com", "*", False, "sealed", None, None, NOON, NOON)
    return row._replace(**changes)


def outbox_item(item_id: str = "i-1", **changes: Any) -> StoredItem:
    row = StoredItem(
        tenant_id="acme",
        item_id=item_id,
        target_id="endpoint:e-1",
        order_key=item_id,
        kind="event",
        dedupe_key=f"key {item_id}",
        payload="{}",
        status="waiting",
        attempts=0,
        not_before=NOON,
        lease_until=None,
        leased_by=None,
        reason=None,
        created_at=NOON,
        finished_at=None,
    )
    return row._replace(**changes)
