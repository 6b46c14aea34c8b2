"""What `serve --demo` puts into an empty database: a process, deals, a connection, and a key that outlives restarts.

Nothing that is there already is touched: a demo that somebody has worked in stays as they left it.
"""

import contextlib
import json
import os
import secrets
from base64 import urlsafe_b64encode
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from app.cli.demo_deals import demo_deals
from app.cli.parser import DEFAULT_TENANT, SCOPES
from app.cli.refusals import Refusal
from app.crm.demo import DEMO_CONNECTION, demo_connection
from app.engine import Snapshot
from app.services import connections
from app.services.deals import Precondition, put_deal
from app.services.keys import create_key, hash_of
from app.services.processes import Processes, check_file, publish_file
from app.store.database import Database, Transaction
from app.store.keys import ApiKey, add_key, find_key, list_keys, revoke_key
from app.store.processes import current_version
from app.store.tenants import Tenant, insert_tenant, read_tenant

PROCESS = "b2b-saas"
STARTERS = Path(__file__).parents[1] / "starters"
KEY_NAME = "demo"
PRIVATE = 0o600
_PARTS = 3


class DemoFolder:
    """The folder where the demo keeps its secrets over restarts, readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key_file = folder / "demo-key"
        self._encryption_file = folder / "demo-encryption-key"

    def encryption_key(self) -> str:
        """The key that the demo's connection is encrypted with; made on first use."""
        return self._kept(self._encryption_file) or self._write(
            self._encryption_file, urlsafe_b64encode(secrets.token_bytes(32)).decode()
        )

    def api_key(self) -> str | None:
        """The demo key of earlier starts."""
        return self._kept(self.key_file)

    def keep_api_key(self, text: str) -> None:
        """Remember the demo key."""
        self._write(self.key_file, text)

    def _kept(self, path: Path) -> str | None:
        try:
            path.chmod(PRIVATE)
            return path.read_text().strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable(path, error) from error

    def _write(self, path: Path, text: str) -> str:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n")  # secrets that nobody should commit by mistake
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w") as stream:
                stream.write(text + "\n")
        except OSError as error:
            raise _unusable(path, error) from error
        return text


def _unusable(path: Path, error: Exception) -> Refusal:
    reason = error.strerror if isinstance(error, OSError) else None
    return Refusal("cli.cannot_keep", file=path, reason=(reason or str(error)).lower())


class _Seed(NamedTuple):
    """What was found or made."""

    key: str
    new_key: bool
    new_process: bool


async def prepare_demo(database: Database, folder: DemoFolder, encryption_key: str | None, now: datetime) -> str:
    """Fill the database where it is empty; the demo key."""
    kept, processes = folder.api_key(), Processes()

    async def work(tx: Transaction) -> _Seed:
        if await read_tenant(tx, DEFAULT_TENANT) is None:
            await insert_tenant(tx, Tenant(DEFAULT_TENANT, DEFAULT_TENANT, now))
        key = await _good_key(tx, kept, now)
        text = key or await _new_key(tx, now)
        return _Seed(text, key is None, await _publish(tx, processes, text.split("_")[1], now))

    seed = await database.transaction(work)
    if seed.key != kept:
        folder.keep_api_key(seed.key)
    await _connect(database, processes, seed, encryption_key, now)
    return seed.key


async def _good_key(tx: Transaction, text: str | None, now: datetime) -> str | None:
    """The kept key when it is still good; it is stored again in a database that never saw it."""
    parts = (text or "").split("_")
    if len(parts) != _PARTS or parts[0] != "srl":
        return None
    known = await find_key(tx, parts[1])
    if known is None:
        await add_key(tx, ApiKey(DEFAULT_TENANT, parts[1], hash_of(parts[2]), " ".join(SCOPES), KEY_NAME, now, None))
        return text
    return text if known.revoked_at is None and known.secret_hash == hash_of(parts[2]) else None


async def _new_key(tx: Transaction, now: datetime) -> str:
    """A key with every scope. Demo keys of before, whose file is gone, are of use to nobody."""
    for key in await list_keys(tx, DEFAULT_TENANT):
        if key.name == KEY_NAME:
            await revoke_key(tx, DEFAULT_TENANT, key.key_id, now)
    return await create_key(tx, DEFAULT_TENANT, list(SCOPES), KEY_NAME, now)


async def _publish(tx: Transaction, processes: Processes, by: str, now: datetime) -> bool:
    """The process and its deals, in a database that has no such process; True when they were put there."""
    if await current_version(tx, DEFAULT_TENANT, PROCESS) is not None:
        return False
    data = (STARTERS / f"{PROCESS}.yaml").read_bytes()
    await publish_file(tx, DEFAULT_TENANT, check_file(PROCESS, data, "application/yaml"), by=by, now=now)
    for deal in demo_deals(now):
        snapshot = Snapshot.model_validate_json(json.dumps(deal))
        await put_deal(
            tx,
            processes,
            DEFAULT_TENANT,
            str(snapshot.id),
            snapshot,
            process=PROCESS,
            version=None,
            precondition=Precondition(),
            now=now,
        )
    return True


async def _connect(
    database: Database, processes: Processes, seed: _Seed, encryption_key: str | None, now: datetime
) -> None:
    """The connection, whose client secret is the demo key; it follows the key, and keeps what was changed in it."""
    stored = await connections.read(database, DEFAULT_TENANT, DEMO_CONNECTION)
    if not (seed.new_key or seed.new_process):
        return
    settings = stored.settings if stored else demo_connection()
    change = connections.Change(DEMO_CONNECTION, settings, seed.key)
    with contextlib.suppress(connections.WrongConnection, connections.ConnectionTaken):
        await connections.put(database, processes, DEFAULT_TENANT, change, key=encryption_key, now=now)
