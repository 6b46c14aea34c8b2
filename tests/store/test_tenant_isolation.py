"""Nothing of one tenant is visible to another or changed by it: every function that takes a tenant is asked."""

import inspect
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pytest

from app.store import (
    activities,
    backlog,
    connection_states,
    connections,
    crm_moves,
    crm_records,
    deals,
    decisions,
    deliveries,
    endpoints,
    idempotency,
    keys,
    outbox,
    outbox_targets,
    processes,
    syncs,
    tenants,
)
from app.store.crm_records import StoredRecord
from app.store.database import Database
from tests.store.rows import (
    NOON,
    activity,
    add_deal,
    add_version,
    answer,
    api_key,
    connection,
    crm_move,
    deal,
    decision,
    delivery,
    endpoint,
    minutes,
    outbox_item,
    record,
    version,
)

MODULES = (
    activities, backlog, connection_states, connections, crm_moves, crm_records, deals, decisions, deliveries,
    endpoints, idempotency, keys, outbox, outbox_targets, processes, syncs, tenants,
)  # fmt: skip
THEIRS = "globex"
LEASE = outbox.Lease(THEIRS, "i-1", "w", 1)
SYNC = syncs.StoredSync(
    "acme", "s-1", "hub-1", None, None, True, "running", 0, 0, None, None, None, NOON, NOON, NOON, None
)

