"""One history, two databases: what it makes is what the tables say, however often and by however many it is run."""

import asyncio
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from app.store.database import CannotOpen, DatabaseDown, InUse, open_database
from app.store.lock_file import LockFile
from app.store.migrate import FOLDER, HEAD, migrate, pending
from app.store.tables import Base
from tests.postgres import execute, in_thread


def _ask(url: str, question: Any) -> Any:
    """Put a question to a connection of SQLAlchemy."""
    if url.startswith("sqlite"):
        with closing(create_engine(url).connect()) as connection:
            answer = question(connection)
            connection.engine.dispose()
            return answer
    return in_thread(_ask_server(url, question))


async def _ask_server(url: str, question: Any) -> Any:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        answer = await connection.run_sync(question)
    await engine.dispose()
    return answer


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))


def _collations(connection: Connection) -> set[tuple[str, str]]:
    inspector = inspect(connection)
    return {
        (table, str(column["name"]))
        for table in inspector.get_table_names()
        for column in inspector.get_columns(table)
        if getattr(column["type"], "collation", None) == "C"
    }


def _declared() -> list[Any]:
    """Every constraint and index of the tables."""
    return [item for table in Base.metadata.tables.values() for item in (*table.constraints, *table.indexes)]


def test_the_history_makes_exactly_what_the_tables_say(database_url: str) -> None:
    migrate(database_url)
    assert _ask(database_url, _differences) == []


def test_the_names_of_constraints_are_those_of_the_tables(database_url: str) -> None:
    def names(connection: Connection) -> set[str | None]:
        inspector = inspect(connection)
        tables = [name for name in inspector.get_table_names() if name != "alembic_version"]
        found: set[str | None] = {inspector.get_pk_constraint(name)["name"] for name in tables}
        for table in tables:
            for kind in (inspector.get_foreign_keys, inspector.get_unique_constraints, inspector.get_indexes):
                found |= {one["name"] for one in kind(table)}
        return found

    migrate(database_url)
    expected = {item.name for item in _declared()}
    assert _ask(database_url, names) == expected


def test_keys_on_a_server_are_compared_byte_by_byte(fresh_postgres_url: str) -> None:
    migrate(fresh_postgres_url)
    expected = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if "postgresql" in column.type._variant_mapping
    }
    assert ("deals", "deal_id") in expected
    assert _ask(fresh_postgres_url, _collations) == expected


def test_every_key_and_index_begins_with_the_tenant_save_those_that_find_it() -> None:
    others = {item.name for item in _declared() if next(iter(item.columns)).name != "tenant_id"}
    assert others == {
        "uq_api_keys_key_id",
        "uq_connections_connection_id",
        "ix_deliveries_waiting",
        "ix_deliveries_to_erase",
        "ix_webhook_events_seen",
        "ix_outbox_finished",
        "ix_deals_rotting",
        "ix_syncs_running",
        "pk_clock_passes",
    }


def test_the_newest_revision_is_the_one_that_the_program_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_there_is_something_to_do_once(database_url: str) -> None:
    assert [pending(database_url), migrate(database_url), pending(database_url), migrate(database_url)] == [
        True, True, False, False,
    ]  # fmt: skip


async def test_it_may_be_run_inside_an_event_loop(database_url: str) -> None:
    assert [migrate(database_url), pending(database_url)] == [True, False]


def test_asking_does_not_create_the_file(fresh_sqlite_url: str) -> None:
    assert pending(fresh_sqlite_url) is True
    assert not Path(fresh_sqlite_url.removeprefix("sqlite:///")).exists()


def test_replicas_that_start_together_migrate_once(database_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, [database_url] * 4))
    assert _ask(database_url, _differences) == []


def test_processes_that_start_together_migrate_once(fresh_sqlite_url: str) -> None:
    code = "import sys; from app.store.migrate import migrate; migrate(sys.argv[1])"
    children = [subprocess.Popen([sys.executable, "-c", code, fresh_sqlite_url]) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    assert _ask(fresh_sqlite_url, _differences) == []


def test_a_file_that_another_process_serves_from_is_left_alone(
    fresh_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.migrate.PATIENCE", 0.05)
    lock = LockFile(Path(fresh_sqlite_url.removeprefix("sqlite:///")))
    lock.acquire()
    with pytest.raises(InUse, match="already in use by another process"):
        migrate(fresh_sqlite_url)
    lock.release()
    assert migrate(fresh_sqlite_url) is True


def test_a_revision_that_fails_leaves_the_schema_as_it_was(database_url: str) -> None:
    _create_in_the_way(database_url)
    with pytest.raises(Exception, match="deals"):
        migrate(database_url)
    assert _ask(database_url, lambda connection: inspect(connection).get_table_names()) == ["deals"]


def test_a_database_of_a_newer_program_is_refused(database_url: str) -> None:
    migrate(database_url)
    _run(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CannotOpen, match="newer version of stagerail"):
        migrate(database_url)


def test_a_server_that_is_away_is_told_in_one_sentence() -> None:
    with pytest.raises(DatabaseDown, match=r"^the database cannot be reached: [^\n]+$"):
        pending("postgresql://postgres@127.0.0.1:1/x")


def test_alembic_is_not_even_imported_when_there_is_nothing_to_do(database_url: str) -> None:
    migrate(database_url)
    code = "import sys; from app.store.migrate import migrate; migrate(sys.argv[1]); print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, database_url], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


async def test_a_migrated_database_can_be_opened_at_once(database_url: str) -> None:
    await asyncio.to_thread(migrate, database_url)
    database = open_database(database_url)
    await database.start()
    await database.ping()
    await database.stop()


def _create_in_the_way(url: str) -> None:
    _run(url, "CREATE TABLE deals (x INTEGER)")


def _run(url: str, sql: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            connection.execute(sql)
    else:
        in_thread(execute(url, sql))
