"""A statement compiled once per database to SQL, an order of parameters and the conversions of its types, so that
nothing of SQLAlchemy runs while a request is answered.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

R_co = TypeVar("R_co", covariant=True)
Row = tuple[Any, ...]
Params = Mapping[str, Any]

SQLITE = pysqlite.dialect()
POSTGRESQL = asyncpg.dialect()  # type: ignore[no-untyped-call]


class Compiled(NamedTuple):
    """What a driver needs: the SQL, its arguments in order, and how a raw row becomes a value."""

    sql: str
    arguments: Callable[[Params], Sequence[Any]]
    row: Callable[[Iterable[Any]], Any]


class Query(Generic[R_co]):
    """A statement and the shape of its rows, in the order in which it selects: usually a NamedTuple's `_make`.

    `long`: it looks at more rows than an event loop can be kept waiting for.
    """

    def __init__(self, statement: Executable, row: Callable[[Iterable[Any]], R_co], *, long: bool = False) -> None:
        self.statement = statement
        self.row = row
        self.long = long

    @cached_property
    def sqlite(self) -> Compiled:
        """Compiled at first use, not at import."""
        return _compile(self, SQLITE)

    @cached_property
    def postgresql(self) -> Compiled:
        """Compiled at first use, not at import."""
        return _compile(self, POSTGRESQL)


def command(statement: Executable) -> Query[Row]:
    """A statement that changes rows and hands none out."""
    return Query(statement, tuple)


def _compile(query: Query[Any], dialect: Dialect) -> Compiled:
    compiled = query.statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - every statement here is SQL, not DDL
    return Compiled(compiled.string, _arguments(compiled, dialect), _rows(compiled, dialect, query.row))


def _arguments(compiled: SQLCompiler, dialect: Dialect) -> Callable[[Params], Sequence[Any]]:
    names = list(compiled.positiontup or ())
    binds = [compiled.binds[name] for name in names]
    fixed = {name: bind.effective_value for name, bind in zip(names, binds, strict=True) if not bind.required}
    found = [bind.type.dialect_impl(dialect).bind_processor(dialect) for bind in binds]
    converters = [(place, convert) for place, convert in enumerate(found) if convert]
    pick = _pick(names)
    if not fixed and not converters:
        return pick

    def arguments(params: Params) -> Sequence[Any]:
        values = list(pick({**params, **fixed} if fixed else params))
        for place, convert in converters:
            values[place] = convert(values[place])
        return values

    return arguments


def _pick(names: list[str]) -> Callable[[Params], Sequence[Any]]:
    """The values of these names, in C where that can be had; a missing one is a KeyError."""
    if not names:
        return lambda _: ()
    if len(names) == 1:
        only = names[0]
        return lambda params: (params[only],)
    return itemgetter(*names)


def _rows(
    compiled: SQLCompiler, dialect: Dialect, make: Callable[[Iterable[Any]], Any]
) -> Callable[[Iterable[Any]], Any]:
    types = [entry.type for entry in compiled._result_columns]  # noqa: SLF001 - no public name for it
    found = [kind.dialect_impl(dialect).result_processor(dialect, None) for kind in types]
    converters = [(place, convert) for place, convert in enumerate(found) if convert]
    if not converters:
        return make

    def row(raw: Iterable[Any]) -> Any:
        values = list(raw)
        for place, convert in converters:
            values[place] = convert(values[place])
        return make(values)

    return row