# What the other tenant gets when it asks for exactly what acme has.
READING: dict[str, tuple[Callable[[Any], Awaitable[Any]], object]] = {
    "find_activity": (lambda db: activities.find_activity(db, THEIRS, "D-1", "a-1"), None),
    "list_activities": (lambda db: activities.list_activities(db, THEIRS, "D-1"), []),
    "read_connection": (lambda db: connections.read_connection(db, THEIRS, "hub-1"), None),
    "read_record": (lambda db: crm_records.read_record(db, THEIRS, "hub-1", "7"), None),
    "list_objects": (lambda db: crm_records.list_objects(db, THEIRS, "hub-1", after="", limit=9), []),
    "list_moves": (lambda db: crm_moves.list_moves(db, THEIRS, "hub-1", "7"), []),
    "list_drift": (lambda db: crm_moves.list_drift(db, THEIRS, crm_moves.Wanted("sales"), limit=9), []),
    "count_moves": (lambda db: crm_moves.count_moves(db, THEIRS, crm_moves.Wanted("sales"), by="channel"), []),
    "list_connections": (lambda db: connections.list_connections(db, THEIRS), []),
    "count_unmapped": (lambda db: crm_moves.count_unmapped(db, THEIRS, "hub-1", "unmapped:", 9), []),
    "read_deal": (lambda db: deals.read_deal(db, THEIRS, "D-1"), None),
    "list_deals": (lambda db: deals.list_deals(db, THEIRS, limit=9), []),
    "read_decision": (lambda db: decisions.read_decision(db, THEIRS, "0199-1"), None),
    "list_decisions": (lambda db: decisions.list_decisions(db, THEIRS, limit=9), []),
    "read_delivery": (lambda db: deliveries.read_delivery(db, THEIRS, "d-1"), None),
    "read_item": (lambda db: outbox.read_item(db, THEIRS, "i-1"), None),
    "list_items": (lambda db: outbox.list_items(db, THEIRS, limit=9), []),
    "read_state": (lambda db: connection_states.read_state(db, THEIRS, "hub-1"), None),
    "read_sync": (lambda db: syncs.read_sync(db, THEIRS, "s-1"), None),
    "is_reconciling": (lambda db: syncs.is_reconciling(db, THEIRS, "hub-1"), False),
    "read_endpoint": (lambda db: endpoints.read_endpoint(db, THEIRS, "e-1"), None),
    "list_endpoints": (lambda db: endpoints.list_endpoints(db, THEIRS, limit=9), []),
    "read_target": (lambda db: outbox_targets.read_target(db, THEIRS, "endpoint:e-1"), None),
    "read_answer": (lambda db: idempotency.read_answer(db, THEIRS, "once"), None),
    "list_keys": (lambda db: keys.list_keys(db, THEIRS), []),
    "current_version": (lambda db: processes.current_version(db, THEIRS, "sales"), None),
    "read_version": (lambda db: processes.read_version(db, THEIRS, "sales", 1), None),
    "list_processes": (lambda db: processes.list_processes(db, THEIRS, limit=9), []),
    "list_versions": (lambda db: processes.list_versions(db, THEIRS, "sales"), []),
    "read_tenant": (lambda db: tenants.read_tenant(db, "GLOBEX"), None),
}
# The same inside a transaction, with what changes rows.
WRITING: dict[str, tuple[Callable[[Any], Awaitable[Any]], object]] = {
    "read_deal_for_update": (lambda tx: deals.read_deal_for_update(tx, THEIRS, "D-1"), None),
    "update_deal": (lambda tx: deals.update_deal(tx, deal(tenant_id=THEIRS, stage="x"), expected_revision=1), False),
    "delete_connection": (lambda tx: connections.delete_connection(tx, THEIRS, "hub-1"), False),
    "lock_record": (
        lambda tx: crm_records.lock_record(tx, THEIRS, "hub-1", "7"), StoredRecord(THEIRS, "hub-1", "7", None),
    ),
    "write_record": (
        lambda tx: crm_records.write_record(tx, StoredRecord(THEIRS, "hub-1", "7", "{theirs}", NOON)), None,
    ),
    "ask_to_judge": (lambda tx: crm_records.ask_to_judge(tx, THEIRS, "hub-1", "7", NOON), None),
    "lease_due": (
        lambda tx: crm_records.lease_due(tx, THEIRS, "hub-1", now=NOON, until=NOON, limit=9), [],
    ),
    "put_off": (lambda tx: crm_records.put_off(tx, record(tenant_id=THEIRS, object_id="8"), None), False),
    "put_move": (lambda tx: crm_moves.put_move(tx, crm_move(tenant_id=THEIRS, verdict="own")), None),
    "delete_move": (lambda tx: crm_moves.delete_move(tx, THEIRS, "hub-1", "7", "e-2"), None),
    "rename_move": (lambda tx: crm_moves.rename_move(tx, THEIRS, "hub-1", "7", "e-2", new_key="e-3"), None),
    "note_remedied": (lambda tx: crm_moves.note_remedied(tx, THEIRS, "hub-1", "7", "e-2", remedied="{}"), False),
    "keep_access": (lambda tx: connections.keep_access(tx, THEIRS, "hub-1", "theirs", NOON), None),
    "revoke_key": (lambda tx: keys.revoke_key(tx, THEIRS, "k1", NOON), False),
    "lock_process": (lambda tx: processes.lock_process(tx, THEIRS, "sales", NOON), None),
    "replace_activities": (lambda tx: activities.replace_activities(tx, THEIRS, "D-1", []), None),
    "purge_answers": (lambda tx: idempotency.purge_answers(tx, THEIRS, NOON + minutes(9)), 0),
    "finish_delivery": (
        lambda tx: deliveries.finish_delivery(tx, delivery(tenant_id=THEIRS), result="{}", at=NOON), False,
    ),
    "refuse_delivery": (
        lambda tx: deliveries.refuse_delivery(tx, delivery(tenant_id=THEIRS), reason="", at=NOON), False,
    ),
    "postpone_delivery": (
        lambda tx: deliveries.postpone_delivery(tx, delivery(tenant_id=THEIRS), reason="", until=NOON), False,
    ),
    "count_leased": (lambda tx: outbox.count_leased(tx, THEIRS, "endpoint:e-1", NOON), 0),
    "lease_items": (
        lambda tx: outbox.lease_items(tx, THEIRS, "endpoint:e-1", owner="w", now=NOON, until=NOON, limit=9), [],
    ),
    "renew_lease": (lambda tx: outbox.renew_lease(tx, LEASE, NOON), False),
    "finish_item": (lambda tx: outbox.finish_item(tx, LEASE, status="done", reason=None, at=NOON), False),
    "put_off_item": (lambda tx: outbox.put_off_item(tx, LEASE, until=NOON, reason=None, attempts=1), False),
    "cancel_item": (lambda tx: outbox.cancel_item(tx, THEIRS, "i-1", reason="", now=NOON), False),
    "withdraw_item": (lambda tx: outbox.withdraw_item(tx, THEIRS, "key i-1", reason="", now=NOON), False),
    "replay_item": (lambda tx: outbox.replay_item(tx, THEIRS, "i-1", NOON), False),
    "release_items": (lambda tx: outbox.release_items(tx, THEIRS, "endpoint:e-1", NOON), 0),
    "cancel_items": (lambda tx: outbox.cancel_items(tx, THEIRS, "endpoint:e-1", reason="", now=NOON), 0),
    "look_anew": (lambda tx: connection_states.look_anew(tx, THEIRS, "hub-1", NOON + minutes(9)), None),
    "delete_state": (lambda tx: connection_states.delete_state(tx, THEIRS, "hub-1"), None),
    "set_channel": (lambda tx: connection_states.set_channel(tx, THEIRS, "hub-1", None), None),
    "set_reconciling": (lambda tx: connection_states.set_reconciling(tx, THEIRS, "hub-1", None), None),
    "set_reconciled": (lambda tx: connection_states.set_reconciled(tx, THEIRS, "hub-1", NOON), None),
    "count_gaps": (lambda tx: connection_states.count_gaps(tx, THEIRS, "hub-1", 1), None),
    "save_sync": (lambda tx: syncs.save_sync(tx, SYNC._replace(tenant_id=THEIRS, done=9), NOON), False),
    "lock_endpoint": (lambda tx: endpoints.lock_endpoint(tx, THEIRS, "e-1"), None),
    "delete_endpoint": (lambda tx: endpoints.delete_endpoint(tx, THEIRS, "e-1"), False),
    "pause_endpoint": (lambda tx: endpoints.pause_endpoint(tx, endpoint(tenant_id=THEIRS), NOON), False),
    "know_target": (lambda tx: outbox_targets.know_target(tx, THEIRS, "endpoint:e-1"), None),
    "lock_target": (lambda tx: outbox_targets.lock_target(tx, THEIRS, "endpoint:e-1"), None),
    "try_lock_target": (lambda tx: outbox_targets.try_lock_target(tx, THEIRS, "endpoint:e-1"), None),
    "note_answer": (lambda tx: outbox_targets.note_answer(tx, THEIRS, "endpoint:e-1", NOON), None),
    "begin_anew": (lambda tx: outbox_targets.begin_anew(tx, THEIRS, "endpoint:e-1"), None),
    "insert_events_if_new": (lambda tx: deliveries.insert_events_if_new(tx, THEIRS, "hub-1", ["e"], NOON), {"e"}),
}  # fmt: skip
# Before any tenant is known, for the operator, or a row that names its tenant itself.
GLOBAL = {
    "find_key", "find_connection", "lock_connection", "list_tenants", "claim_delivery",
    "due_targets", "count_waiting", "forget_items", "forget_targets", "forget_events",
    "know_new_connections", "expiring_channels", "due_reconciling", "claim_sync", "forget_syncs",
    "take_rotten", "connections_due", "erase_bodies",
}  # fmt: skip
ROWS = {
    "add_key", "append_decision", "append_delivery", "insert_answer", "insert_deal", "insert_decision",
    "insert_delivery", "insert_tenant", "publish", "put_activity", "put_connection",
    "put_endpoint", "insert_item_if_new", "note_failure", "insert_sync",
}  # fmt: skip


