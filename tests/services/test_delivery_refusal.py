"""A delivery that turns out to be of no use once it is worked on: refused, and told, whatever the reason."""

import json
from typing import Any

import pytest

from app.services.deliveries import Progress, work_on
from app.services.delivery_worker import DeliveryWorker
from app.services.endpoints import Change, put
from app.services.events import Events
from app.services.processes import Processes
from app.store.connections import put_connection
from app.store.database import Database
from app.store.deliveries import append_delivery, read_delivery
from app.store.outbox import list_items
from tests.crm.builders import settings_json
from tests.services.test_event_sender import KEY, URL
from tests.store.rows import NOON, connection, delivery


@pytest.fixture
async def events(database: Database) -> Events:
    """Give events that the endpoint `team` is told of."""
    events = Events("urn:test")
    change = Change("team", URL, ["delivery.refused"], paused=False)
    await database.transaction(lambda tx: put(tx, events, "acme", change, key=KEY, now=NOON))
    return events


async def told(database: Database) -> list[Any]:
    return [json.loads(one.payload)["data"] for one in await list_items(database, "acme", limit=9)]


async def test_what_came_by_a_connection_that_is_gone_is_told(database: Database, events: Events) -> None:
    await append_delivery(database, delivery())
    assert await database.transaction(lambda tx: work_on(tx, Processes(), NOON, Progress(), events)) is True
    expected = {"delivery": "d-1", "connection": delivery().connection_id, "code": "connection_gone", "params": {}}
    assert await told(database) == [expected]


async def test_what_the_changed_settings_cannot_read_is_told(database: Database, events: Events) -> None:
    row = delivery(body=b"{")
    settings = json.dumps(settings_json())
    await database.transaction(
        lambda tx: put_connection(tx, connection(connection_id=row.connection_id, settings=settings))
    )
    await append_delivery(database, row)
    assert await database.transaction(lambda tx: work_on(tx, Processes(), NOON, Progress(), events)) is True
    (data,) = await told(database)
    assert (data["delivery"], data["code"]) == ("d-1", "json_invalid")


async def test_what_fails_again_and_again_is_told_in_the_end(database: Database, events: Events) -> None:
    row = delivery(attempts=7)
    await append_delivery(database, row)
    await DeliveryWorker(database, Processes(), events=events)._put_off(row)
    found = await read_delivery(database, "acme", "d-1")
    assert found is not None
    assert found.status == "refused"
    (data,) = await told(database)
    assert (data["delivery"], data["code"], data["params"]) == ("d-1", "delivery_failed", {"count": 8})
