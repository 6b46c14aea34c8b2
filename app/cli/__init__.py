"""The command line: `stagerail VERB`. A verb is a file of this folder, imported only when it is asked for.

Exit status: 0 good (allowed, warnings included), 1 blocked, a failed case or an error in a file, 2 wrong usage.
"""

import importlib
import os
import sys
from collections.abc import Sequence

from app.cli.parser import build_parser, wanted_language
from app.cli.refusals import BadFile, Refusal
from app.cli.terminal import Terminal

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and answer the exit status."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    terminal = Terminal(wanted_language(arguments, os.environ))
    try:
        options = build_parser(terminal).parse_args(arguments)
        terminal.json = options.json
        status = _run(options.module, options, terminal)
        terminal.flush()
    except BrokenPipeError:  # `stagerail schema | head`: whoever reads has read enough
        terminal.abandon()
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as stop:  # argparse has said what is wrong, or shown its help
        return stop.code if isinstance(stop.code, int) else 2
    return status


def _run(module: str, options: object, terminal: Terminal) -> int:
    verb = importlib.import_module(f"app.cli.{module}")
    try:
        status: int = verb.run(options, terminal)
    except Refusal as refused:
        terminal.refuse(refused)
        return 2
    except BadFile as bad:
        terminal.bad_file(bad)
        return 1
    return status
