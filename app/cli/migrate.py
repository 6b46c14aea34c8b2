"""`stagerail migrate`: bring the database to the schema that this version needs. Safe to repeat."""

from argparse import Namespace

from app.cli.server_settings import read_settings, store_refusals
from app.cli.terminal import Terminal


def run(_options: Namespace, terminal: Terminal) -> int:
    """Migrate, and say whether there was anything to do."""
    from app.store.migrate import HEAD, migrate

    settings = read_settings(terminal)
    with store_refusals():
        changed = migrate(settings.database_url)
    if terminal.json:
        terminal.data({"revision": HEAD, "changed": changed})
    else:
        terminal.line(terminal.text("cli.migrated" if changed else "cli.already_migrated", revision=HEAD))
    return 0
