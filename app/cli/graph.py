"""`stagerail graph FILE --format mermaid|svg|json`: a picture of the process."""

from argparse import Namespace

from app.cli.files import sound_process
from app.cli.terminal import Terminal
from app.engine.diagram import Format, diagram


def run(options: Namespace, terminal: Terminal) -> int:
    """Print the picture."""
    wanted: Format = options.format or ("json" if terminal.json else "mermaid")
    terminal.line(diagram(sound_process(options.file, terminal), wanted, terminal.locale).rstrip("\n"))
    return 0
