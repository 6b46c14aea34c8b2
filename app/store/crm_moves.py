"""Moves made in a CRM, each with the verdict that stands now: what drift is counted from."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select, tuple_, update

from app.store.database import Query, Reader, Transaction, command
from app.store.insights import KEPT, Period
from app.store.statements import by_key, named, page, select_shape, upsert
from app.store.tables import CrmMoveRow, table_of

TABLE = table_of(CrmMoveRow)

Verdict = Literal["allowed", "drift", "blocked_incomplete", "not_judged", "own"]
VERDICTS: tuple[Verdict, ...] = ("allowed", "drift", "blocked_incomplete", "not_judged", "own")
By = Literal["channel", "author", "requirement", "week"]
COLUMNS: dict[By, tuple[ColumnElement[Any], ...]] = {
    "channel": (TABLE.c.channel,),
    "author": (TABLE.c.author,),
    "requirement": (KEPT.c.kind, KEPT.c.name),
    "week": (TABLE.c.week,),
}


class CrmMove(NamedTuple):
    """A move. No channel, no author is the empty text; `remedied` is what our answer to it came to, as JSON."""

    tenant_id: str
    connection_id: str
    object_id: str
    event_key: str
    process_key: str
    from_stage: str | None
    to_stage: str | None
    at: datetime
    week: str
    day: str
    channel: str
    author: str
    verdict: str
    decision_id: str
    remedied: str | None = None


Place = tuple[str, datetime, str, str, str]
"""Day, time, connection, deal and event of a move: its place in the list of drift."""


class Wanted(NamedTuple):
    """What drift is counted of."""

    process_key: str
    period: Period = Period()
    connection_id: str | None = None


ONE = by_key(TABLE, "tenant_id", "connection_id", "object_id", "event_key")
PUT = upsert(TABLE, "remedied")
DELETE = command(delete(TABLE).where(*ONE))
REMEDIED = command(update(TABLE).where(*ONE).values(remedied=named(TABLE, "remedied", "new_remedied")))
RENAME = command(update(TABLE).where(*ONE).values(event_key=named(TABLE, "event_key", "new_key")))
LIST = Query(
    select_shape(TABLE, CrmMove)
    .where(*by_key(TABLE, "tenant_id", "connection_id", "object_id"))
    .order_by(TABLE.c.at, TABLE.c.event_key),
    CrmMove._make,
)

LATER = TABLE.alias("later")
COUNT = func.count(TABLE.c.object_id.distinct()).label("deals")
COUNT_LAST: Query[tuple[str, int]] = Query(
    page(
        select(TABLE.c.to_stage, COUNT)
        .where(
            *by_key(TABLE, "tenant_id", "connection_id"),
            TABLE.c.to_stage >= named(TABLE, "to_stage", "first"),
            TABLE.c.to_stage < named(TABLE, "to_stage", "past"),
            ~exists().where(
                LATER.c.tenant_id == TABLE.c.tenant_id,
                LATER.c.connection_id == TABLE.c.connection_id,
                LATER.c.object_id == TABLE.c.object_id,
                LATER.c.at > TABLE.c.at,
            ),
        )
        .group_by(TABLE.c.to_stage)
        .order_by(COUNT.desc(), TABLE.c.to_stage)
    ),
    tuple,
    long=True,
)


async def put_move(tx: Transaction, move: CrmMove) -> None:
    """Store a move with its verdict; what our answer to it came to stays."""
    await tx.execute(PUT, move._asdict())


async def delete_move(tx: Transaction, tenant_id: str, connection_id: str, object_id: str, event_key: str) -> None:
    """Something later told that this was no move."""
    await tx.execute(DELETE, _key(tenant_id, connection_id, object_id, event_key))


async def rename_move(
    tx: Transaction, tenant_id: str, connection_id: str, object_id: str, event_key: str, *, new_key: str
) -> None:
    """The same move, known by another event now; what our answer to it came to stays."""
    key = _key(tenant_id, connection_id, object_id, event_key)
    await tx.execute(DELETE, {**key, "event_key": new_key})
    await tx.execute(RENAME, {**key, "new_key": new_key})


async def note_remedied(
    tx: Transaction, tenant_id: str, connection_id: str, object_id: str, event_key: str, *, remedied: str
) -> bool:
    """Keep what our answer to a move came to."""
    key = _key(tenant_id, connection_id, object_id, event_key)
    return await tx.execute(REMEDIED, {**key, "new_remedied": remedied}) == 1


async def list_moves(db: Reader, tenant_id: str, connection_id: str, object_id: str) -> list[CrmMove]:
    """The moves of one deal, oldest first."""
    return await db.fetch_all(LIST, {"tenant_id": tenant_id, "connection_id": connection_id, "object_id": object_id})


async def count_moves(
    db: Reader, tenant_id: str, wanted: Wanted, *, by: By | None, limit: int | None = None, after: Sequence[str] = ()
) -> list[tuple[Any, ...]]:
    """Counts by group, in the order of the groups: its columns, then one count for each verdict.

    By requirement, a move counts under each that it was asked and could be judged by; as drift, under each that
    blocked it. Without `by` all moves are one group. `after` is the last group of the page before.
    """
    params = _given(wanted)
    query = _query(by, tuple(params), limited=limit is not None, after=bool(after))
    places = {f"after_{place}": value for place, value in enumerate(after)}
    return await db.fetch_all(
        query, {**params, **places, "tenant_id": tenant_id, "process_key": wanted.process_key, "limit": limit}
    )


async def list_drift(
    db: Reader, tenant_id: str, wanted: Wanted, *, limit: int, after: Place | None = None
) -> list[CrmMove]:
    """The moves that are drift, the latest first; `after` is the last one of the page before."""
    params = _given(wanted)
    place = (
        {} if after is None else dict(zip(("a_day", "a_at", "a_connection", "a_object", "a_key"), after, strict=True))
    )
    query = _drift_query(tuple(params), after=after is not None)
    more = {"tenant_id": tenant_id, "process_key": wanted.process_key, "limit": limit}
    return await db.fetch_all(query, {**params, **place, **more})


@cache
def _drift_query(given: tuple[str, ...], *, after: bool) -> Query[CrmMove]:
    """In the order of days, which the index has; then of instants."""
    order = (TABLE.c.day, TABLE.c.at, TABLE.c.connection_id, TABLE.c.object_id, TABLE.c.event_key)
    statement = select_shape(TABLE, CrmMove).where(*by_key(TABLE, "tenant_id", "process_key"), *_within(given))
    statement = statement.where(TABLE.c.verdict == "drift").order_by(*(column.desc() for column in order))
    if after:
        names = {"day": "a_day", "at": "a_at", "connection_id": "a_connection", "object_id": "a_object"}
        places = [named(TABLE, column, name) for column, name in (*names.items(), ("event_key", "a_key"))]
        statement = statement.where(tuple_(*order) < tuple_(*places))
    return Query(page(statement), CrmMove._make)


def _given(wanted: Wanted) -> dict[str, str]:
    asked = {"first": wanted.period.first, "last": wanted.period.last, "connection_id": wanted.connection_id}
    return {name: value for name, value in asked.items() if value is not None}


def _within(given: tuple[str, ...]) -> list[ColumnElement[bool]]:
    conditions: dict[str, ColumnElement[bool]] = {
        "first": TABLE.c.day >= named(TABLE, "day", "first"),
        "last": TABLE.c.day <= named(TABLE, "day", "last"),
        "connection_id": TABLE.c.connection_id == named(TABLE, "connection_id"),
    }
    return [conditions[name] for name in given]


@cache
def _query(by: By | None, given: tuple[str, ...], *, limited: bool, after: bool) -> Query[tuple[Any, ...]]:
    groups = COLUMNS[by] if by else ()
    statement = select(*groups, *(_count(by, verdict) for verdict in VERDICTS))
    if by == "requirement":
        statement = statement.select_from(TABLE.join(KEPT, _SAME_DECISION)).where(
            or_(KEPT.c.result == "met", KEPT.c.result == "missed")
        )
    statement = statement.where(*by_key(TABLE, "tenant_id", "process_key"), *_within(given))
    statement = statement.group_by(*groups).order_by(*groups)
    return Query(_paged(statement, groups, limited=limited, after=after), tuple, long=True)


_SAME_DECISION = and_(KEPT.c.tenant_id == TABLE.c.tenant_id, KEPT.c.decision_id == TABLE.c.decision_id)


def _count(by: By | None, verdict: Verdict) -> ColumnElement[Any]:
    """By requirement a drift counts where it is this requirement that blocked; else the move was let pass by it."""
    if by != "requirement" or verdict not in ("allowed", "drift"):
        return func.count().filter(TABLE.c.verdict == verdict)
    blocked = and_(TABLE.c.verdict == "drift", KEPT.c.blocked)
    if verdict == "drift":
        return func.count().filter(blocked)
    return func.count().filter(or_(TABLE.c.verdict == "allowed", TABLE.c.verdict == "drift"), ~blocked)


def _paged(
    statement: Select[Any], groups: tuple[ColumnElement[Any], ...], *, limited: bool, after: bool
) -> Select[Any]:
    if after:
        places = [named(TABLE, "channel", f"after_{place}") for place in range(len(groups))]
        statement = statement.where(tuple_(*groups) > tuple_(*places))
    return page(statement) if limited else statement


def _key(tenant_id: str, connection_id: str, object_id: str, event_key: str) -> dict[str, str]:
    return {
        "tenant_id": tenant_id,
        "connection_id": connection_id,
        "object_id": object_id,
        "event_key": event_key,
    }


async def count_unmapped(
    db: Reader, tenant_id: str, connection_id: str, prefix: str, limit: int
) -> list[tuple[str, int]]:
    """How many deals of a connection went last into each stage that opens with the prefix, the most first.

    Told by the moves: a deal that was never in a stage that is mapped is none of ours yet.
    """
    params = {"tenant_id": tenant_id, "connection_id": connection_id, "first": prefix, "past": prefix + "\U0010ffff"}
    return await db.fetch_all(COUNT_LAST, {**params, "limit": limit})
