"""What each aggregate offers, on both databases."""

import pytest

from app.store.activities import StoredActivity, find_activity, list_activities, put_activity, replace_activities
from app.store.connections import (
    StoredConnection,
    find_connection,
    list_connections,
    put_connection,
    read_connection,
)
from app.store.database import Conflict, Database
from app.store.deals import list_deals, read_deal, read_deal_for_update, update_deal
from app.store.decisions import append_decision, insert_decision, list_decisions, read_decision
from app.store.idempotency import insert_answer, purge_answers, read_answer
from app.store.keys import ApiKey, add_key, find_key, list_keys, revoke_key
from app.store.tenants import list_tenants, read_tenant
from tests.store.rows import (
    NOON,
    activity,
    add_deal,
    add_tenants,
    answer,
    api_key,
    connection,
    deal,
    decision,
    minutes,
    tenant,
)


async def test_tenants_are_read_and_listed_and_their_ids_are_unique(database: Database) -> None:
    assert await read_tenant(database, "acme") == tenant("acme")
    assert await read_tenant(database, "nobody") is None
    assert await list_tenants(database) == [tenant("acme"), tenant("globex")]
    with pytest.raises(Conflict):
        await add_tenants(database, "acme")


async def _add_key(database: Database, key: ApiKey) -> None:
    await database.transaction(lambda tx: add_key(tx, key))


async def test_a_key_is_found_by_its_id_alone(database: Database) -> None:
    await _add_key(database, api_key())
    assert await find_key(database, "k1") == api_key()
    assert await find_key(database, "K1") is None


async def test_the_id_of_a_key_is_taken_for_every_tenant(database: Database) -> None:
    await _add_key(database, api_key())
    with pytest.raises(Conflict):
        await _add_key(database, api_key(tenant_id="globex"))


async def test_a_key_is_revoked_once_and_keeps_its_place_in_the_list(database: Database) -> None:
    for key_id in ("k1", "k2"):
        await _add_key(database, api_key(key_id=key_id))
    later = NOON + minutes(5)
    assert await database.transaction(lambda tx: revoke_key(tx, "acme", "k1", later)) is True
    assert await database.transaction(lambda tx: revoke_key(tx, "acme", "k1", NOON)) is False
    assert await list_keys(database, "acme") == [api_key(revoked_at=later), api_key(key_id="k2")]


async def test_a_deal_is_changed_only_at_the_expected_revision_and_keeps_what_it_was_born_with(
    database: Database,
) -> None:
    await add_deal(database, deal(connection_id="hub-1"))
    later = NOON + minutes(1)
    changed = deal(
        process_key="renewals", process_version=2, stage="won", owner=None, revision=2, snapshot="{1}", updated_at=later
    )
    expected = changed._replace(connection_id="hub-1", created_at=NOON)
    odd = changed._replace(connection_id="other", created_at=later)
    assert await database.transaction(lambda tx: update_deal(tx, odd, expected_revision=1)) is True
    assert await database.transaction(lambda tx: update_deal(tx, deal(stage="x"), expected_revision=1)) is False
    assert await read_deal(database, "acme", "D-1") == expected
    assert await database.transaction(lambda tx: read_deal_for_update(tx, "acme", "D-1")) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["D-1", "D-2", "D-3"]),
        ({"process_key": "sales"}, ["D-1", "D-2"]),
        ({"stage": "demo"}, ["D-1", "D-3"]),
        ({"process_key": "sales", "stage": "demo"}, ["D-1"]),
        ({"cursor": "D-1"}, ["D-2", "D-3"]),
        ({"stage": "demo", "cursor": "D-1"}, ["D-3"]),
        ({"stage": "Demo"}, []),
    ],
)
async def test_deals_are_listed_by_process_and_stage(
    database: Database, filters: dict[str, str], expected: list[str]
) -> None:
    await add_deal(database, deal(deal_id="D-2", stage="won"))
    await add_deal(database, deal(deal_id="D-1"))
    await add_deal(database, deal(deal_id="D-3", process_key="renewals"))
    listed = await list_deals(database, "acme", limit=10, **filters)
    assert [row.deal_id for row in listed] == expected


async def test_a_page_holds_no_more_than_its_limit(database: Database) -> None:
    for number in range(3):
        await add_deal(database, deal(deal_id=f"D-{number}"))
    assert [row.deal_id for row in await list_deals(database, "acme", limit=2)] == ["D-0", "D-1"]