@pytest.fixture
async def acme(database: Database) -> Database:
    """Fill acme with one of everything."""
    await add_version(database, version())
    await add_deal(database, deal())
    await decisions.append_decision(database, decision())
    await deliveries.append_delivery(database, delivery())

    async def work(tx: Any) -> None:
        await keys.add_key(tx, api_key())
        await activities.put_activity(tx, activity())
        await connections.put_connection(tx, connection(access_ciphertext="held"))
        await idempotency.insert_answer(tx, answer())
        await deliveries.insert_events_if_new(tx, "acme", "hub-1", ["e"], NOON)
        await crm_records.lock_record(tx, "acme", "hub-1", "7")
        await crm_records.write_record(tx, record())
        await crm_moves.put_move(tx, crm_move())
        await outbox_targets.know_target(tx, "acme", "endpoint:e-1")
        await outbox_targets.note_failure(tx, outbox_targets.StoredTarget("acme", "endpoint:e-1", 1, None))
        await outbox.insert_item_if_new(tx, outbox_item())
        await endpoints.put_endpoint(tx, endpoint())
        await connection_states.know_new_connections(tx, NOON, 9)
        await syncs.insert_sync(tx, SYNC)

    await database.transaction(work)
    return database


async def _everything(database: Database) -> list[object]:
    """What acme sees."""
    return [
        await keys.list_keys(database, "acme"),
        await processes.list_processes(database, "acme", limit=9),
        await processes.read_version(database, "acme", "sales", 1),
        await deals.list_deals(database, "acme", limit=9),
        await activities.list_activities(database, "acme", "D-1"),
        await decisions.list_decisions(database, "acme", limit=9),
        await connections.list_connections(database, "acme"),
        await deliveries.read_delivery(database, "acme", "d-1"),
        await idempotency.read_answer(database, "acme", "once"),
        await outbox.list_items(database, "acme", limit=9),
        await endpoints.list_endpoints(database, "acme", limit=9),
        await connection_states.read_state(database, "acme", "hub-1"),
        await syncs.read_sync(database, "acme", "s-1"),
        await outbox_targets.read_target(database, "acme", "endpoint:e-1"),
        await crm_records.read_record(database, "acme", "hub-1", "7"),
        await crm_moves.list_moves(database, "acme", "hub-1", "7"),
    ]


