"""Processes and their versions: numbered without gaps or doubles, whoever publishes at the same time."""

import asyncio

from app.store.database import Database, Transaction
from app.store.processes import (
    CurrentVersion,
    ProcessSummary,
    VersionSummary,
    current_version,
    list_processes,
    list_versions,
    lock_process,
    publish,
    read_version,
)
from tests.store.rows import NOON, add_version, minutes, version


async def test_published_versions_follow_each_other_and_the_last_is_current(database: Database) -> None:
    assert await current_version(database, "acme", "sales") is None
    await add_version(database, version(1))
    await add_version(database, version(2, published_at=NOON + minutes(1)))
    assert await current_version(database, "acme", "sales") == CurrentVersion(2, "sha256:2")
    assert await read_version(database, "acme", "sales", 1) == version(1)
    assert await read_version(database, "acme", "sales", 3) is None
    assert await list_versions(database, "acme", "sales") == [
        VersionSummary(2, "sha256:2", NOON + minutes(1), "k1"),
        VersionSummary(1, "sha256:1", NOON, "k1"),
    ]
    assert await list_processes(database, "acme", limit=5) == [
        ProcessSummary("sales", 2, "sha256:2", NOON + minutes(1))
    ]


async def test_a_process_that_was_only_locked_is_not_published(database: Database) -> None:
    assert await database.transaction(lambda tx: lock_process(tx, "acme", "sales", NOON)) is None
    assert await current_version(database, "acme", "sales") is None
    assert await list_processes(database, "acme", limit=5) == []


async def test_concurrent_publishers_never_take_the_same_number(database: Database) -> None:
    async def work(tx: Transaction, author: str) -> int:
        current = await lock_process(tx, "acme", "sales", NOON)
        number = 1 if current is None else current.version + 1
        await publish(tx, version(number, published_by=author))
        return number

    authors = [f"k{number}" for number in range(8)]
    calls = [database.transaction(lambda tx, author=author: work(tx, author)) for author in authors]  # type: ignore[misc]
    numbers = await asyncio.gather(*calls)
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert await current_version(database, "acme", "sales") == CurrentVersion(8, "sha256:8")


async def test_processes_are_listed_page_by_page(database: Database) -> None:
    for key in ("c", "a", "b"):
        await add_version(database, version(1, process_key=key))
    first = await list_processes(database, "acme", limit=2)
    rest = await list_processes(database, "acme", limit=2, cursor=first[-1].process_key)
    assert [[row.process_key for row in page] for page in (first, rest)] == [["a", "b"], ["c"]]
