"""Process versions: published, listed, and compiled once for all who decide with them."""

import json
import time
from codecs import BOM_UTF8
from collections import OrderedDict
from datetime import datetime
from typing import NamedTuple

from app.engine import CompiledProcess, FileProblem, compile_process, digest_of
from app.engine.load import load_process, read_process
from app.safe_json import read_json
from app.services.refusals import InvalidProcessFile, InvalidRequest, UnknownProcess, UnknownVersion
from app.store.database import Database, Reader, Transaction
from app.store.processes import (
    ProcessVersion,
    current_version,
    list_processes,
    lock_process,
    publish,
    read_version,
)

MOST_COMPILED = 500
FRESH_SECONDS = 0.5
"""How long "which version is current" is believed: a new one is honoured by every replica within a second."""


class Processes:
    """Compiled versions, kept for good (they never change), and the current version, believed for a moment."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[tuple[str, str, int], CompiledProcess] = OrderedDict()
        self._current: dict[tuple[str, str], tuple[int, float]] = {}

    async def compiled(
        self, db: Reader, tenant_id: str, key: str, version: int | None = None
    ) -> CompiledProcess | None:
        """A version of a process, the current one when none is named; None when there is no such."""
        number = await self._current_number(db, tenant_id, key) if version is None else version
        if number is None:
            return None
        known = self._compiled.get((tenant_id, key, number))
        if known is not None:
            self._compiled.move_to_end((tenant_id, key, number))
            return known
        row = await read_version(db, tenant_id, key, number)
        return None if row is None else self._keep(row)

    async def asked(self, db: Reader, tenant_id: str, key: str, version: int | None = None) -> CompiledProcess:
        """The same, refused when there is no such."""
        found = await self.compiled(db, tenant_id, key, version)
        if found is not None:
            return found
        if version is not None and await self._current_number(db, tenant_id, key) is not None:
            raise UnknownVersion(process=key, version=version)
        known = [one.process_key for one in await list_processes(db, tenant_id, limit=20)]
        raise UnknownProcess(process=key, known=known)

    def forget_current(self, tenant_id: str, key: str) -> None:
        """A new version was published here: ask again at once."""
        self._current.pop((tenant_id, key), None)

    def forget(self, tenant_id: str, key: str) -> None:
        """Publishing failed: what was read of it before the commit was never stored, and its number is still free."""
        self.forget_current(tenant_id, key)
        for known in [one for one in self._compiled if one[:2] == (tenant_id, key)]:
            del self._compiled[known]

    async def _current_number(self, db: Reader, tenant_id: str, key: str) -> int | None:
        known = self._current.get((tenant_id, key))
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        current = await current_version(db, tenant_id, key)
        if current is None:
            return None
        if len(self._current) > MOST_COMPILED:
            self._current.clear()
        self._current[tenant_id, key] = (current.version, time.monotonic() + FRESH_SECONDS)
        return current.version

    def _keep(self, row: ProcessVersion) -> CompiledProcess:
        compiled = compile_process(load_process(row.source.encode(), source=row.process_key), row.version)
        self._compiled[row.tenant_id, row.process_key, row.version] = compiled
        if len(self._compiled) > MOST_COMPILED:
            self._compiled.popitem(last=False)
        return compiled


class Checked(NamedTuple):
    """A file that may be published."""

    key: str
    digest: str
    source: str
    media_type: str
    problems: tuple[FileProblem, ...]


class Published(NamedTuple):
    """What publishing gave; `created` is False when the content was there already."""

    version: int
    digest: str
    created: bool
    published_at: datetime


def check_file(key: str, data: bytes, media_type: str) -> Checked:
    """Read and check a process file for publishing under a key.

    Raises InvalidProcessFile with every problem, and UnsafeJson for what was announced as JSON and is none.
    """
    if media_type == "application/json" and not data.removeprefix(BOM_UTF8).lstrip().startswith(b"{"):
        read_json(data)  # a reader of YAML would take what is no JSON at all
    loaded = read_process(data)
    if loaded.process is None or loaded.errors:
        raise InvalidProcessFile(loaded.problems)
    if loaded.process.process != key:
        raise InvalidRequest("process", "process_key_differs", file=loaded.process.process, path=key)
    return Checked(key, digest_of(loaded.process), data.decode("utf-8-sig"), media_type, loaded.problems)


async def publish_file(tx: Transaction, tenant_id: str, checked: Checked, *, by: str, now: datetime) -> Published:
    """Publish as the next version; the same content as the current version is no new one."""
    current = await lock_process(tx, tenant_id, checked.key, now)
    if current is not None and current.digest == checked.digest:
        row = await read_version(tx, tenant_id, checked.key, current.version)
        return Published(current.version, current.digest, created=False, published_at=row.published_at if row else now)
    version = 1 if current is None else current.version + 1
    warnings = json.dumps([problem._asdict() for problem in checked.problems], ensure_ascii=False)
    row = ProcessVersion(
        tenant_id, checked.key, version, checked.digest, checked.media_type, checked.source, warnings, now, by
    )
    await publish(tx, row)
    return Published(version, checked.digest, created=True, published_at=now)


async def read_published(db: Database, tenant_id: str, key: str, version: int | None) -> ProcessVersion:
    """A published file, the current version when none is named."""
    current = await current_version(db, tenant_id, key)
    if current is None:
        known = [one.process_key for one in await list_processes(db, tenant_id, limit=20)]
        raise UnknownProcess(process=key, known=known)
    row = await read_version(db, tenant_id, key, version or current.version)
    if row is None:
        raise UnknownVersion(process=key, version=version)
    return row


def problems_of(row: ProcessVersion) -> list[FileProblem]:
    """The warnings that were kept with a version."""
    return [FileProblem(**problem) for problem in json.loads(row.warnings)]
