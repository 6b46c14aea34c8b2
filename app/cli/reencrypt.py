"""`stagerail reencrypt`: every stored secret under the first encryption key, so that the others can be taken away."""

import asyncio
from argparse import Namespace

from app.cli.refusals import Refusal
from app.cli.server_settings import opened, read_settings, store_refusals
from app.cli.terminal import Terminal
from app.services.reencryption import Reencrypted, reencrypt
from app.settings import Settings


def run(_options: Namespace, terminal: Terminal) -> int:
    """Encrypt anew, and name what no key opens; 1 when there is such a thing."""
    settings = read_settings(terminal)
    if settings.encryption_key is None:
        raise Refusal("cli.no_encryption_key")
    with store_refusals():
        found = asyncio.run(_reencrypted(settings, settings.encryption_key.get_secret_value()))
    if terminal.json:
        unopened = [one._asdict() for one in found.unopened]
        terminal.data({"connections": found.connections, "endpoints": found.endpoints, "unopened": unopened})
        return int(bool(unopened))
    for one in found.unopened:
        terminal.note(
            terminal.marked("block", terminal.text(f"cli.unopened_{one.kind}", id=one.id, tenant=one.tenant_id))
        )
    counts = {"connections": found.connections, "endpoints": found.endpoints}
    terminal.line(terminal.text("cli.reencrypted", **counts))
    return int(bool(found.unopened))


async def _reencrypted(settings: Settings, key: str) -> Reencrypted:
    async with opened(settings) as database:
        return await reencrypt(database, key)