async def test_an_activity_is_stored_found_and_overwritten_by_its_id(database: Database) -> None:
    await add_deal(database, deal())
    planned = activity(status="planned", outcome=None, direction=None, by_id=None, content_digest="sha256:b")
    for row in (planned, activity()):
        await database.transaction(lambda tx, row=row: put_activity(tx, row))  # type: ignore[misc]
    assert await find_activity(database, "acme", "D-1", "a-1") == activity()
    assert await find_activity(database, "acme", "D-1", "A-1") is None


async def test_the_activities_of_a_deal_become_those_that_are_given(database: Database) -> None:
    await add_deal(database, deal())

    async def replace(*rows: StoredActivity) -> list[StoredActivity]:
        await database.transaction(lambda tx: replace_activities(tx, "acme", "D-1", list(rows)))
        return await list_activities(database, "acme", "D-1")

    early = activity(activity_id="a-2", at=NOON - minutes(1))
    changed = activity(activity_id="a-2", at=NOON + minutes(1), content_digest="sha256:new")
    assert await replace(activity(), early) == [early, activity()]
    assert await replace(changed, activity(activity_id="a-3")) == [activity(activity_id="a-3"), changed]
    assert await replace() == []


async def test_a_decision_is_logged_by_itself_or_with_what_it_changed(database: Database) -> None:
    await append_decision(database, decision("1"))
    await database.transaction(lambda tx: insert_decision(tx, decision("2", source="move", applied=True)))
    assert await read_decision(database, "acme", "1") == decision("1")
    assert await read_decision(database, "acme", "2") == decision("2", source="move", applied=True)
    assert await read_decision(database, "acme", "3") is None


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["4", "3", "2", "1"]),
        ({"deal_id": "D-1"}, ["3", "1"]),
        ({"process_key": "renewals"}, ["2"]),
        ({"outcome": "allowed"}, ["3"]),
        ({"source": "webhook"}, ["4"]),
        ({"cursor": "3"}, ["2", "1"]),
        ({"deal_id": "D-1", "outcome": "blocked", "source": "api", "cursor": "2"}, ["1"]),
    ],
)
async def test_decisions_are_listed_newest_first(
    database: Database, filters: dict[str, str], expected: list[str]
) -> None:
    await append_decision(database, decision("2", deal_id=None, process_key="renewals"))
    await append_decision(database, decision("1"))
    await append_decision(database, decision("4", deal_id="D-2", source="webhook"))
    await append_decision(database, decision("3", outcome="allowed"))
    listed = await list_decisions(database, "acme", limit=10, **filters)
    assert [row.decision_id for row in listed] == expected


async def _put(database: Database, row: StoredConnection) -> None:
    await database.transaction(lambda tx: put_connection(tx, row))


async def test_a_connection_is_stored_overwritten_and_found_by_its_id_alone(database: Database) -> None:
    later = NOON + minutes(1)
    await _put(database, connection())
    await _put(database, connection(settings="{1}", secret_ciphertext="gBBB", created_at=later, updated_at=later))
    expected = connection(settings="{1}", secret_ciphertext="gBBB", updated_at=later)
    assert await find_connection(database, "hub-1") == expected
    assert await read_connection(database, "acme", "hub-1") == expected
    assert await list_connections(database, "acme") == [expected]
    assert await find_connection(database, "HUB-1") is None


async def test_a_tenant_cannot_take_over_the_connection_of_another(database: Database) -> None:
    await _put(database, connection())
    with pytest.raises(Conflict):
        await _put(database, connection(tenant_id="globex"))
    assert await find_connection(database, "hub-1") == connection()


async def test_an_answer_is_kept_once_for_each_idempotency_key(database: Database) -> None:
    await database.transaction(lambda tx: insert_answer(tx, answer()))
    with pytest.raises(Conflict):
        await database.transaction(lambda tx: insert_answer(tx, answer(status=500)))
    assert await read_answer(database, "acme", "once") == answer()
    assert await read_answer(database, "acme", "twice") is None


async def test_old_answers_are_forgotten(database: Database) -> None:
    rows = [answer(idempotency_key=str(age), created_at=NOON - minutes(age)) for age in (1, 2, 3)]
    for row in [*rows, answer(tenant_id="globex", created_at=NOON - minutes(9))]:
        await database.transaction(lambda tx, row=row: insert_answer(tx, row))  # type: ignore[misc]
    assert await database.transaction(lambda tx: purge_answers(tx, "acme", NOON - minutes(2))) == 1
    assert [await read_answer(database, "acme", key) for key in ("1", "2", "3")] == [rows[0], rows[1], None]
    assert await read_answer(database, "globex", "once") is not None
