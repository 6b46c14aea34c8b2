"""What a delivery would do, found out by doing it in a transaction that is taken back: nothing of it stays."""

from datetime import datetime
from typing import NamedTuple

from app.crm.events import Batch, by_deal
from app.services.crm_facts import News, source_of, take_in
from app.services.crm_judging import Judgement
from app.services.deliveries import read_with
from app.services.processes import Processes
from app.store.connections import StoredConnection
from app.store.database import Database, Transaction


class Trial(NamedTuple):
    """What was read, and by the id of each deal what would be decided about it and where it would stand."""

    batch: Batch
    judged: dict[str, list[Judgement]]
    stages: dict[str, str | None]


class _Undo(Exception):
    """Takes the transaction back, and carries what was found out."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.trial = trial


async def trial(db: Database, processes: Processes, connection: StoredConnection, body: bytes, now: datetime) -> Trial:
    """Read a delivery and judge what it tells as if all had settled. Raises Malformed."""
    batch = read_with(connection, body, now)

    async def work(tx: Transaction) -> None:
        source = source_of(connection, processes, now)
        judged: dict[str, list[Judgement]] = {}
        stages: dict[str, str | None] = {}
        events, facts = by_deal(batch.events), by_deal(batch.facts)
        for object_id in sorted({*events, *facts}):
            news = News(events.get(object_id, ()), facts.get(object_id, ()), settled=True)
            taken = await take_in(tx, source, object_id, news)
            deal_id = f"{connection.connection_id}:{object_id}"
            judged[deal_id] = list(taken.judged.values())
            stages[deal_id] = None if taken.snapshot is None else taken.snapshot.stage
        raise _Undo(Trial(batch, judged, stages))

    try:
        await db.transaction(work)
    except _Undo as undo:
        return undo.trial
    raise AssertionError("a trial always ends in being taken back")
