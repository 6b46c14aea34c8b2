"""A deal of a connection whose CRM is played by what a test says that it told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.crm.client import Told
from app.crm.events import Event, Fact, Group
from app.services.crm_facts import News, Taken, source_of, take_in
from app.services.processes import Processes
from app.store.connections import StoredConnection, put_connection
from app.store.crm_moves import list_moves
from app.store.database import Database
from app.store.decisions import list_decisions
from app.store.insights import Period, count_kept
from app.store.outbox import list_items
from tests.crm.builders import NOON, hubspot_settings

A, B, W = "appointmentscheduled", "qualifiedtobuy", "w"
WHOLE: tuple[Group, ...] = ("activities", "approvals", "contacts", "fields", "stage_history")
SETTINGS: dict[str, Any] = {"remedy": ["note"], "grace": "1h", "approvals": {"ok": {"role": "sales_manager"}}}


def after(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def changed(value: Any, minutes: float, name: str = "dealstage", **more: Any) -> Event:
    """A property that changed then."""
    return Event(f"{name}:{value}:{minutes}", "1", "changed", after(minutes), name, value, **more)


CREATED = Event("created", "1", "created", NOON)
ILLEGAL = (CREATED, changed(A, 0), changed(B, 5, by="77", channel="CRM_UI"))


def demo(minutes: float) -> Fact:
    """A demo that was held then."""
    value = {"activity": "demo", "at": after(minutes).isoformat(), "status": "done", "outcome": "held"}
    return Fact("1", "activity", "a-1", after(minutes), value)


class Judged:
    """A connection whose CRM can be asked; what reading its one deal back has told is given by the test."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.connection = StoredConnection("acme", "hs", "hubspot", "", "", after(-9000), NOON, access_ciphertext="x")

    async def connect(self, **changes: Any) -> None:
        """Put the connection's settings."""
        settings = hubspot_settings(**{**SETTINGS, **changes}).model_dump_json()
        self.connection = self.connection._replace(settings=settings)
        await self.database.transaction(lambda tx: put_connection(tx, self.connection))

    async def read(
        self, *events: Event, facts: Sequence[Fact] = (), at: float = 9, complete: Sequence[Group] = WHOLE, **more: Any
    ) -> Taken:
        """Read the deal back and judge it."""
        told = Told(events, tuple(facts), frozenset(complete), after(at), **more)
        source = source_of(self.connection, Processes(), after(at))
        return await self.database.transaction(lambda tx: take_in(tx, source, "1", News(told=told, settled=True)))

    async def moves(self) -> list[tuple[str | None, str | None, str]]:
        """From, to and verdict of its moves."""
        found = await list_moves(self.database, "acme", "hs", "1")
        return [(one.from_stage, one.to_stage, one.verdict) for one in found]

    async def log(self) -> list[tuple[str, str | None, bool]]:
        """Of the decisions out of the first stage: outcome, author, whether it supersedes the one before."""
        rows = [one for one in await list_decisions(self.database, "acme", limit=99) if one.from_stage]
        rows.reverse()
        before = [None, *(one.decision_id for one in rows)]
        return [
            (one.outcome, one.changed_by, one.supersedes is not None and one.supersedes == before[place])
            for place, one in enumerate(rows)
        ]

    async def outbox(self) -> list[tuple[str, str]]:
        """Kind and status of what is to leave."""
        return [(one.kind, one.status) for one in await list_items(self.database, "acme", limit=99)]

    async def counted(self) -> int:
        """How many moves adherence counts."""
        rows = await count_kept(self.database, "acme", "sales", by=("requirement",), period=Period(), owner=None)
        return sum(sum(row[2:5]) for row in rows if row[1] == "drawn")


async def judging(database: Database, **changes: Any) -> Judged:
    """A connection, put."""
    judged = Judged(database)
    await judged.connect(**changes)
    return judged
