"""What is counted over all deals: how requirements were kept, and how fields are filled. Written with what is counted,
so that every question is answered by SQL alone.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, delete, distinct, func, select, tuple_

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, insert_into, named, page, select_shape, upsert
from app.store.tables import ActivityRow, DealFieldRow, DealRow, DecisionRequirementRow, table_of

KEPT = table_of(DecisionRequirementRow)
FIELDS = table_of(DealFieldRow)
DEALS = table_of(DealRow)
ACTIVITIES = table_of(ActivityRow)

RESULTS = ("met", "waived", "missed", "unknown", "refused")
STATES = ("structured", "text", "blank", "missing", "invalid")
Dimension = Literal["requirement", "transition", "owner", "week"]
DIMENSIONS: dict[Dimension, tuple[str, ...]] = {
    "requirement": ("kind", "name"),
    "transition": ("from_stage", "to_stage"),
    "owner": ("owner",),
    "week": ("week",),
}


class Kept(NamedTuple):
    """What became of one requirement or house rule at one move; whether it, and not doubt, would have blocked it.

    INVARIANT: no owner is the empty text.
    """

    tenant_id: str
    decision_id: str
    kind: str
    name: str
    process_key: str
    from_stage: str
    to_stage: str
    owner: str
    week: str
    day: str
    result: str
    blocked: bool = False


class FieldScore(NamedTuple):
    """How well one field of one deal is kept: a state, and a score in hundredths."""

    tenant_id: str
    deal_id: str
    field: str
    process_key: str
    owner: str
    state: str
    score: int


class Period(NamedTuple):
    """Days, both counted in; None is without an end."""

    first: str | None = None
    last: str | None = None


class Amounts(NamedTuple):
    """What a team has stored of a process: the deals, their activities, and what those are."""

    deals: int
    deals_with_activity: int
    activities: int


INSERT_KEPT = insert_into(KEPT)
DELETE_KEPT = command(delete(KEPT).where(*by_key(KEPT, "tenant_id", "decision_id")))
OF_DEAL = by_key(FIELDS, "tenant_id", "deal_id")
READ_FIELDS = Query(select_shape(FIELDS, FieldScore).where(*OF_DEAL).order_by(FIELDS.c.field), FieldScore._make)
PUT_FIELD = upsert(FIELDS)
DELETE_FIELD = command(delete(FIELDS).where(*by_key(FIELDS, "tenant_id", "deal_id", "field")))


async def insert_kept(tx: Transaction, rows: Iterable[Kept]) -> None:
    """Write what became of each requirement, in the transaction of the decision."""
    for row in rows:
        await tx.execute(INSERT_KEPT, row._asdict())


async def delete_kept(tx: Transaction, tenant_id: str, decision_id: str) -> None:
    """What a decision meant counts no more: another one stands in its place."""
    await tx.execute(DELETE_KEPT, {"tenant_id": tenant_id, "decision_id": decision_id})


async def read_fields(db: Reader, tenant_id: str, deal_id: str) -> list[FieldScore]:
    """The scores of one deal, by field."""
    return await db.fetch_all(READ_FIELDS, {"tenant_id": tenant_id, "deal_id": deal_id})


async def replace_fields(tx: Transaction, tenant_id: str, deal_id: str, scores: Sequence[FieldScore]) -> None:
    """Make these the scores of a deal, writing only what differs."""
    known = {row.field: row for row in await read_fields(tx, tenant_id, deal_id)}
    for score in scores:
        if known.pop(score.field, None) != score:
            await tx.execute(PUT_FIELD, score._asdict())
    for gone in known:
        await tx.execute(DELETE_FIELD, {"tenant_id": tenant_id, "deal_id": deal_id, "field": gone})


async def count_kept(
    db: Reader,
    tenant_id: str,
    process_key: str,
    *,
    by: tuple[Dimension, ...],
    period: Period,
    owner: str | None,
    limit: int | None = None,
    after: Sequence[str] | None = None,
) -> list[tuple[Any, ...]]:
    """Counts by group, in the order of the groups: the columns of the dimensions, then one count for each result.

    `after` is the last group of the page before. Without a `limit` all groups come: for dimensions with few.
    """
    columns = tuple(column for one in by for column in DIMENSIONS[one])
    given = {"first": period.first, "last": period.last, "owner": owner}
    params = {name: value for name, value in given.items() if value is not None}
    query = _kept_query(columns, tuple(params), limited=limit is not None, after=after is not None)
    places = {f"after_{column}": value for column, value in zip(columns, after or (), strict=False)}
    return await db.fetch_all(
        query, {**params, **places, "tenant_id": tenant_id, "process_key": process_key, "limit": limit}
    )


@cache
def _kept_query(
    columns: tuple[str, ...], given: tuple[str, ...], *, limited: bool, after: bool
) -> Query[tuple[Any, ...]]:
    conditions = {
        "first": lambda: KEPT.c.day >= named(KEPT, "day", "first"),
        "last": lambda: KEPT.c.day <= named(KEPT, "day", "last"),
        "owner": lambda: KEPT.c.owner == named(KEPT, "owner"),
    }
    groups = [KEPT.c[column] for column in columns]
    statement = select(*groups, *_counts(KEPT.c.result, RESULTS)).where(*by_key(KEPT, "tenant_id", "process_key"))
    statement = statement.where(*(conditions[name]() for name in given)).group_by(*groups).order_by(*groups)
    return Query(_paged(statement, KEPT, columns, limited=limited, after=after), tuple, long=True)


async def count_fields(
    db: Reader,
    tenant_id: str,
    process_key: str,
    *,
    owner: str | None = None,
    by_owner: bool,
    limit: int | None = None,
    after: Sequence[str] | None = None,
) -> list[tuple[Any, ...]]:
    """Per field, or per field and owner: the group, one count for each state, and the sum of the scores."""
    columns = ("field", "owner") if by_owner else ("field",)
    query = _fields_query(columns, of_owner=owner is not None, limited=limit is not None, after=after is not None)
    places = {f"after_{column}": value for column, value in zip(columns, after or (), strict=False)}
    params = {"tenant_id": tenant_id, "process_key": process_key, "owner": owner, "limit": limit}
    return await db.fetch_all(query, {**params, **places})


@cache
def _fields_query(columns: tuple[str, ...], *, of_owner: bool, limited: bool, after: bool) -> Query[tuple[Any, ...]]:
    groups = [FIELDS.c[column] for column in columns]
    total = func.coalesce(func.sum(FIELDS.c.score), 0).cast(BigInteger)
    keys = ("tenant_id", "process_key", "owner") if of_owner else ("tenant_id", "process_key")
    statement = select(*groups, *_counts(FIELDS.c.state, STATES), total).where(*by_key(FIELDS, *keys))
    statement = statement.group_by(*groups).order_by(*groups)
    return Query(_paged(statement, FIELDS, columns, limited=limited, after=after), tuple, long=True)


def _counts(column: ColumnElement[Any], values: Iterable[str]) -> list[ColumnElement[Any]]:
    return [func.count().filter(column == value) for value in values]


def _paged(statement: Select[Any], table: Any, columns: tuple[str, ...], *, limited: bool, after: bool) -> Select[Any]:
    if after:
        places = [named(table, column, f"after_{column}") for column in columns]
        statement = statement.where(tuple_(*(table.c[column] for column in columns)) > tuple_(*places))
    return page(statement) if limited else statement


OF_PROCESS = (DEALS.c.tenant_id == bindparam("tenant_id"), DEALS.c.process_key == bindparam("process_key"))
COUNT_ACTIVITIES = Query(
    select(
        select(func.count()).select_from(DEALS).where(*OF_PROCESS).scalar_subquery(),
        func.count(distinct(ACTIVITIES.c.deal_id)),
        func.count(),
    )
    .select_from(
        ACTIVITIES.join(
            DEALS, (DEALS.c.tenant_id == ACTIVITIES.c.tenant_id) & (DEALS.c.deal_id == ACTIVITIES.c.deal_id)
        )
    )
    .where(*OF_PROCESS),
    Amounts._make,
    long=True,
)


async def count_amounts(db: Reader, tenant_id: str, process_key: str) -> Amounts:
    """How many deals and activities there are of a process."""
    found = await db.fetch_one(COUNT_ACTIVITIES, {"tenant_id": tenant_id, "process_key": process_key})
    return found or Amounts(0, 0, 0)
