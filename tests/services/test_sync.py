"""Rebuilding deals from their CRM: pages, rate limits, failures, a worker that dies; reconciling reads and channels."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from app import clock
from app.crm.client import Client, ClientError, Page
from app.crm.http import Unreachable
from app.services import sync
from app.services.connection_care import OVERLAP, Reconciled, begin_reconciling, renew_channels
from app.services.endpoints import Change, put
from app.services.events import Events
from app.services.sync import Asked, begin
from app.services.sync_worker import SyncWorker
from app.store import syncs as store
from app.store.connection_states import read_state, set_channel
from app.store.connections import put_connection
from app.store.database import Database
from app.store.outbox import list_items
from app.store.syncs import StoredSync, claim_sync, read_sync
from tests.crm.builders import settings_json
from tests.services.test_event_sender import KEY, URL
from tests.store.rows import NOON, connection


class Crm:
    """A CRM with so many deals, in pages of three, that does what it is told to; and what was asked of it."""

    def __init__(self, deals: int = 0, *trouble: Exception, elsewhere: Sequence[str] = ()) -> None:
        self.ids = [str(number) for number in range(deals)]
        self.trouble = list(trouble)
        self.elsewhere = elsewhere
        self.read: list[str] = []
        self.asked: list[tuple[datetime | None, str | None]] = []
        self.failing: dict[str, Exception] = {}
        self.renewed: list[Any] = []

    async def list_deals(self, changed_since: datetime | None, cursor: str | None) -> Page:
        self.asked.append((changed_since, cursor))
        start = int(cursor or 0)
        following = str(start + 3) if start + 3 < len(self.ids) else None
        return Page(tuple(self.ids[start : start + 3]), following, len(self.ids))

    async def renew_channel(self, now: datetime) -> datetime | None:
        answer = self.renewed.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return now + cast("timedelta", answer) if answer else None

    async def client_of(self, _tenant: str, _connection: str) -> Client | None:
        return cast("Client", self)

    async def read_back(self, _tenant: str, _connection: str, object_id: str) -> bool:
        if self.trouble:
            raise self.trouble.pop(0)
        if object_id in self.failing:
            raise self.failing[object_id]
        self.read.append(object_id)
        return object_id in self.elsewhere


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "FIRST_WAIT", 0.001)


async def started(database: Database, **asked: Any) -> str:
    begun = await database.transaction(lambda tx: begin(tx, "acme", Asked("hub-1", **asked), clock.now()))
    return begun.sync_id


def worker_of(database: Database, crm: Crm, events: Events | None = None) -> SyncWorker:
    return SyncWorker(database, crm.client_of, crm.read_back, Reconciled(events or Events("urn:test")))


async def state(database: Database, sync_id: str) -> tuple[Any, ...]:
    found = await read_sync(database, "acme", sync_id)
    assert found is not None
    code = None if found.reason is None else json.loads(found.reason)["code"]
    return found.status, found.done, found.failed, found.total, code


async def test_every_page_is_read_and_every_deal_taken_in(database: Database) -> None:
    crm = Crm(8)
    sync_id = await started(database, changed_since=NOON)
    worker = worker_of(database, crm)
    assert [await worker.next(), await worker.next()] == [True, False]
    assert (crm.read, crm.asked) == (crm.ids, [(NOON, None), (NOON, "3"), (NOON, "6")])
    assert await state(database, sync_id) == ("done", 8, 0, 8, None)


async def test_one_deal_is_read_without_listing_any(database: Database) -> None:
    crm = Crm(8)
    sync_id = await started(database, object_id="5")
    await worker_of(database, crm).next()
    assert (crm.read, crm.asked, await state(database, sync_id)) == (["5"], [], ("done", 1, 0, 1, None))


async def test_one_deal_that_cannot_be_read_fails_the_sync_for_it(database: Database) -> None:
    sync_id = await started(database, object_id="5")
    crm = Crm()
    crm.failing["5"] = ClientError("client_refused", again=False, status=403)
    await worker_of(database, crm).next()
    assert await state(database, sync_id) == ("failed", 0, 1, 1, "client_refused")


async def test_deals_that_cannot_be_read_are_counted_and_the_rest_goes_on(database: Database) -> None:
    sync_id = await started(database)
    crm = Crm(5)
    crm.failing["1"] = ClientError("client_odd", again=False)
    crm.failing["4"] = Unreachable("timeout", host="x", seconds=1)
    await worker_of(database, crm).next()
    assert (crm.read, await state(database, sync_id)) == (["0", "2", "3"], ("done", 3, 2, 5, "timeout"))


async def test_when_nothing_can_be_read_it_ends(database: Database) -> None:
    sync_id = await started(database)
    crm = Crm(50)
    crm.failing = {one: ClientError("client_refused", again=False) for one in crm.ids}
    await worker_of(database, crm).next()
    assert await state(database, sync_id) == ("failed", 0, 20, 50, "client_refused")


async def test_a_short_pause_is_waited_for_and_a_long_one_puts_the_sync_aside(database: Database) -> None:
    sync_id = await started(database)
    short = ClientError("client_throttled", again=True, after=0.01)
    crm = Crm(5, short, ClientError("client_throttled", again=True, after=90))
    worker, before = worker_of(database, crm), clock.now()
    assert await worker.next() is True
    found = await read_sync(database, "acme", sync_id)
    assert found is not None
    assert (found.status, found.done, crm.read) == ("running", 0, [])
    assert 85 <= (found.lease_until - before).total_seconds() <= 95
    assert await worker.next() is False
    await database.transaction(lambda tx: claim_sync(tx, found.lease_until, before))
    await worker.next()
    assert (crm.read, await state(database, sync_id)) == (crm.ids, ("done", 5, 0, 5, None))


async def test_what_a_dead_worker_had_is_taken_up_where_it_was_last_written(database: Database) -> None:
    sync_id = await started(database)
    now = clock.now()

    async def died_after_four(tx: Any) -> None:
        row = await claim_sync(tx, now, now)
        assert row is not None
        place = json.dumps({"page": "3", "skip": 1})
        saved = row._replace(cursor=place, done=4, total=8, lease_until=now)
        assert await store.save_sync(tx, saved, row.lease_until) is True

    await database.transaction(died_after_four)
    crm = Crm(8)
    await worker_of(database, crm).next()
    assert (crm.read, await state(database, sync_id)) == (["4", "5", "6", "7"], ("done", 8, 0, 8, None))


async def test_a_worker_that_lost_its_lease_writes_nothing(database: Database) -> None:
    sync_id = await started(database)
    now = clock.now()
    row = await database.transaction(lambda tx: claim_sync(tx, now, now + timedelta(minutes=1)))
    assert row is not None
    later = now + timedelta(minutes=2)
    again = await database.transaction(lambda tx: claim_sync(tx, later, later + timedelta(minutes=1)))
    assert again is not None
    lost = row._replace(status="failed")
    assert await database.transaction(lambda tx: store.save_sync(tx, lost, row.lease_until)) is False
    assert (await state(database, sync_id))[0] == "running"


async def test_without_access_the_sync_ends_with_the_reason(database: Database) -> None:
    sync_id = await started(database)

    async def nobody(_tenant: str, _connection: str) -> None:
        return None

    crm = Crm()
    await SyncWorker(database, nobody, crm.read_back, Reconciled(Events("x"))).next()
    assert await state(database, sync_id) == ("failed", 0, 0, None, "connection_without_access")


async def connected(database: Database, events: Events) -> None:
    """A connection whose CRM can be asked, and an endpoint for everything."""
    settings = json.dumps({**settings_json(), "reconcile": "1h"})
    row = connection(settings=settings, access_ciphertext="sealed")
    await database.transaction(lambda tx: put_connection(tx, row))
    change = Change("team", URL, ["*"], paused=False)
    await database.transaction(lambda tx: put(tx, events, "acme", change, key=KEY, now=NOON))


async def told(database: Database) -> list[tuple[str, dict[str, Any]]]:
    found = [json.loads(one.payload) for one in reversed(await list_items(database, "acme", limit=99))]
    return [(one["type"], one["data"]) for one in found]


async def test_what_changed_is_read_again_every_so_often_and_gaps_are_told(database: Database) -> None:
    events, wakes = Events("urn:test"), []
    await connected(database, events)
    crm = Crm(5, elsewhere=("1", "2"))
    crm.renewed = [None]
    now = clock.now()
    await renew_channels(database, crm.client_of, events, now)
    await begin_reconciling(database, now, lambda: wakes.append(1))
    await begin_reconciling(database, now + timedelta(minutes=59), lambda: None)
    assert await worker_of(database, crm, events).next() is True
    assert await worker_of(database, crm, events).next() is False
    found = await read_state(database, "acme", "hub-1")
    assert found is not None
    assert (found.reconciled_until, found.reconcile_at, found.channel_expires_at, found.gaps_filled) == (
        now, now + timedelta(hours=1), None, 2,
    )  # fmt: skip
    gap = {"connection": "hub-1", "count": 2, "deals": ["hub-1:1", "hub-1:2"]}
    assert (await told(database), wakes) == ([("connection.gap", gap)], [1])
    assert crm.asked[0] == (now - OVERLAP, None)


async def test_a_sync_that_somebody_asked_for_fills_no_gap(database: Database) -> None:
    events = Events("urn:test")
    await connected(database, events)
    await started(database)
    await worker_of(database, Crm(3, elsewhere=("1",)), events).next()
    assert await told(database) == []


async def test_a_channel_is_renewed_before_it_expires_and_told_of_once_when_it_cannot_be(database: Database) -> None:
    events = Events("urn:test")
    await connected(database, events)
    crm, now = Crm(), clock.now()
    refused = ClientError("client_refused", again=False)
    crm.renewed = [timedelta(days=7), refused, refused, timedelta(days=1)]

    async def renew(at: datetime) -> datetime | None:
        await renew_channels(database, crm.client_of, events, at)
        found = await read_state(database, "acme", "hub-1")
        assert found is not None
        return found.channel_expires_at

    expires = now + timedelta(days=7)
    assert await renew(now) == expires
    assert await renew(now + timedelta(days=6)) == expires
    late = expires - timedelta(hours=11)
    assert [await renew(late), await renew(late + timedelta(minutes=5))] == [expires, expires]
    (one,) = await told(database)
    assert (one[0], one[1]["connection"], one[1]["code"]) == (
        "connection.channel_expiring", "hub-1", "client_refused",
    )  # fmt: skip
    assert await renew(late + timedelta(minutes=9)) == late + timedelta(days=1, minutes=9)
    assert len(await told(database)) == 1
    assert crm.renewed == []
    await database.transaction(lambda tx: set_channel(tx, "acme", "hub-1", None))


def test_a_sync_tells_how_far_it_is() -> None:
    row = StoredSync(
        "acme", "s-1", "hub-1", None, None, False, "running", 3, 1, 9, "{}",
        '{"code": "connection_without_access", "params": {"connection": "hub-1"}}', NOON, NOON, NOON, None,
    )  # fmt: skip
    assert sync.document(row, "en") == {
        "id": "s-1",
        "connection": "hub-1",
        "deal": None,
        "changed_since": None,
        "status": "running",
        "done": 3,
        "failed": 1,
        "total": 9,
        "code": "connection_without_access",
        "reason": "the connection has no credentials to call the CRM with",
        "started_at": NOON,
        "updated_at": NOON,
        "finished_at": None,
    }
