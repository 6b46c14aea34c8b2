"""Secrets of connections: rotated with an overlap, opened by several keys, never handed on to somebody else."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from app.crm.client import Credentials
from app.crm.hubspot import HubspotSettings
from app.crm.pipedrive import PipedriveSettings
from app.crm.secrets import WrongKey, decrypt, encrypt
from app.services import clients
from app.services.connection_secrets import KEEP
from app.services.connections import Change, Connection, WrongConnection, put
from app.services.processes import Processes
from app.services.reencryption import reencrypt
from app.services.secret_overlap import secrets_of
from app.store.connections import StoredConnection, put_connection, read_connection
from app.store.database import Database
from tests.crm.builders import NOON, SECRET, settings_json
from tests.crm.world import KEY

NEWER = Fernet.generate_key().decode()
TOKEN = {"access_token": "t-1"}


def minutes(count: int) -> datetime:
    return NOON + timedelta(minutes=count)


async def change(
    database: Database, secret: str | None = None, *, key: str | None = KEY, now: datetime = NOON, **options: Any
) -> Connection:
    """Put the world's connection again."""
    given = {name: options.pop(name) for name in ("access", "overlap") if name in options}
    settings = HubspotSettings.model_validate(settings_json(**options))
    return (await put(database, Processes(), "acme", Change("hs", settings, secret, **given), key=key, now=now))[0]


async def row_of(database: Database) -> StoredConnection:
    row = await read_connection(database, "acme", "hs")
    assert row is not None
    return row


async def accepted(database: Database, now: datetime, *, key: str = KEY) -> list[str]:
    """What a delivery may be signed with."""
    return secrets_of(await row_of(database), key, now)


