"""`stagerail starters`: the processes to begin from."""

from argparse import Namespace

from app.cli.terminal import Terminal
from app.services.starters import list_starters


def run(options: Namespace, terminal: Terminal) -> int:
    """Name each with its maturity and what it is for."""
    del options
    found = list_starters(terminal.locale)
    if terminal.json:
        terminal.data({"items": found})
        return 0
    width = max(len(one["key"]) for one in found)
    for one in found:
        terminal.line(f"{one['key']:{width}}  {one['name']} ({one['maturity']}): {one['for']}")
    return 0
