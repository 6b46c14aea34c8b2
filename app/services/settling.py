"""Judges what has settled: reads the deal back where its CRM can be asked, then judges all of its moves anew.

The reading is done under a lease and outside any transaction: a CRM that hangs holds up no row of the database. One
that cannot be read is tried again, less and less often; in the end it is judged with what is known, which is never
drift, since that takes complete facts.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from app import clock, logs
from app.crm.client import Client, ClientError, Told
from app.crm.http import Http, Unreachable
from app.crm.secrets import NoKey, WrongKey
from app.services.clients import client_of
from app.services.crm_facts import News, Taken, source_of, take_in
from app.services.events import Events
from app.services.processes import Processes
from app.store.connections import StoredConnection, read_connection
from app.store.crm_records import StoredRecord, lease_due, put_off
from app.store.database import Database, Transaction

LEASE = timedelta(seconds=90)
WAITS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
)
"""What waits after each reading that failed; after the last one, it is judged with what is known."""
READING = 45.0
"""Seconds that all of one reading may take: less than a lease."""
LONGEST_ASKED = timedelta(hours=1)
FAILED = timedelta(minutes=5)
"""What waits after a failure of our own."""

_log = logs.get_logger(__name__)


class Judges(NamedTuple):
    """What judging needs: the database, the processes, how CRMs are spoken with, whom to tell."""

    database: Database
    processes: Processes
    key: str | None
    http: Http
    events: Events | None = None
    decided: Callable[[str, str], None] = lambda _outcome, _source: None


class Unread(Exception):
    """The deal could not be read back. `code` names why, `params` fill its text; `again` says whether to try again."""

    def __init__(self, error: ClientError | Unreachable) -> None:
        super().__init__(error.code)
        self.code = error.code
        self.params = error.params
        self.again = error.again if isinstance(error, ClientError) else True
        self.after = error.after if isinstance(error, ClientError) else None

    @property
    def throttled(self) -> bool:
        """Whether the CRM only asks us to go slower: then the deal can be read, sooner or later."""
        return self.code == "client_throttled"


async def claim(db: Database, tenant_id: str, connection_id: str, *, now: datetime, limit: int) -> list[StoredRecord]:
    """Take deals of a connection that have settled, under a lease."""
    return await db.transaction(
        lambda tx: lease_due(tx, tenant_id, connection_id, now=now, until=now + LEASE, limit=limit)
    )


async def settle(judges: Judges, record: StoredRecord) -> str:
    """Judge one deal that has settled; `judged`, `later` where it could not be read, `gone` without its connection."""
    db = judges.database
    connection = await read_connection(db, record.tenant_id, record.connection_id)
    if connection is None:
        await db.transaction(lambda tx: put_off(tx, record, None))
        return "gone"
    try:
        told = await read_back(judges, connection, record.object_id)
    except Unread as why:
        if why.throttled or (why.again and record.attempts < len(WAITS)):
            await _try_again(db, record, why)
            return "later"
        _log.warning("deal_judged_unread", connection=record.connection_id, reason=why.code)
        told = None
    await judge_now(judges, connection, record.object_id, told, lease=record.judge_at)
    return "judged"


async def read_back(judges: Judges, connection: StoredConnection, object_id: str) -> Told | None:
    """The deal as its CRM has it; None where the CRM cannot be asked. Raises Unread."""
    try:
        client = client_of(judges.database, connection, key=judges.key, http=judges.http)
    except (NoKey, WrongKey) as error:
        _log.error("secret_unavailable", connection=connection.connection_id, reason=type(error).__name__)
        raise Unread(ClientError("secret_unavailable", again=True)) from error
    if client is None:
        return None
    try:
        return await read_in_time(client, object_id)
    except (ClientError, Unreachable) as error:
        raise Unread(error) from error


async def read_in_time(client: Client, object_id: str) -> Told:
    """The deal as it is in the CRM, unless that takes too long. Raises ClientError and Unreachable."""
    try:
        async with asyncio.timeout(READING):
            return await client.read_deal(object_id, clock.now())
    except TimeoutError as error:
        raise ClientError("client_slow", again=True, seconds=round(READING)) from error


async def judge_now(
    judges: Judges, connection: StoredConnection, object_id: str, told: Told | None, *, lease: datetime | None = None
) -> Taken:
    """Take in what was read back and judge every move of the deal on it."""

    async def work(tx: Transaction) -> Taken:
        source = source_of(connection, judges.processes, clock.now(), judges.events)
        return await take_in(tx, source, object_id, News(told=told, settled=True, lease=lease))

    taken = await judges.database.transaction(work)
    for one in taken.judged.values():
        judges.decided(one.decision.outcome, "webhook")
    return taken


async def give_up_for_now(db: Database, record: StoredRecord) -> None:
    """We failed, whyever: it is due again in a while, and others go on."""
    until = clock.now() + FAILED
    await db.transaction(lambda tx: put_off(tx, record, until))


async def _try_again(db: Database, record: StoredRecord, why: Unread) -> None:
    asked = min(timedelta(seconds=max(why.after or 0.0, 0.0)), LONGEST_ASKED)
    until = clock.now() + max(WAITS[min(record.attempts, len(WAITS) - 1)], asked)
    once_more = record if why.throttled else record._replace(attempts=record.attempts + 1)
    await db.transaction(lambda tx: put_off(tx, once_more, until))
