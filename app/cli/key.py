"""`stagerail key create|list|revoke`: API keys, straight in the database."""

import asyncio
import re
from argparse import Namespace
from collections.abc import Awaitable, Callable

from app import clock
from app.cli.refusals import Refusal
from app.cli.server_settings import opened, read_settings, store_refusals
from app.cli.terminal import Terminal
from app.services.keys import create_key
from app.settings import Settings
from app.store.database import Database, Transaction
from app.store.keys import ApiKey, list_keys, revoke_key

_TENANT = re.compile(r"[a-z0-9_-]{1,64}")
_LONGEST_NAME = 200


def run(options: Namespace, terminal: Terminal) -> int:
    """Do what was asked for, in a database that is up to date."""
    settings = read_settings(terminal)
    if not _TENANT.fullmatch(options.tenant):
        raise Refusal("cli.bad_tenant", tenant=options.tenant)
    with store_refusals():
        asyncio.run(_acted(_ACTIONS[options.action], settings, options, terminal))
    return 0


Action = Callable[[Database, Namespace, Terminal], Awaitable[None]]


async def _acted(action: Action, settings: Settings, options: Namespace, terminal: Terminal) -> None:
    async with opened(settings) as database:
        await action(database, options, terminal)


async def _create(database: Database, options: Namespace, terminal: Terminal) -> None:
    """The key stands alone on standard output, so that a script can keep it."""
    name, scopes, now = options.name, list(dict.fromkeys(options.scope)) or ["decide"], clock.now()
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise Refusal("cli.bad_key_name", most=_LONGEST_NAME)

    async def work(tx: Transaction) -> str:
        return await create_key(tx, options.tenant, scopes, name, now)

    text = await database.transaction(work)
    key_id = text.split("_")[1]
    if terminal.json:
        terminal.data({"id": key_id, "key": text, "tenant": options.tenant, "name": name, "scopes": scopes})
    else:
        terminal.note(terminal.text("cli.key_created", id=key_id, tenant=options.tenant, scopes=", ".join(scopes)))
        terminal.line(text)


async def _list(database: Database, options: Namespace, terminal: Terminal) -> None:
    keys = await list_keys(database, options.tenant)
    if terminal.json:
        terminal.data({"items": [_shape(key) for key in keys]})
        return
    for key in keys:
        state = terminal.text("cli.key_revoked_on", day=f"{key.revoked_at:%Y-%m-%d}") if key.revoked_at else ""
        columns = (key.key_id, f"{key.created_at:%Y-%m-%d}", key.scopes, key.name, state)
        terminal.line("  ".join(part for part in columns if part))
    if not keys:
        terminal.note(terminal.text("cli.no_keys", tenant=options.tenant))


def _shape(key: ApiKey) -> dict[str, object]:
    """A key as it may be shown: its secret is not even known."""
    return {
        "id": key.key_id,
        "tenant": key.tenant_id,
        "name": key.name,
        "scopes": key.scopes.split(),
        "created_at": _instant(key.created_at.isoformat()),
        "revoked_at": _instant(key.revoked_at.isoformat()) if key.revoked_at else None,
    }


def _instant(text: str) -> str:
    return text.replace("+00:00", "Z")


async def _revoke(database: Database, options: Namespace, terminal: Terminal) -> None:
    now = clock.now()

    async def work(tx: Transaction) -> bool:
        return await revoke_key(tx, options.tenant, options.id, now)

    if not await database.transaction(work):
        raise Refusal("cli.no_such_key", id=options.id, tenant=options.tenant)
    if terminal.json:
        terminal.data({"id": options.id, "tenant": options.tenant, "revoked": True})
    else:
        terminal.line(terminal.text("cli.key_revoked", id=options.id))


_ACTIONS: dict[str, Action] = {"create": _create, "list": _list, "revoke": _revoke}