async def wrong(database: Database, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(WrongConnection) as refusal:
        await change(database, **options)
    return [(".".join(one.loc), one.type) for one in refusal.value.errors]


async def test_a_new_secret_leaves_every_older_one_valid_for_its_own_overlap(database: Database) -> None:
    stored = await change(database, "typo", overlap=timedelta(minutes=60))
    assert stored.previous_until == minutes(60)
    stored = await change(database, "right", now=minutes(10), overlap=timedelta(minutes=90))
    assert stored.previous_until == minutes(100)
    assert await accepted(database, minutes(11)) == ["right", SECRET, "typo"]
    assert await accepted(database, minutes(60)) == ["right", "typo"]
    assert await accepted(database, minutes(100)) == ["right"]


async def test_the_same_secret_again_changes_nothing_and_an_older_one_may_come_back(database: Database) -> None:
    await change(database, "b")
    before = await row_of(database)
    await change(database, "b", now=minutes(1))
    assert (await row_of(database))._replace(updated_at=NOON) == before
    await change(database, SECRET, now=minutes(2))
    assert await accepted(database, minutes(3)) == [SECRET, "b"]


@pytest.mark.parametrize("older", ["an older one", "20261127", "null", '["a", "b"]'])
async def test_an_older_secret_that_was_stored_alone_holds_until_its_end(database: Database, older: str) -> None:
    """So it was kept before there could be several: a rotation may be under way while we are replaced."""
    alone = (await row_of(database))._replace(previous_ciphertext=encrypt(KEY, older), previous_until=minutes(60))
    await database.transaction(lambda tx: put_connection(tx, alone))
    assert await accepted(database, minutes(59)) == [SECRET, older]
    assert await accepted(database, minutes(60)) == [SECRET]
    await change(database, "newer", now=minutes(1))
    assert await accepted(database, minutes(59)) == ["newer", older, SECRET]


async def test_of_secrets_put_at_once_none_is_lost(database: Database) -> None:
    """Each builds upon the one before: whoever was told that it is stored may sign with it."""
    await asyncio.gather(*(change(database, f"s{count}") for count in range(4)))
    assert sorted(await accepted(database, minutes(1))) == sorted([SECRET, "s0", "s1", "s2", "s3"])


async def test_without_an_overlap_the_new_secret_alone_is_valid(database: Database) -> None:
    await change(database, "b")
    stored = await change(database, "c", now=minutes(1), overlap=timedelta(0))
    assert (stored.previous_until, await accepted(database, minutes(1))) == (None, ["c"])


async def test_only_the_latest_of_very_many_secrets_overlap(database: Database) -> None:
    for count in range(9):
        await change(database, f"s{count}", now=minutes(count))
    assert await accepted(database, minutes(9)) == ["s8", "s3", "s4", "s5", "s6", "s7"]


async def test_after_a_lost_key_a_new_secret_is_enough(database: Database) -> None:
    """What nobody can open any more must not stand in the way of what can be."""
    with pytest.raises(WrongKey):
        await accepted(database, NOON, key=NEWER)
    await change(database, "new", key=NEWER)
    assert await accepted(database, minutes(1), key=NEWER) == ["new"]


async def test_an_older_secret_under_a_key_that_was_taken_away_is_passed_over(database: Database) -> None:
    await change(database, "b")
    row = await row_of(database)
    await change(database, "c", key=f"{NEWER},{KEY}", now=minutes(1))
    mixed = (await row_of(database))._replace(previous_ciphertext=row.previous_ciphertext)
    assert secrets_of(mixed, NEWER, minutes(2)) == ["c"]


async def test_credentials_that_were_renewed_do_not_overwrite_those_put_meanwhile(database: Database) -> None:
    kept: list[Any] = []
    await change(database, access=TOKEN)
    held = clients.keeping(database, await row_of(database), KEY)
    await held({"access_token": "renewed"})
    kept.append(_access(await row_of(database)))
    await held({"access_token": "renewed again"})
    kept.append(_access(await row_of(database)))
    await reencrypt(database, f"{NEWER},{KEY}")
    held = clients.keeping(database, await row_of(database), f"{NEWER},{KEY}")
    await reencrypt(database, f"{KEY},{NEWER}")
    await held({"access_token": "renewed while the key was replaced"})
    kept.append(_access(await row_of(database), f"{NEWER},{KEY}"))
    await change(database, access={"access_token": "of another app"})
    await held({"access_token": "of the first app"})
    kept.append(_access(await row_of(database)))
    assert kept == [
        '{"access_token": "renewed"}', '{"access_token": "renewed again"}',
        '{"access_token": "renewed while the key was replaced"}', '{"access_token": "of another app"}',
    ]  # fmt: skip


def _access(row: StoredConnection, key: str = KEY) -> str:
    return decrypt(key, row.access_ciphertext or "")


@pytest.mark.parametrize(
    ("access", "told"),
    [
        ({"access_token": "t"}, []),
        ({"refresh_token": "r", "client_id": "c", "client_secret": "s"}, []),
        ({"token": "t"}, [("access.token", "access_unknown"), ("access", "access_not_enough")]),
        ({"api_token": "t", "access_token": "t"}, [("access.api_token", "access_unknown")]),
        ({"client_id": "c", "client_secret": "s"}, [("access", "access_not_enough")]),
    ],
)
async def test_credentials_that_its_api_cannot_be_called_with_are_told(
    database: Database, access: Credentials, told: list[tuple[str, str]]
) -> None:
    if told:
        assert await wrong(database, access=access) == told
    else:
        assert (await change(database, access=access)).access_set


async def test_a_connection_stays_with_its_crm(database: Database) -> None:
    pipelines = {"1": {"process": "sales", "stages": {"1": "demo_scheduled"}}}
    settings = PipedriveSettings.model_validate({"crm": "pipedrive", "company_id": 1, "pipelines": pipelines})
    with pytest.raises(WrongConnection) as refusal:
        await put(database, Processes(), "acme", Change("hs", settings, "new"), key=KEY, now=NOON)
    assert [tuple(one) for one in refusal.value.errors] == [(("crm",), "connection_of_another_crm", {"crm": "hubspot"})]


async def test_stored_credentials_are_not_sent_to_another_address(database: Database) -> None:
    await change(database, access=TOKEN)
    elsewhere: dict[str, Any] = {"api_url": "https://crm.example.com"}
    assert await wrong(database, access=KEEP, **elsewhere) == [("access", "access_at_another_address")]
    assert (await change(database, access=None, **elsewhere)).access_set is False
    assert (await change(database, access=TOKEN)).access_set is True
    assert (await change(database, access=TOKEN, **elsewhere)).access_set is True
    assert (await change(database, access=KEEP, **elsewhere)).access_set is True
