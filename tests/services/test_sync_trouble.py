"""Syncs of CRMs that fail: what one deal's failure means for it and for the others, and whose turn it is."""

from datetime import timedelta

import pytest

from app import clock
from app.crm.client import ClientError, Page
from app.crm.events import Event
from app.crm.facts import Reading
from app.crm.http import Unreachable
from app.crm.record import Record, to_document
from app.services import sync, unlisted
from app.services.connection_care import begin_reconciling, renew_channels
from app.services.events import Events
from app.store.connection_states import read_state
from app.store.crm_records import ask_to_judge, lock_record, read_record, write_record
from app.store.database import Database, Transaction
from app.store.deals import insert_deal
from app.store.syncs import claim_sync, is_reconciling, read_sync
from tests.services.test_sync import Crm, connected, started, state, worker_of
from tests.store.rows import NOON, deal

FAILING = ClientError("client_failing", again=True, status=500)
ELSEWHERE = "66"
"""A deal that is in no process of ours."""
BUSY = ClientError("client_throttled", again=True, after=0.001, status=429)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """As slow as it is for the others, a thousand times faster."""
    monkeypatch.setattr(sync, "FIRST_WAIT", sync.FIRST_WAIT / 1000)
    monkeypatch.setattr(sync, "PATIENCE", sync.PATIENCE / 1000)


async def put_aside(database: Database, sync_id: str) -> float:
    """For how many seconds nobody takes the sync; from here on somebody may."""
    found = await read_sync(database, "acme", sync_id)
    assert found is not None
    before = clock.now()
    await database.transaction(lambda tx: claim_sync(tx, found.lease_until, before))
    return (found.lease_until - before).total_seconds()


@pytest.mark.parametrize("error", [FAILING, Unreachable("timeout", host="x", seconds=1)])
async def test_a_deal_that_keeps_failing_is_told_and_does_not_stop_the_others(
    database: Database, error: Exception
) -> None:
    crm = Crm(5)
    crm.failing["1"] = error
    sync_id = await started(database)
    await worker_of(database, crm).next()
    code = error.code  # type: ignore[attr-defined]
    assert (crm.read, await state(database, sync_id)) == (["0", "2", "3", "4"], ("done", 4, 1, 5, code))


async def test_a_deal_on_which_we_fail_ourselves_does_not_stop_the_others_either(database: Database) -> None:
    crm = Crm(3)
    crm.failing["1"] = ZeroDivisionError()
    sync_id = await started(database)
    await worker_of(database, crm).next()
    assert (crm.read, await state(database, sync_id)) == (["0", "2"], ("done", 2, 1, 3, "deal_not_taken_in"))


async def test_a_deal_that_may_be_readable_later_is_read_again_when_it_has_settled(database: Database) -> None:
    crm = Crm(3)
    crm.failing = {"1": FAILING, "2": ClientError("client_refused", again=False)}
    await started(database)
    before = clock.now()
    await worker_of(database, crm).next()
    records = [await read_record(database, "acme", "hub-1", one) for one in crm.ids]
    due = [None if one is None else one.judge_at for one in records]
    assert (due[0], due[2]) == (None, None)
    assert due[1] is not None
    assert before <= due[1] <= clock.now()


async def test_a_crm_that_asks_for_short_pauses_again_and_again_fails_no_deal(database: Database) -> None:
    crm = Crm(3, *[BUSY] * (sync.MOST_TRIES + 1))
    sync_id = await started(database)
    await worker_of(database, crm).next()
    assert (crm.read, await state(database, sync_id)) == ([], ("running", 0, 0, 3, None))
    assert sync.WAIT_FOR_CRM - 5 <= await put_aside(database, sync_id) <= sync.WAIT_FOR_CRM
    await worker_of(database, crm).next()
    assert (crm.read, await state(database, sync_id)) == (crm.ids, ("done", 3, 0, 3, None))


async def test_a_list_that_fails_is_asked_for_again_later_but_not_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unlisted(Crm):
        async def list_deals(self, *_: object) -> Page:
            raise FAILING

    sync_id = await started(database)
    crm = Unlisted(3)
    await worker_of(database, crm).next()
    assert await state(database, sync_id) == ("running", 0, 0, None, None)
    assert sync.WAIT_FOR_CRM - 5 <= await put_aside(database, sync_id) <= sync.WAIT_FOR_CRM
    monkeypatch.setattr(sync, "WAIT_FOR_CRM", 0.0)
    turns = 1
    while (await state(database, sync_id))[0] == "running":
        await worker_of(database, crm).next()
        turns += 1
    assert (turns, await state(database, sync_id)) == (sync.MOST_FAILING, ("failed", 0, 0, None, "client_failing"))


