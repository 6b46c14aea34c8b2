"""Processes and their immutable versions."""

from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import and_, select, update

from app.store.database import Query, Reader, Transaction, command
from app.store.statements import by_key, insert_into, insert_new, named, page, select_shape
from app.store.tables import ProcessRow, ProcessVersionRow, table_of

PROCESSES = table_of(ProcessRow)
VERSIONS = table_of(ProcessVersionRow)


class CurrentVersion(NamedTuple):
    """Which version of a process counts now."""

    version: int
    digest: str


class ProcessSummary(NamedTuple):
    """A process in a list."""

    process_key: str
    current_version: int
    digest: str
    updated_at: datetime


class ProcessVersion(NamedTuple):
    """A published process file."""

    tenant_id: str
    process_key: str
    version: int
    digest: str
    media_type: str
    source: str
    warnings: str
    published_at: datetime
    published_by: str | None


class VersionSummary(NamedTuple):
    """A version in a list, without its file."""

    version: int
    digest: str
    published_at: datetime
    published_by: str | None


CURRENT_OF = and_(
    VERSIONS.c.tenant_id == PROCESSES.c.tenant_id,
    VERSIONS.c.process_key == PROCESSES.c.process_key,
    VERSIONS.c.version == PROCESSES.c.current_version,
)
ONE_PROCESS = by_key(PROCESSES, "tenant_id", "process_key")
CURRENT = Query(
    select(VERSIONS.c.version, VERSIONS.c.digest).select_from(PROCESSES.join(VERSIONS, CURRENT_OF)).where(*ONE_PROCESS),
    CurrentVersion._make,
)
READ_VERSION = Query(
    select_shape(VERSIONS, ProcessVersion).where(*by_key(VERSIONS, "tenant_id", "process_key", "version")),
    ProcessVersion._make,
)
LIST_VERSIONS = Query(
    select_shape(VERSIONS, VersionSummary)
    .where(*by_key(VERSIONS, "tenant_id", "process_key"))
    .order_by(VERSIONS.c.version.desc()),
    VersionSummary._make,
)
INSERT_PROCESS = insert_new(PROCESSES)
LOCK = Query(select(PROCESSES.c.current_version).where(*ONE_PROCESS).with_for_update(), tuple)
INSERT_VERSION = insert_into(VERSIONS)
MAKE_CURRENT = command(
    update(PROCESSES)
    .where(*ONE_PROCESS)
    .values(
        current_version=named(PROCESSES, "current_version", "version"),
        updated_at=named(PROCESSES, "updated_at", "published_at"),
    )
)


async def current_version(db: Reader, tenant_id: str, process_key: str) -> CurrentVersion | None:
    """The version that counts now, or None for a process that was never published."""
    return await db.fetch_one(CURRENT, {"tenant_id": tenant_id, "process_key": process_key})


async def read_version(db: Reader, tenant_id: str, process_key: str, version: int) -> ProcessVersion | None:
    """One published file."""
    return await db.fetch_one(READ_VERSION, {"tenant_id": tenant_id, "process_key": process_key, "version": version})


async def list_processes(db: Reader, tenant_id: str, *, limit: int, cursor: str | None = None) -> list[ProcessSummary]:
    """Processes by key; the cursor is the last key of the page before."""
    return await db.fetch_all(
        _list_query(after=cursor is not None), {"tenant_id": tenant_id, "cursor": cursor, "limit": limit}
    )


async def list_versions(db: Reader, tenant_id: str, process_key: str) -> list[VersionSummary]:
    """Every version of a process, newest first."""
    return await db.fetch_all(LIST_VERSIONS, {"tenant_id": tenant_id, "process_key": process_key})


async def lock_process(tx: Transaction, tenant_id: str, process_key: str, at: datetime) -> CurrentVersion | None:
    """Keep everybody else from publishing this process until the transaction ends; the version that counts now.

    The row is made first where there is none, so that two first publishers meet at it as well.
    """
    key = {"tenant_id": tenant_id, "process_key": process_key}
    await tx.execute(INSERT_PROCESS, {**key, "current_version": 0, "updated_at": at})
    await tx.fetch_one(LOCK, key)
    return await tx.fetch_one(CURRENT, key)


async def publish(tx: Transaction, version: ProcessVersion) -> None:
    """Store a version and make it current. INVARIANT: `lock_process` was called in this transaction."""
    row = version._asdict()
    await tx.execute(INSERT_VERSION, row)
    await tx.execute(MAKE_CURRENT, row)


@cache
def _list_query(*, after: bool) -> Query[ProcessSummary]:
    statement = (
        select(PROCESSES.c.process_key, PROCESSES.c.current_version, VERSIONS.c.digest, PROCESSES.c.updated_at)
        .select_from(PROCESSES.join(VERSIONS, CURRENT_OF))
        .where(*by_key(PROCESSES, "tenant_id"))
        .order_by(PROCESSES.c.process_key)
    )
    if after:
        statement = statement.where(PROCESSES.c.process_key > named(PROCESSES, "process_key", "cursor"))
    return Query(page(statement), ProcessSummary._make)
