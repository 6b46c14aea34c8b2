"""A delivery tried out: what it would do is told, and not a row of any table is another afterwards."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from app.crm.events import Malformed
from app.crm.secrets import encrypt
from app.services.connection_trial import Trial, trial
from app.services.processes import Processes
from app.store.connections import StoredConnection, put_connection, read_connection
from app.store.database import Database, Query
from app.store.tables import Base
from tests.crm.builders import NOON, SECRET, change, creation, hubspot_settings, stage_change
from tests.crm.world import KEY, deliver, work_off


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    found = {}
    for name in sorted(Base.metadata.tables):
        rows = await database.fetch_all(Query(text(f"SELECT * FROM {name}"), tuple), {})  # noqa: S608 - our own names
        found[name] = sorted(rows, key=repr)
    return found


async def tried(database: Database, *events: Any) -> Trial:
    connection = await read_connection(database, "acme", "hs")
    assert connection is not None
    return await trial(database, Processes(), connection, json.dumps(events).encode(), NOON)


@pytest.fixture
async def answering(database: Database) -> Database:
    """Give a connection that answers drift at once, with a deal that has moved already."""
    settings = hubspot_settings(remedy=["note", "revert"], grace="0m", settle="0m").model_dump_json()
    access = encrypt(KEY, '{"access_token": "t"}')
    secret = encrypt(KEY, SECRET)
    row = StoredConnection("acme", "hs", "hubspot", settings, secret, NOON, NOON, access_ciphertext=access)
    await database.transaction(lambda tx: put_connection(tx, row))
    await deliver_first(database)
    return database


async def deliver_first(database: Database) -> None:
    body = json.dumps([stage_change("appointmentscheduled", at=NOON)]).encode()
    await deliver(database, body, at=NOON)
    await work_off(database)


async def test_nothing_of_a_trial_stays(answering: Database) -> None:
    before = await everything(answering)
    assert sum(map(len, before.values())) > 5
    found = await tried(
        answering, creation(deal=7), stage_change("w", deal=7), stage_change("w"), change("amount", "12")
    )
    assert {deal: [one.decision.outcome for one in judged] for deal, judged in found.judged.items()}["hs:7"]
    assert found.stages == {"hs:332507367156": "won", "hs:7": "won"}
    assert await everything(answering) == before


async def test_nor_does_anything_of_one_that_cannot_be_read(answering: Database) -> None:
    before = await everything(answering)
    with pytest.raises(Malformed):
        await tried(answering, 7)
    assert await everything(answering) == before
