"""How statements become SQL, an order of parameters and conversions."""

from datetime import UTC, datetime

from sqlalchemy import bindparam, select, update

from app.store.query import Query, command
from app.store.statements import by_key, named
from app.store.tables import DecisionRow, table_of

TABLE = table_of(DecisionRow)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_parameters_are_put_in_order_and_converted_for_each_database() -> None:
    statement = (
        update(TABLE).where(*by_key(TABLE, "decision_id")).values(as_of=named(TABLE, "as_of", "at"), applied=True)
    )
    query = command(statement)
    params = {"decision_id": "1", "at": NOON, "unused": 0}
    assert query.sqlite.sql == "UPDATE decisions SET as_of=?, applied=? WHERE decisions.decision_id = ?"
    assert list(query.sqlite.arguments(params)) == ["2026-11-23T12:00:00.000000Z", 1, "1"]
    assert list(query.postgresql.arguments(params)) == [NOON, True, "1"]
    assert query.postgresql.sql.startswith("UPDATE decisions SET as_of=$1::TIMESTAMP WITH TIME ZONE")


def test_a_statement_is_compiled_once() -> None:
    query = Query(select(TABLE.c.outcome), tuple)
    assert (query.sqlite is query.sqlite, query.postgresql is query.postgresql) == (True, True)


def test_rows_take_the_shape_that_was_asked_for() -> None:
    query = Query(select(TABLE.c.as_of, TABLE.c.outcome).limit(bindparam("limit")), list)
    assert query.sqlite.row(("2026-11-23T12:00:00.000000Z", "allowed")) == [NOON, "allowed"]
    assert query.postgresql.row((NOON, "allowed")) == [NOON, "allowed"]
    assert list(query.sqlite.arguments({"limit": 3})) == [3, 0]
