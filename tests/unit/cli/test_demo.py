"""What `serve --demo` puts into a database, and what it leaves alone."""

import asyncio
import stat
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.cli.demo import DemoFolder, prepare_demo
from app.cli.demo_deals import demo_deals
from app.cli.refusals import Refusal
from app.crm.demo import DEMO_CONNECTION
from app.crm.secrets import decrypt
from app.services.keys import SCOPES, Keys
from app.store.connections import find_connection
from app.store.database import Database, open_database
from app.store.deals import list_deals
from app.store.keys import list_keys, revoke_key
from app.store.migrate import migrate
from app.store.processes import list_versions

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LATER = datetime(2026, 12, 24, 10, tzinfo=UTC)
TENANT = "default"

Work = Callable[[Database], Coroutine[Any, Any, Any]]


class Demo:
    """A database and a folder, between starts."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = DemoFolder(folder)
        migrate(url)

    def start(self, now: datetime = NOW) -> str:
        key: str = self.do(lambda database: prepare_demo(database, self.folder, self.folder.encryption_key(), now))
        return key

    def do(self, work: Work) -> Any:
        async def opened() -> Any:
            database = open_database(self.url)
            await database.start()
            try:
                return await work(database)
            finally:
                await database.stop()

        return asyncio.run(opened())

    def content(self) -> Any:
        async def read(database: Database) -> Any:
            return (
                await list_keys(database, TENANT),
                await list_versions(database, TENANT, "b2b-saas"),
                await list_deals(database, TENANT, limit=100),
                await find_connection(database, DEMO_CONNECTION),
            )

        return self.do(read)

    def good(self, key: str) -> bool:
        async def asked(database: Database) -> bool:
            principal = await Keys().principal(database, key)
            return principal is not None and principal.scopes == frozenset(SCOPES)

        answer: bool = self.do(asked)
        return answer

    def secret(self) -> str:
        connection = self.content()[3]
        return decrypt(self.folder.encryption_key(), connection.secret_ciphertext)


@pytest.fixture
def demo(database_url: str, tmp_path: Path) -> Demo:
    return Demo(database_url, tmp_path / "kept")


def test_a_first_start_fills_the_database(demo: Demo) -> None:
    key = demo.start()
    keys, versions, deals, connection = demo.content()
    assert ([one.name for one in keys], [one.version for one in versions]) == (["demo"], [1])
    assert [deal.deal_id for deal in deals] == sorted(str(deal["id"]) for deal in demo_deals(NOW))
    assert {deal.stage for deal in deals} >= {"new", "discovery", "demo_scheduled", "proposal", "negotiation", "lost"}
    assert (connection.tenant_id, demo.secret(), demo.good(key)) == (TENANT, key, True)


def test_a_restart_changes_nothing_and_keeps_the_key(demo: Demo) -> None:
    first = demo.start()
    before = demo.content()
    assert (demo.start(LATER), demo.content()) == (first, before)


def test_the_secrets_are_readable_by_their_owner_alone(demo: Demo) -> None:
    key = demo.start()
    demo.folder.key_file.chmod(0o644)
    demo.start()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in demo.folder.folder.glob("demo-*")}
    assert modes == {"demo-key": 0o600, "demo-encryption-key": 0o600}
    assert demo.folder.key_file.read_text() == f"{key}\n"
    assert (demo.folder.folder / ".gitignore").read_text() == "*\n"


def test_a_lost_key_file_gives_a_new_key_and_ends_the_old_one(demo: Demo) -> None:
    old = demo.start()
    demo.folder.key_file.unlink()
    new = demo.start(LATER)
    assert (old == new, demo.good(old), demo.good(new), demo.secret()) == (False, False, True, new)


def test_a_key_that_was_revoked_is_replaced(demo: Demo) -> None:
    old = demo.start()

    async def revoke(database: Database) -> bool:
        return await database.transaction(lambda tx: revoke_key(tx, TENANT, old.split("_")[1], NOW))

    assert demo.do(revoke)
    new = demo.start(LATER)
    assert (old == new, demo.good(new), demo.secret()) == (False, True, new)


def test_a_new_database_takes_the_key_that_was_kept(demo: Demo, tmp_path: Path) -> None:
    key = demo.start()
    other = Demo(f"sqlite:///{tmp_path}/other.db", demo.folder.folder)
    assert (other.start(), other.good(key), other.secret()) == (key, True, key)


@pytest.mark.parametrize("text", ["", "nonsense", "srl_x", "srl_a_b_c", "xyz_a_b"])
def test_a_key_file_that_makes_no_sense_is_replaced(demo: Demo, text: str) -> None:
    demo.folder.keep_api_key(text)
    assert demo.good(demo.start())


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal) as refused:
        DemoFolder(tmp_path / "file").encryption_key()
    assert (refused.value.code, refused.value.params["reason"]) == ("cli.cannot_keep", "not a directory")