async def test_a_list_on_which_we_fail_ourselves_ends_the_sync(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that goes on for ever would let no other reconciling read of its connection begin."""
    crm = Crm(5)
    monkeypatch.setattr(crm, "list_deals", lambda _since, _cursor: crm.read_back("acme", "hub-1", "1"))
    crm.failing["1"] = KeyError("id")
    sync_id = await started(database, reconciles=True)
    await worker_of(database, crm).next()
    assert await state(database, sync_id) == ("failed", 0, 0, None, "outbox_failed")
    assert await is_reconciling(database, "acme", "hub-1") is False


async def test_a_sync_whose_credentials_cannot_be_opened_ends_and_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_key(_tenant: str, _connection: str) -> None:
        raise ClientError("secret_unavailable", again=False)

    crm = Crm(5)
    monkeypatch.setattr(crm, "client_of", no_key)
    sync_id = await started(database)
    await worker_of(database, crm).next()
    assert await state(database, sync_id) == ("failed", 0, 0, None, "secret_unavailable")


async def test_a_large_sync_holds_up_no_other(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "TURN", timedelta(0))
    crm = Crm(7)
    large, small = await started(database), await started(database, object_id="9")
    worker = worker_of(database, crm)
    for _ in range(3):
        await worker.next()
    assert (crm.read, (await state(database, small))[0]) == (["0", "9", "1"], "done")
    while await worker.next():
        pass
    assert (sorted(crm.read), await state(database, large)) == ([*crm.ids, "9"], ("done", 7, 0, 7, None))


async def test_failures_in_a_row_are_counted_over_turns(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "TURN", timedelta(0))
    crm = Crm(50)
    crm.failing = dict.fromkeys(crm.ids, FAILING)
    sync_id = await started(database)
    worker = worker_of(database, crm)
    while await worker.next():
        pass
    assert await state(database, sync_id) == ("failed", 0, sync.MOST_FAILING, 50, "client_failing")


async def test_no_reconciling_read_is_begun_beside_another(database: Database) -> None:
    events, now = Events("urn:test"), clock.now() - timedelta(hours=9)
    await connected(database, events)
    crm = Crm(2)
    crm.renewed = [None]
    await renew_channels(database, crm.client_of, events, now)
    for hours in range(4):
        await begin_reconciling(database, now + timedelta(hours=hours), lambda: None)
    worker = worker_of(database, crm, events)
    ran = 0
    while await worker.next():
        ran += 1
    found = await read_state(database, "acme", "hub-1")
    assert found is not None
    assert (ran, crm.read, found.reconciled_until, found.reconcile_at) == (
        1, crm.ids, now, now + timedelta(hours=3, minutes=1),
    )  # fmt: skip
    await begin_reconciling(database, now + timedelta(hours=4), lambda: None)
    assert await is_reconciling(database, "acme", "hub-1") is True


async def _keep(database: Database, *records: tuple[str, Record]) -> None:
    async def work(tx: Transaction) -> None:
        for object_id, record in records:
            stored = await lock_record(tx, "acme", "hub-1", object_id)
            await write_record(tx, stored._replace(document=to_document(record)))
            if object_id != ELSEWHERE:
                await insert_deal(tx, deal(deal_id=f"hub-1:{object_id}", connection_id="hub-1"))

    await database.transaction(work)


async def test_deals_that_only_we_know_of_are_read_too_where_all_are_asked_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unlisted, "PAGE", 2)
    monkeypatch.setattr(sync, "TURN", timedelta(0))
    known = Record((Event("e", "7", "created", NOON),))
    gone = known.with_events([Event("d", "7", "deleted", NOON)])
    read = known._replace(readings={"fields": Reading(clock.now() + timedelta(hours=1), NOON)})
    await _keep(
        database,
        ("60", gone),
        ("61", known),
        ("62", read),
        ("63", known),
        ("64", known),
        ("65", Record()),
        (ELSEWHERE, known),
    )
    crm = Crm(2)
    crm.failing["64"] = FAILING
    since, everything = await started(database, changed_since=NOON), await started(database)
    worker = worker_of(database, crm)
    while await worker.next():
        pass
    assert (sorted(crm.read), await state(database, since)) == (
        ["0", "0", "1", "1", "61", "63"],
        ("done", 2, 0, 2, None),
    )
    assert await state(database, everything) == ("done", 4, 1, 5, "client_failing")


async def test_deals_that_are_listed_and_cannot_be_read_are_told_once_and_end_nothing(database: Database) -> None:
    """Many of them stand side by side among those that only we might know of."""
    crm = Crm(3 * sync.MOST_FAILING)
    refused = [one for one in crm.ids if int(one) % 3 == 0]
    crm.failing = {one: ClientError("client_forbidden", again=False) for one in refused}
    await _keep(database, *((one, Record((Event("e", one, "created", NOON),))) for one in refused))
    sync_id = await started(database)
    await worker_of(database, crm).next()
    assert await state(database, sync_id) == ("done", 40, 20, 60, "client_forbidden")


async def test_where_nothing_can_be_read_any_more_those_that_only_we_know_of_end_it(database: Database) -> None:
    crm = Crm(0)
    known = [str(number) for number in range(100, 130)]
    crm.failing = {one: ClientError("client_token_refused", again=False) for one in known}
    await _keep(database, *((one, Record((Event("e", one, "created", NOON),))) for one in known))
    sync_id = await started(database)
    await worker_of(database, crm).next()
    assert await state(database, sync_id) == ("failed", 0, 20, 20, "client_token_refused")


async def test_what_somebody_is_about_to_read_is_not_read_for_being_unlisted(database: Database) -> None:
    await _keep(database, ("61", Record((Event("e", "61", "created", NOON),))))
    await database.transaction(lambda tx: ask_to_judge(tx, "acme", "hub-1", "61", clock.now()))
    crm = Crm(1)
    sync_id = await started(database)
    await worker_of(database, crm).next()
    assert (crm.read, await state(database, sync_id)) == (["0"], ("done", 1, 0, 1, None))
