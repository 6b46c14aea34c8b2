"""`stagerail init NAME`: write a starter and its cases into files, never over those there unless told to."""

from argparse import Namespace
from pathlib import Path

from app.cli.refusals import Refusal
from app.cli.terminal import Terminal
from app.services.refusals import UnknownStarter
from app.services.starters import starter_file, summary
from app.starters import read_cases


def run(options: Namespace, terminal: Terminal) -> int:
    """Write the file and say what comes next."""
    name: str = options.name
    try:
        content = starter_file(name)
    except UnknownStarter as error:
        known = ", ".join(f"`{key}`" for key in error.params["known"])
        raise Refusal("cli.unknown_starter", name=name, known=known) from error
    file = Path(options.to or f"{name}.yaml")
    cases = file.with_suffix(".cases.yaml")
    if not options.force and cases.exists():  # told before the other is written
        raise Refusal("cli.exists", file=cases)
    _write(file, content, force=options.force)
    _write(cases, read_cases(name, file.name), force=options.force)
    if terminal.json:
        terminal.data({"file": str(file), "cases": str(cases), "starter": summary(name, terminal.locale)})
    else:
        said = terminal.text("cli.starter_written", file=file, cases=cases, name=name)
        terminal.line(terminal.marked("allowed", said))
    return 0


def _write(path: Path, content: bytes, *, force: bool) -> None:
    try:
        with path.open("wb" if force else "xb") as stream:
            stream.write(content)
    except FileExistsError as error:
        raise Refusal("cli.exists", file=path) from error
    except OSError as error:
        raise Refusal("cli.cannot_write", file=path, reason=str(error.strerror).lower()) from error
    except ValueError as error:  # a NUL in the name
        raise Refusal("cli.cannot_write", file=repr(str(path)), reason=str(error)) from error
