"""Late, doubled and missing events, and readings at any time in between, end in the same deal and the same findings."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.crm.secrets import encrypt
from app.store.connections import StoredConnection, put_connection
from app.store.database import Database, open_database
from app.store.migrate import migrate
from tests.crm.arrivals import SETTINGS, WHOLE, Deal, Happened, ReadBack
from tests.crm.builders import NOON, SECRET, hubspot_settings
from tests.crm.world import KEY, furnish

END = ReadBack(20)
STAGES = ("appointmentscheduled", "qualifiedtobuy", "w", "l", "x", "not_mapped")
VALUES: dict[str, tuple[str | None, ...]] = {
    "dealstage": STAGES,
    "pipeline": ("default", "other"),
    "amount": ("1", "25000", None),
    "next_step_text": ("Call", "Send the offer", None),
    "hubspot_owner_id": ("o-77", "nobody"),
    "ok": ("yes", None),
    "demo": ("planned", "held", "no_show"),
}

_changes = st.sampled_from(("dealstage", "demo", *sorted(VALUES))).flatmap(
    lambda name: st.builds(Happened, st.integers(0, 12), st.just(name), st.sampled_from(VALUES[name]))
)
_groups = st.lists(st.sampled_from(WHOLE), unique=True).map(tuple) | st.just(WHOLE)
histories = st.lists(_changes, max_size=7, unique_by=lambda one: (one.minute, one.name)).map(
    lambda changes: [Happened(0, "created"), *sorted(changes, key=lambda one: one.minute)]
)
readings = st.lists(st.builds(ReadBack, st.integers(0, 14), _groups), max_size=2)


class World:
    """A database, and a loop to speak with it in."""

    def __init__(self, runner: asyncio.Runner, database: Database) -> None:
        self.runner = runner
        self.database = database

    def connect(self, **more: Any) -> None:
        """Connect HubSpot; with `access`, so that it can be asked."""
        access = more.pop("access", None)
        document = hubspot_settings(**SETTINGS, **more).model_dump_json()
        row = StoredConnection("acme", "hs", "hubspot", document, encrypt(KEY, SECRET), NOON, NOON)
        row = row._replace(access_ciphertext=access)
        self.runner.run(self.database.transaction(lambda tx: put_connection(tx, row)))

    def known_after(self, history: list[Happened], arrivals: list[Happened | ReadBack]) -> dict[str, Any]:
        """What is known of a new deal after all this has come."""
        deal = Deal(self.database, history)
        self.runner.run(deal.comes(arrivals))
        return self.runner.run(deal.known())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a furnished database."""
    url = f"sqlite:///{tmp_path}/stagerail.db"
    migrate(url)
    database = open_database(url)
    with asyncio.Runner() as runner:
        runner.run(database.start())
        runner.run(furnish(database))
        yield World(runner, database)
        runner.run(database.stop())


def test_readings_among_late_doubled_and_missing_events_end_alike(world: World) -> None:
    """What is missing are changes of properties: their history tells them in the end."""
    world.connect(access="sealed", settle="60s", grace="1h")

    @settings(max_examples=25)
    @given(histories, readings, st.randoms(use_true_random=False), st.integers(0, 2**30))
    def holds(history: list[Happened], reads: list[ReadBack], chance: Random, dropped: int) -> None:
        arrivals: list[Happened | ReadBack] = [*history, *reads]
        in_order = sorted(arrivals, key=lambda one: (one.minute, isinstance(one, ReadBack)))
        kept = [one for place, one in enumerate(in_order) if not _may_be_missed(one) or not dropped >> place & 1]
        shuffled = [*kept, *in_order[::3]]
        chance.shuffle(shuffled)
        assert world.known_after(history, [*shuffled, END]) == world.known_after(history, [*in_order, END])

    holds()


def test_late_and_doubled_events_end_alike_where_nobody_can_be_asked(world: World) -> None:
    """Each is judged at once, and what it makes of others anew; the beginning may never have been told."""
    world.connect()

    @settings(max_examples=40)
    @given(histories, st.integers(0, 3), st.randoms(use_true_random=False))
    def holds(history: list[Happened], untold: int, chance: Random) -> None:
        told = history[untold:]
        shuffled = [*told, *told[::2]]
        chance.shuffle(shuffled)
        assert world.known_after(history, [*shuffled]) == world.known_after(history, [*told])

    holds()


def _may_be_missed(one: Happened | ReadBack) -> bool:
    return isinstance(one, Happened) and one.name != "demo"
