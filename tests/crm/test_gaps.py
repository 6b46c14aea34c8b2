"""A reconciling read tells a move of which nobody told us from one of which the CRM is still about to tell."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from app import clock
from app.crm.client import ClientError
from app.crm.record import from_document, gone_by
from app.crm.secrets import encrypt
from app.services import settling
from app.services.connection_care import Reconciled
from app.services.deliveries import Progress, work_on
from app.services.events import Events
from app.services.processes import Processes
from app.services.read_back import UNDER_WAY, Reading
from app.services.settling import Judges
from app.services.sync import Asked, begin
from app.services.sync_worker import SyncWorker
from app.store.connections import StoredConnection, put_connection
from app.store.crm_records import read_record
from app.store.database import Database
from app.store.syncs import read_sync
from tests.crm.builders import SECRET, hubspot_settings
from tests.crm.fakes.hubspot import FakeHubspot
from tests.crm.http import PlainHttp
from tests.crm.world import KEY, deliver

B, W = "qualifiedtobuy", "w"


class Clock:
    """The CRM's time, a day ago to begin with."""

    def __init__(self) -> None:
        self.at = clock.now() - timedelta(days=1)

    def __call__(self) -> datetime:
        return self.at


class World:
    """An account whose time the test sets, connected since two days ago."""

    def __init__(self, database: Database, crm: FakeHubspot, time: Clock, reading: Reading) -> None:
        self.database = database
        self.crm = crm
        self.time = time
        self.reading = reading

    async def connect(self) -> None:
        """Connect it, since two days ago."""
        settings = hubspot_settings(api_url=self.crm.url).model_dump_json()
        access = encrypt(KEY, json.dumps({"access_token": self.crm.token}))
        made = clock.now() - timedelta(days=2)
        row = StoredConnection(
            "acme", "crm", "hubspot", settings, encrypt(KEY, SECRET), made, made, access_ciphertext=access
        )
        await self.database.transaction(lambda tx: put_connection(tx, row))

    async def told(self) -> None:
        """What waits is delivered and worked off."""
        body, self.crm.waiting = json.dumps(self.crm.waiting).encode(), []
        at = clock.now()
        await deliver(self.database, body, at=at, to="crm")
        assert await self.database.transaction(lambda tx: work_on(tx, Processes(), at, Progress()))

    def moved(self, deal: str, stage: str, *, ago: timedelta) -> None:
        """Somebody moves the deal, so long ago."""
        self.time.at = clock.now() - ago
        self.crm.change(deal, dealstage=stage)

    async def is_gap(self, deal: str) -> bool:
        """What a reading says."""
        return await self.reading.read_back("acme", "crm", deal)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Give a connected account with nothing in it."""
    time = Clock()
    async with FakeHubspot(time) as crm, PlainHttp(seconds=3) as http:
        made = World(database, crm, time, Reading(Judges(database, Processes(), KEY, http)))
        await made.connect()
        yield made


async def test_a_move_of_which_nobody_told_is_a_gap_and_once_read_it_is_none(world: World) -> None:
    deal = world.crm.add_deal()
    await world.told()
    world.moved(deal, B, ago=UNDER_WAY + timedelta(seconds=5))
    assert [await world.is_gap(deal), await world.is_gap(deal)] == [True, False]


async def test_a_move_of_which_the_crm_is_about_to_tell_is_no_gap(world: World) -> None:
    deal = world.crm.add_deal()
    await world.told()
    world.moved(deal, B, ago=UNDER_WAY - timedelta(seconds=20))
    assert await world.is_gap(deal) is False
    await world.told()
    assert await world.is_gap(deal) is False


async def test_what_was_told_is_no_gap(world: World) -> None:
    deal = world.crm.add_deal()
    world.moved(deal, B, ago=timedelta(hours=2))
    await world.told()
    assert await world.is_gap(deal) is False


async def test_a_deal_of_which_nothing_was_told_is_a_gap_unless_it_is_older_than_the_connection(world: World) -> None:
    world.time.at = clock.now() - timedelta(days=3)
    old = world.crm.add_deal(B)
    assert await world.is_gap(old) is False
    world.moved(old, W, ago=timedelta(hours=1))
    assert [await world.is_gap(old), await world.is_gap(world.crm.add_deal())] == [True, True]


async def test_a_deal_that_was_deleted_without_a_word_is_found_gone_when_all_are_read(world: World) -> None:
    deals = [world.crm.add_deal(), world.crm.add_deal()]
    for deal in deals:
        await world.is_gap(deal)
    world.crm.delete(deals[0])
    database, reading = world.database, world.reading
    begun = await database.transaction(lambda tx: begin(tx, "acme", Asked("crm"), clock.now()))
    worker = SyncWorker(database, reading.client_of, reading.read_back, Reconciled(Events("urn:test")))
    assert await worker.next() is True
    ended = await read_sync(database, "acme", begun.sync_id)
    assert ended is not None
    records = [await read_record(database, "acme", "crm", deal) for deal in deals]
    gone = [gone_by(from_document(record.document).events) for record in records if record is not None]
    assert ([one and one.kind for one in gone], ended.status, ended.done) == (["deleted", None], "done", 2)


async def test_a_reading_that_takes_too_long_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "READING", 0.2)
    world.crm.hang(30)
    with pytest.raises(ClientError) as refused:
        await world.is_gap("1")
    assert (refused.value.code, refused.value.again) == ("client_slow", True)
