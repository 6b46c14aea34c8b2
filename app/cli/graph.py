"""`stagerail graph FILE --format mermaid|svg|json --view seller|buyer`: a picture of the process."""

from argparse import Namespace

from app.cli.files import sound_process
from app.cli.terminal import Terminal
from app.engine.diagram import Format, diagram


def run(options: Namespace, terminal: Terminal) -> int:
    """Print the picture."""
    wanted: Format = options.format or ("json" if terminal.json else "mermaid")
    process = sound_process(options.file, terminal)
    terminal.line(diagram(process, wanted, terminal.locale, view=options.view).rstrip("\n"))
    return 0