@pytest.mark.parametrize("name", READING)
async def test_another_tenant_sees_nothing(acme: Database, name: str) -> None:
    ask, expected = READING[name]
    assert await ask(acme) == expected


@pytest.mark.parametrize("name", WRITING)
async def test_another_tenant_changes_nothing(acme: Database, name: str) -> None:
    ask, expected = WRITING[name]
    before = await _everything(acme)
    assert [row for row in before if not row] == []
    assert await acme.transaction(ask) == expected
    assert await _everything(acme) == before


async def test_two_tenants_use_the_same_ids_side_by_side(acme: Database) -> None:
    theirs = deal(tenant_id=THEIRS, stage="won")
    await add_deal(acme, theirs)
    await add_version(acme, version(tenant_id=THEIRS, digest="sha256:theirs"))
    await decisions.append_decision(acme, decision(tenant_id=THEIRS, outcome="allowed"))
    assert [await deals.read_deal(acme, tenant, "D-1") for tenant in ("acme", THEIRS)] == [deal(), theirs]
    assert await processes.current_version(acme, "acme", "sales") == (1, "sha256:1")
    assert await processes.current_version(acme, THEIRS, "sales") == (1, "sha256:theirs")
    assert await decisions.list_decisions(acme, "acme", limit=9) == [decision()]


def test_every_function_of_every_aggregate_is_asked() -> None:
    def functions(module: ModuleType) -> set[str]:
        return {
            name
            for name, value in vars(module).items()
            if inspect.iscoroutinefunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
        }

    known = set().union(*(functions(module) for module in MODULES))
    assert known == {*READING, *WRITING, *GLOBAL, *ROWS}
