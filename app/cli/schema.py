"""`stagerail schema`: the JSON Schema of process files, for editors and other tools."""

from argparse import Namespace

from app.cli.terminal import Terminal
from app.engine.schema import process_schema


def run(_options: Namespace, terminal: Terminal) -> int:
    """Print the schema; it is JSON either way."""
    terminal.data(process_schema())
    return 0
