"""The decision log: appended to, read, never changed."""

from datetime import datetime
from functools import cache
from typing import NamedTuple

from app.store.database import Database, Query, Reader, Transaction
from app.store.statements import by_key, insert_into, named, page, select_shape
from app.store.tables import DecisionRow, table_of

TABLE = table_of(DecisionRow)


class LoggedDecision(NamedTuple):
    """A decision as it was logged. INVARIANT: ids grow with time (UUIDv7); lists are in their order."""

    tenant_id: str
    decision_id: str
    deal_id: str | None
    process_key: str
    process_version: int
    from_stage: str | None
    to_stage: str | None
    outcome: str
    source: str
    actor_id: str | None
    as_of: datetime
    decided_at: datetime
    applied: bool | None
    facts_complete: bool
    document: str
    channel: str | None = None
    changed_by: str | None = None
    supersedes: str | None = None


INSERT = insert_into(TABLE)
READ = Query(
    select_shape(TABLE, LoggedDecision).where(*by_key(TABLE, "tenant_id", "decision_id")), LoggedDecision._make
)


async def append_decision(db: Database, decision: LoggedDecision) -> None:
    """Log a decision that changes nothing else, in one commit with its neighbours."""
    await db.append(INSERT, decision._asdict())


async def insert_decision(tx: Transaction, decision: LoggedDecision) -> None:
    """Log a decision together with what it changed."""
    await tx.execute(INSERT, decision._asdict())


async def read_decision(db: Reader, tenant_id: str, decision_id: str) -> LoggedDecision | None:
    """One decision."""
    return await db.fetch_one(READ, {"tenant_id": tenant_id, "decision_id": decision_id})


async def list_decisions(
    db: Reader,
    tenant_id: str,
    *,
    limit: int,
    deal_id: str | None = None,
    process_key: str | None = None,
    outcome: str | None = None,
    source: str | None = None,
    cursor: str | None = None,
) -> list[LoggedDecision]:
    """Decisions, newest first; the cursor is the last id of the page before."""
    wanted = {"deal_id": deal_id, "process_key": process_key, "outcome": outcome, "source": source, "cursor": cursor}
    given = {name: value for name, value in wanted.items() if value is not None}
    return await db.fetch_all(_list_query(tuple(given)), {**given, "tenant_id": tenant_id, "limit": limit})


@cache
def _list_query(given: tuple[str, ...]) -> Query[LoggedDecision]:
    """One statement for each combination of filters: a condition that is switched off in SQL spoils the index."""
    statement = (
        select_shape(TABLE, LoggedDecision).where(*by_key(TABLE, "tenant_id")).order_by(TABLE.c.decision_id.desc())
    )
    for name in given:
        if name == "cursor":
            statement = statement.where(TABLE.c.decision_id < named(TABLE, "decision_id", "cursor"))
        else:
            statement = statement.where(*by_key(TABLE, name))
    return Query(page(statement), LoggedDecision._make)
