"""What only the embedded database has to promise: one process, one file, a commit that is on the disk."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.store.activities import put_activity
from app.store.database import CannotOpen, Database, DatabaseDown, Query, Transaction, open_database
from app.store.decisions import append_decision, list_decisions
from app.store.migrate import migrate
from tests.store.rows import activity, add_deal, deal, decision

CHILDREN = Path(__file__).parent / "children"


@pytest.fixture
async def sqlite_database(fresh_sqlite_url: str) -> AsyncIterator[Database]:
    migrate(fresh_sqlite_url)
    database = open_database(fresh_sqlite_url)
    await database.start()
    yield database
    await database.stop()


async def _logged(url: str) -> set[str]:
    database = open_database(url)
    await database.start()
    found = await list_decisions(database, "acme", limit=100_000)
    await database.stop()
    return {row.decision_id for row in found}


async def test_a_second_process_is_refused_with_one_clear_sentence(
    sqlite_database: Database, fresh_sqlite_url: str
) -> None:
    await sqlite_database.ping()
    code = "import asyncio, sys; from app.store.database import open_database; "
    code += "asyncio.run(open_database(sys.argv[1]).start())"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code, fresh_sqlite_url], check=False, capture_output=True, text=True
    )
    path = fresh_sqlite_url.removeprefix("sqlite:///")
    assert done.stderr.splitlines()[-1] == (
        f"app.store.errors.InUse: {path} is already in use by another process; only one process may open an"
        " embedded database, use its HTTP API instead"
    )


async def test_the_next_process_may_open_it_after_the_first_has_stopped(fresh_sqlite_url: str) -> None:
    migrate(fresh_sqlite_url)
    for _ in range(2):
        database = open_database(fresh_sqlite_url)
        await database.start()
        await database.stop()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///x.db?mode=ro", "mysql://x"]
)
def test_an_address_that_cannot_work_is_refused_at_once(url: str) -> None:
    with pytest.raises(CannotOpen, match="sqlite:///path"):
        open_database(url)


async def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match=r"cannot open .*/nowhere/x\.db: no such file or directory"):
        await open_database(f"sqlite:///{tmp_path}/nowhere/x.db").start()


async def test_a_file_that_is_no_database_is_refused_and_let_go(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("this is a shopping list, and long enough to look like a header of a database " * 20)
    for _ in range(2):
        with pytest.raises(CannotOpen, match="file is not a database"):
            await open_database(f"sqlite:///{path}").start()


async def test_every_commit_waits_for_the_disk(sqlite_database: Database) -> None:
    modes = [
        sqlite_database._writer.execute(f"PRAGMA {name}").fetchone()[0]  # type: ignore[attr-defined]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    ]
    assert modes == ["wal", 2, 1]


async def test_commits_that_arrive_together_are_grouped(sqlite_database: Database) -> None:
    commits = []
    sqlite_database._writer.set_trace_callback(  # type: ignore[attr-defined]
        lambda sql: commits.append(sql) if sql == "COMMIT" else None
    )
    await asyncio.gather(*[append_decision(sqlite_database, decision(str(number))) for number in range(100)])
    assert len(commits) <= 2


def test_what_was_acknowledged_survives_kill_9(fresh_sqlite_url: str) -> None:
    migrate(fresh_sqlite_url)
    command = [sys.executable, str(CHILDREN / "append_for_ever.py"), fresh_sqlite_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(2000)]
        os.kill(child.pid, signal.SIGKILL)
        lines += child.stdout.readlines()
    acknowledged = {line.strip() for line in lines if line.endswith("\n")}
    assert child.returncode == -signal.SIGKILL
    assert len(acknowledged) >= 2000
    assert acknowledged - asyncio.run(_logged(fresh_sqlite_url)) == set()


def test_a_full_disk_fails_everybody_in_the_commit_and_nobody_after_it(fresh_sqlite_url: str) -> None:
    migrate(fresh_sqlite_url)
    command = [sys.executable, str(CHILDREN / "fill_the_disk.py"), fresh_sqlite_url]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (
        ["stored", "DatabaseDown", "DatabaseDown", "DatabaseDown", "DatabaseDown", "stored"], "",
    )  # fmt: skip
    assert asyncio.run(_logged(fresh_sqlite_url)) == {"before", "after"}


async def test_a_foreign_tool_that_holds_the_lock_is_waited_for_without_stopping_the_loop(
    sqlite_database: Database, fresh_sqlite_url: str
) -> None:
    shell = sqlite3.connect(fresh_sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(append_decision(sqlite_database, decision("1")))
    await asyncio.sleep(0.05)
    assert (waiting.done(), await list_decisions(sqlite_database, "acme", limit=9)) == (False, [])
    shell.execute("COMMIT")
    shell.close()
    await waiting
    assert await list_decisions(sqlite_database, "acme", limit=9) == [decision("1")]


async def test_a_foreign_tool_that_never_lets_go_is_a_database_that_is_down(
    sqlite_database: Database, fresh_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.sqlite.PATIENCE", 0.05)
    shell = sqlite3.connect(fresh_sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseDown, match="locked"):
        await append_decision(sqlite_database, decision("1"))
    shell.execute("ROLLBACK")
    shell.close()
    await append_decision(sqlite_database, decision("2"))
    assert await list_decisions(sqlite_database, "acme", limit=9) == [decision("2")]


async def test_work_that_waits_for_something_else_is_refused_and_harms_nobody(sqlite_database: Database) -> None:
    async def work(_: Transaction) -> None:
        await asyncio.sleep(0)

    refused, logged = await asyncio.gather(
        sqlite_database.transaction(work), append_decision(sqlite_database, decision("1")), return_exceptions=True
    )
    assert repr(refused) == "RuntimeError('work given to transaction() may await nothing but its transaction')"
    assert logged is None


async def test_a_broken_reference_is_a_fault_of_the_program_and_neither_a_conflict_nor_an_outage(
    sqlite_database: Database,
) -> None:
    await add_deal(sqlite_database, deal())
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        await sqlite_database.transaction(lambda tx: put_activity(tx, activity(deal_id="D-9")))


def counting(to: str) -> Query[tuple[int]]:
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n {to}) SELECT count(*) FROM n"  # noqa: S608
    return Query(text(numbers), tuple, long=True)


MANY = 3_000_000


async def test_a_long_read_holds_up_no_other(sqlite_database: Database) -> None:
    reading = asyncio.create_task(sqlite_database.fetch_all(counting(f"WHERE i < {MANY}"), {}))
    await asyncio.sleep(0)
    await append_decision(sqlite_database, decision("1"))
    found = await list_decisions(sqlite_database, "acme", limit=9)
    assert ([decision("1")], False) == (found, reading.done())
    assert [(MANY,)] == await reading


async def test_a_long_read_sees_what_was_committed_before_it(sqlite_database: Database) -> None:
    await append_decision(sqlite_database, decision("1"))
    count: Query[tuple[int]] = Query(text("SELECT count(*) FROM decisions"), tuple, long=True)
    assert ((1,), [(1,)]) == (await sqlite_database.fetch_one(count, {}), await sqlite_database.fetch_all(count, {}))


async def test_a_long_read_changes_nothing_and_its_errors_are_the_store_s_own(sqlite_database: Database) -> None:
    with pytest.raises(DatabaseDown, match="readonly"):
        await sqlite_database.fetch_all(Query(text("DELETE FROM decisions"), tuple, long=True), {})


async def test_whoever_stops_the_database_does_not_wait_for_long_reads(fresh_sqlite_url: str) -> None:
    migrate(fresh_sqlite_url)
    database = open_database(fresh_sqlite_url)
    await database.start()
    endless = [asyncio.create_task(database.fetch_one(counting(""), {})) for _ in range(3)]
    await asyncio.sleep(0.1)
    await database.stop()
    told = await asyncio.gather(*endless, return_exceptions=True)
    assert [DatabaseDown] * 3 == [type(one) for one in told]
    with pytest.raises(DatabaseDown, match="not open"):
        await database.fetch_all(counting(""), {})
