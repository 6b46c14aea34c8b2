"""The embedded database: one process, one writing connection whose commits are grouped, two connections for reading.

Statements run in the event loop (they take microseconds). COMMIT, which waits for the disk, has a thread; so have the
reads that are marked as long, one at a time, on a connection of their own.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from app.store.errors import CannotOpen, DatabaseDown
from app.store.group import CommitGroup
from app.store.lock_file import LockFile
from app.store.port import Transaction
from app.store.query import Compiled, Params, Query
from app.store.sqlite_work import Append, Work, down, translate

T = TypeVar("T")
R = TypeVar("R")
Read = Callable[[sqlite3.Connection, Compiled, Sequence[Any]], T]

PREFIX = "sqlite:///"
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=0")
STATEMENTS = 512
PATIENCE = 5.0  # seconds to wait for a foreign tool (a backup, a shell) that holds the write lock
PAUSE = 0.01


def sqlite_path(url: str) -> Path:
    """The file behind `sqlite:///path`."""
    path = url.removeprefix(PREFIX)
    if path == url:
        raise CannotOpen(f"{url.partition(':')[0]!r} is no database address: use sqlite:///path or postgresql://…")
    if path in {"", ":memory:"} or "?" in path:
        raise CannotOpen("an embedded database needs a file: sqlite:///path")
    return Path(path)


class SQLite:
    """The driver. INVARIANT: one writing connection, never used while COMMIT runs in its thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = LockFile(path)
        self._closers = contextlib.ExitStack()
        self._reader: sqlite3.Connection | None = None
        self._group: CommitGroup[Append | Work] | None = None

    async def start(self) -> None:
        """Take the lock and open the connections."""
        with contextlib.ExitStack() as closers:
            self._lock.acquire()
            closers.callback(self._lock.release)
            self._writer = self._connect(closers)
            self._reader = self._connect_reader(closers)
            self._long_reader = self._connect_reader(closers)
            self._thread = closers.enter_context(ThreadPoolExecutor(1, thread_name_prefix="sqlite commit"))
            self._long_thread = closers.enter_context(ThreadPoolExecutor(1, thread_name_prefix="sqlite long read"))
            closers.callback(self._long_reader.interrupt)
            self._closers = closers.pop_all()
        self._group = CommitGroup(self._perform)

    async def stop(self) -> None:
        """Commit what was accepted, give up long reads, close, let the next process in."""
        if self._group is not None:
            await self._group.close()
        self._group = self._reader = None
        self._closers.close()

    async def fetch_one(self, query: Query[R], params: Params) -> R | None:
        """The first row, or None; what is committed, nothing else."""
        compiled = query.sqlite
        arguments = compiled.arguments(params)
        if query.long:
            return await self._read_long(_one, compiled, arguments)
        row: R | None = _one(self._reading(), compiled, arguments)
        return row

    async def fetch_all(self, query: Query[R], params: Params) -> list[R]:
        """Every row; what is committed, nothing else."""
        compiled = query.sqlite
        arguments = compiled.arguments(params)
        if query.long:
            return await self._read_long(_all, compiled, arguments)
        return _all(self._reading(), compiled, arguments)

    async def append(self, query: Query[Any], params: Params) -> None:
        """One insert in the next commit."""
        compiled = query.sqlite
        await self._writing().submit(Append(compiled.sql, compiled.arguments(params)))

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """One piece of work in the next commit, inside a savepoint of its own."""
        value: T = await self._writing().submit(Work(work))
        return value

    async def ping(self) -> None:
        """Ask for one."""
        try:
            self._reading().execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
        except sqlite3.Error as error:
            raise down(error) from error

    async def _read_long(self, read: Read[T], compiled: Compiled, arguments: Sequence[Any]) -> T:
        """Read in the thread for it. Whoever waits there when the database is closed is told so."""

        def in_thread() -> T:
            self._reading()
            return read(self._long_reader, compiled, arguments)

        self._reading()
        return await asyncio.get_running_loop().run_in_executor(self._long_thread, in_thread)

    def _reading(self) -> sqlite3.Connection:
        if self._reader is None:
            raise DatabaseDown("the database is not open")
        return self._reader

    def _writing(self) -> CommitGroup[Append | Work]:
        if self._group is None:
            raise DatabaseDown("the database is not open")
        return self._group

    def _connect(self, closers: contextlib.ExitStack) -> sqlite3.Connection:
        try:
            # check_same_thread: COMMIT runs in its own thread, while nobody else touches the connection.
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS
            )
            closers.callback(connection.close)
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise CannotOpen(f"cannot open {self._path}: {error}") from error
        return connection

    def _connect_reader(self, closers: contextlib.ExitStack) -> sqlite3.Connection:
        connection = self._connect(closers)
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA busy_timeout=1000")
        return connection

    async def _perform(self, batch: list[Append | Work]) -> None:
        try:
            await self._begin()
            for item in batch:
                item.run(self._writer)
            await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.execute, "COMMIT")
        except sqlite3.Error as error:
            raise down(error) from error
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

    async def _begin(self) -> None:
        """Wait without holding up the loop while a foreign process has the write lock."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while True:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or loop.time() > deadline:
                    raise
            else:
                return
            await asyncio.sleep(PAUSE)


def _one(connection: sqlite3.Connection, compiled: Compiled, arguments: Sequence[Any]) -> Any:
    try:
        row = connection.execute(compiled.sql, arguments).fetchone()
    except (sqlite3.Error, UnicodeError) as error:
        raise translate(error) from error
    return None if row is None else compiled.row(row)


def _all(connection: sqlite3.Connection, compiled: Compiled, arguments: Sequence[Any]) -> list[Any]:
    try:
        rows = connection.execute(compiled.sql, arguments).fetchall()
    except (sqlite3.Error, UnicodeError) as error:
        raise translate(error) from error
    return [compiled.row(row) for row in rows]
