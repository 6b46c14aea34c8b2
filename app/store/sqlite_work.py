"""What the writing connection of SQLite runs between BEGIN and COMMIT: single inserts, and work in savepoints."""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from app.store.errors import Conflict, DatabaseDown, StoreError, Unstorable
from app.store.group import Item
from app.store.port import Transaction
from app.store.query import Params, Query

R = TypeVar("R")

UNIQUE = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}


def down(error: sqlite3.Error) -> DatabaseDown:
    """The disk is full, another tool holds the lock, the file is damaged: nothing can be promised now."""
    return DatabaseDown(f"the database cannot be used now: {error}")


def translate(error: Exception) -> Exception:
    """The store's own word for an error of the driver; a fault of the program itself stays what it is."""
    if isinstance(error, UnicodeError):
        return Unstorable("a text holds a character that cannot be stored")
    if isinstance(error, sqlite3.IntegrityError) and error.sqlite_errorcode in UNIQUE:
        return Conflict("a row with this key exists already")
    if isinstance(error, sqlite3.OperationalError) and _is_environment(error):
        return down(error)
    return error


def _is_environment(error: sqlite3.OperationalError) -> bool:
    """Not our SQL (SQLITE_ERROR), but the disk or another process."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF != sqlite3.SQLITE_ERROR


class Append(Item):
    """One insert. It needs no savepoint: a statement that fails undoes itself."""

    __slots__ = ("arguments", "sql")

    def __init__(self, sql: str, arguments: Sequence[Any]) -> None:
        super().__init__()
        self.sql = sql
        self.arguments = arguments

    def run(self, writer: sqlite3.Connection) -> None:
        """Insert, and keep an error that is this row's own."""
        if self.done.done():  # the caller has gone
            return
        try:
            writer.execute(self.sql, self.arguments)
        except (sqlite3.Error, UnicodeError) as error:
            self.error = translate(error)
            _stop_if_lost(writer, self.error)


class Work(Item):
    """A piece of work of several statements, undone alone when it fails."""

    __slots__ = ("work",)

    def __init__(self, work: Callable[[Transaction], Awaitable[Any]]) -> None:
        super().__init__()
        self.work = work

    def run(self, writer: sqlite3.Connection) -> None:
        """Run to the end inside a savepoint."""
        if self.done.done():  # the caller has gone
            return
        writer.execute("SAVEPOINT work")
        transaction = SQLiteTransaction(writer)
        try:
            self.value = _drive(self.work(transaction))
            transaction.finish()
        except BaseException as error:  # noqa: BLE001 - it is the caller's, and is raised there
            self.error = error
            _stop_if_lost(writer, error)
            writer.execute("ROLLBACK TO work")
        writer.execute("RELEASE work")


def _stop_if_lost(writer: sqlite3.Connection, error: BaseException) -> None:
    """Some failures (disk full, I/O) undo the whole batch: then nobody in it may be told that it succeeded."""
    if isinstance(error, DatabaseDown):
        raise error
    if not writer.in_transaction:
        raise DatabaseDown("the database gave up the commit")


def _drive(work: Awaitable[Any]) -> Any:
    """Run work that never waits. INVARIANT: whatever a transaction offers answers at once, so no step may be left."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    close = getattr(steps, "close", None)
    if close is not None:
        close()
    raise RuntimeError("work given to transaction() may await nothing but its transaction")


class SQLiteTransaction:
    """The writing connection, lent to one piece of work."""

    def __init__(self, writer: sqlite3.Connection) -> None:
        self._writer = writer
        self._failure: Exception | None = None
        self._finished = False

    def finish(self) -> None:
        """End it; work that swallowed an error of a statement has failed all the same, as on PostgreSQL."""
        self._finished = True
        if self._failure is not None:
            raise self._failure

    async def fetch_one(self, query: Query[R], params: Params) -> R | None:
        """The first row, or None."""
        compiled = query.sqlite
        row = self._run(compiled.sql, compiled.arguments(params)).fetchone()
        return None if row is None else compiled.row(row)

    async def fetch_all(self, query: Query[R], params: Params) -> list[R]:
        """Every row."""
        compiled = query.sqlite
        return [compiled.row(row) for row in self._run(compiled.sql, compiled.arguments(params)).fetchall()]

    async def execute(self, query: Query[Any], params: Params) -> int:
        """Change rows; answers how many."""
        compiled = query.sqlite
        return self._run(compiled.sql, compiled.arguments(params)).rowcount

    def _run(self, sql: str, arguments: Sequence[Any]) -> sqlite3.Cursor:
        if self._failure is not None:
            raise self._failure
        if self._finished:
            raise StoreError("this transaction has ended")
        try:
            return self._writer.execute(sql, arguments)
        except (sqlite3.Error, UnicodeError) as error:
            self._failure = translate(error)
            raise self._failure from error
