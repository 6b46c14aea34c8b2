"""What happened to a deal, as it comes to us: told by webhooks, read back in between; and what is known in the end."""

import itertools
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.client import Told
from app.crm.events import Event, Fact, Group
from app.crm.hubspot import read
from app.crm.record import from_document
from app.services.crm_facts import News, source_of, take_in
from app.services.processes import Processes
from app.store.connections import read_connection
from app.store.crm_moves import list_moves
from app.store.crm_records import read_record
from app.store.database import Database
from app.store.deals import read_deal
from app.store.decisions import read_decision
from app.store.outbox import list_items
from tests.crm.builders import NOON, body_of, change, creation, hubspot_settings
from tests.crm.world import deliver, work_off

WHOLE: tuple[Group, ...] = ("activities", "approvals", "contacts", "fields", "stage_history")
SETTINGS: dict[str, Any] = {
    "remedy": ["note"],
    "approvals": {"ok": {"role": "sales_manager"}},
    "pipelines": {
        **hubspot_settings().model_dump()["pipelines"],
        "other": {"process": "renewals", "stages": {"x": "due", "w": "won"}},
    },
}
LATER = NOON + timedelta(minutes=30)
_numbers = itertools.count(1)


class Happened(NamedTuple):
    """Something that happened to the deal, so many minutes after it was made; `demo` tells how that activity stands."""

    minute: int
    name: str
    value: str | None = None


class ReadBack(NamedTuple):
    """The deal read back so many minutes after it was made; of the groups that are not complete, nothing was read."""

    minute: int
    complete: tuple[Group, ...] = WHOLE


class Deal:
    """One deal of the connection `hs`, and what happened to it, oldest first."""

    def __init__(self, database: Database, history: Sequence[Happened]) -> None:
        self.database = database
        self.history = history
        self.id = str(next(_numbers))

    async def comes(self, arrivals: Sequence[Happened | ReadBack]) -> None:
        """All of this comes to us, in this order."""
        for one in arrivals:
            if isinstance(one, ReadBack):
                await self._is_read(one)
            elif one.name == "demo":
                await self._take_in(News(facts=[self._fact(one)]))
            else:
                await deliver(self.database, body_of(self._told(one)), at=LATER)
                await work_off(self.database, at=LATER)

    async def known(self) -> dict[str, Any]:
        """What is known of it: the deal, its moves with the verdicts that stand, which of them are to be answered."""
        row = await read_deal(self.database, "acme", f"hs:{self.id}")
        stored = await read_record(self.database, "acme", "hs", self.id)
        verdicts = from_document(stored.document if stored else None).verdicts.values()
        answers = [one for one in await list_items(self.database, "acme", limit=200) if one.order_key == self.id]
        waiting = [json.loads(one.payload)["move"] for one in answers if one.status == "waiting"]
        assert sorted(waiting) == sorted(one.origin for one in verdicts if one.standing == "drift")
        moves = await list_moves(self.database, "acme", "hs", self.id)
        return {
            "deal": row and (row.process_key, row.missing, json.loads(row.snapshot) | {"id": None}),
            "moves": [(*one[4:13], await self._decision(one.decision_id)) for one in moves],
        }

    async def _decision(self, decision_id: str) -> tuple[Any, ...]:
        row = await read_decision(self.database, "acme", decision_id)
        assert row is not None
        findings = [(one["code"], one["requirement"]) for one in json.loads(row.document)["findings"]]
        return row.outcome, row.from_stage, row.to_stage, row.as_of, row.channel, row.changed_by, findings

    async def _is_read(self, back: ReadBack) -> None:
        """By one who has taken up what had settled by then."""
        past = [one for one in self.history if one.minute <= back.minute]
        demo = [one for one in past if one.name == "demo"][-1:] if "activities" in back.complete else []
        events = [event for one in past for event in self._events(one)]
        read_at = NOON + timedelta(minutes=back.minute)
        told = Told(tuple(events), tuple(map(self._fact, demo)), frozenset(back.complete), read_at)
        stored = await read_record(self.database, "acme", "hs", self.id)
        await self._take_in(News(told=told, settled=True, lease=stored.judge_at if stored else None))

    async def _take_in(self, news: News) -> None:
        connection = await read_connection(self.database, "acme", "hs")
        assert connection is not None
        source = source_of(connection, Processes(), LATER)
        await self.database.transaction(lambda tx: take_in(tx, source, self.id, news))

    def _events(self, one: Happened) -> tuple[Event, ...]:
        return () if one.name == "demo" else read(body_of(self._told(one)), hubspot_settings(**SETTINGS)).events

    def _told(self, one: Happened) -> dict[str, Any]:
        at, deal = _at(one.minute), int(self.id)
        if one.name == "created":
            return creation(at=at, deal=deal)
        return change(one.name, one.value, at=at, deal=deal, by="77" if one.minute % 2 else None)

    def _fact(self, one: Happened) -> Fact:
        planned = one.value == "planned"
        value = {"activity": "demo", "at": _at(one.minute + 2 * planned).isoformat(), "status": "done"}
        value |= {"status": "planned"} if planned else {"outcome": str(one.value)}
        return Fact(self.id, "activity", "a-1", _at(one.minute), value)


def _at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)
