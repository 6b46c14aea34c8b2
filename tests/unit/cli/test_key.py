"""`stagerail key create|list|revoke`."""

import asyncio
import json
from pathlib import Path

import pytest

from app.services.keys import Keys, Principal
from app.store.database import open_database
from app.store.migrate import migrate
from tests.unit.cli.said import Said, Stagerail


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch, database_url: str) -> str:
    monkeypatch.setenv("STAGERAIL_DATABASE_URL", database_url)
    migrate(database_url)
    return database_url


def principal(url: str, key: str) -> Principal | None:
    async def asked() -> Principal | None:
        database = open_database(url)
        await database.start()
        try:
            return await Keys().principal(database, key)
        finally:
            await database.stop()

    return asyncio.run(asked())


def test_a_key_stands_alone_on_standard_output_and_is_good(stagerail: Stagerail, url: str) -> None:
    said = stagerail(
        "key", "create", "--tenant", "acme", "--scope", "decide", "--scope", "deals:write", "--name", "crm"
    )
    key = said.out.strip()
    key_id = key.split("_")[1]
    sentence = f"key `{key_id}` of the tenant `acme`, with decide, deals:write; it is shown this once, keep it safe:\n"
    assert said == Said(0, f"srl_{key_id}_{key.split('_')[2]}\n", sentence)
    assert principal(url, key) == Principal("acme", key_id, frozenset({"decide", "deals:write"}))


def test_a_key_may_only_decide_unless_told_otherwise(stagerail: Stagerail, url: str) -> None:
    made = json.loads(stagerail("key", "create", "--json").out)
    assert made == {"id": made["id"], "key": made["key"], "tenant": "default", "name": "", "scopes": ["decide"]}
    assert principal(url, made["key"]) == Principal("default", made["id"], frozenset({"decide"}))


def test_a_revoked_key_is_good_for_nothing_and_cannot_be_revoked_again(stagerail: Stagerail, url: str) -> None:
    made = json.loads(stagerail("key", "create", "--json").out)
    assert stagerail("key", "revoke", made["id"]) == Said(0, f"key `{made['id']}` is revoked\n", "")
    again = f"stagerail: error: the tenant `default` has no key `{made['id']}` that is still good\n"
    assert (principal(url, made["key"]), stagerail("key", "revoke", made["id"])) == (None, Said(2, "", again))


def test_a_key_of_another_tenant_cannot_be_revoked(stagerail: Stagerail, url: str) -> None:
    made = json.loads(stagerail("key", "create", "--json").out)
    assert stagerail("key", "revoke", made["id"], "--tenant", "acme").status == 2
    assert principal(url, made["key"]) is not None


@pytest.mark.usefixtures("url")
def test_keys_are_listed_without_their_secrets(stagerail: Stagerail) -> None:
    made = json.loads(stagerail("key", "create", "--name", "first", "--json").out)
    stagerail("key", "revoke", made["id"])
    stagerail("key", "create", "--tenant", "acme")
    listed = json.loads(stagerail("key", "list", "--json").out)["items"]
    shown = stagerail("key", "list").out
    assert [(one["id"], one["name"], one["scopes"], one["revoked_at"] is None) for one in listed] == [
        (made["id"], "first", ["decide"], False)
    ]
    assert (shown.count("\n"), "decide  first  revoked 20" in shown) == (1, True)
    assert made["key"].split("_")[2] not in shown + str(listed)


@pytest.mark.usefixtures("url")
def test_a_tenant_without_keys_is_told_so_beside_the_list(stagerail: Stagerail) -> None:
    assert stagerail("key", "list", "--tenant", "nobody") == Said(0, "", "the tenant `nobody` has no keys\n")


WRONG = {
    "a tenant with capitals": (["create", "--tenant", "Acme"], "`Acme` cannot name a tenant"),
    "a tenant without a name": (["list", "--tenant", ""], "`` cannot name a tenant"),
    "a name of two lines": (["create", "--name", "a\nb"], "the name of a key is one line"),
    "a name without end": (["create", "--name", "a" * 201], "the name of a key is one line of at most 200"),
}


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_words_are_refused(stagerail: Stagerail, wrong: str) -> None:
    arguments, sentence = WRONG[wrong]
    said = stagerail("key", *arguments)
    assert (said.status, said.out, said.err.startswith(f"stagerail: error: {sentence}")) == (2, "", True)


def test_a_database_that_is_not_up_to_date_is_left_alone(
    stagerail: Stagerail, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STAGERAIL_DATABASE_URL", f"sqlite:///{tmp_path}/new.db")
    said = stagerail("key", "create")
    assert (said.status, "run `stagerail migrate` first" in said.err, list(tmp_path.iterdir())) == (2, True, [])


def test_a_database_that_a_server_has_open_is_told_so_in_one_line(
    stagerail: Stagerail, monkeypatch: pytest.MonkeyPatch, fresh_sqlite_url: str
) -> None:
    monkeypatch.setenv("STAGERAIL_DATABASE_URL", fresh_sqlite_url)
    migrate(fresh_sqlite_url)

    async def meanwhile() -> Said:
        database = open_database(fresh_sqlite_url)
        await database.start()
        try:
            return await asyncio.to_thread(stagerail, "key", "create")
        finally:
            await database.stop()

    said = asyncio.run(meanwhile())
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert said.err.startswith("stagerail: error: another process has this database open already")
