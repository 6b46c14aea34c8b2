"""Statement shapes that every aggregate needs: rows selected in the order of a NamedTuple, inserts, upserts, pages."""

from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import BindParameter, Select, Table, bindparam, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.types import TypeEngine

from app.store.query import Query, Row, command

R = TypeVar("R")


class Shape(Protocol):
    """A NamedTuple class."""

    _fields: tuple[str, ...]


def columns_of(table: Table, shape: type[NamedTuple] | Shape) -> list[Any]:
    """The table's columns of the same names, in the shape's order."""
    return [table.c[name] for name in shape._fields]


def named(table: Table, column: str, name: str | None = None) -> BindParameter[Any]:
    """A parameter with the type of a column."""
    kind: TypeEngine[Any] = table.c[column].type
    return bindparam(name or column, type_=kind)


def by_key(table: Table, *keys: str) -> list[Any]:
    """One equality for each column, with a parameter of the same name."""
    return [table.c[key] == named(table, key) for key in keys]


def insert_into(table: Table) -> Query[Row]:
    """An insert of every column."""
    return command(plain_insert(table))


def insert_new(table: Table) -> Query[Row]:
    """An insert that leaves an existing row alone and then counts none. Both databases read this dialect's words."""
    return command(insert(table).on_conflict_do_nothing(index_elements=list(table.primary_key.columns)))


def upsert(table: Table, *keep: str) -> Query[Row]:
    """An insert that overwrites an existing row, save its key and the columns to keep."""
    statement = insert(table)
    fixed = {*(column.name for column in table.primary_key), *keep}
    changes = {name: column for name, column in statement.excluded.items() if name not in fixed}
    return command(statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changes))


def page(statement: Select[Any]) -> Select[Any]:
    """At most `limit` rows."""
    return statement.limit(bindparam("limit"))


def select_shape(table: Table, shape: Any) -> Select[Any]:
    """The columns that a NamedTuple names."""
    return select(*columns_of(table, shape))
