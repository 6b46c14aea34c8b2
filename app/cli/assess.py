"""`stagerail assess FILE`, or `stagerail assess --process KEY` of a server: where a team stands, and its next step."""

import os
from argparse import Namespace
from typing import Any
from urllib.parse import quote
from urllib.request import Request

from app.cli.files import sound_process
from app.cli.parser import DEFAULT_URL
from app.cli.publish import api_key, refused, send, server_address
from app.cli.refusals import Refusal
from app.cli.terminal import Terminal
from app.engine import digest_of
from app.services.assessment import assess_file, document

_MARKS = {"pass": "allowed", "fail": "blocked", "too_little_data": "not_judged"}


def run(options: Namespace, terminal: Terminal) -> int:
    """Tell every criterion with its figure, and the next step. A low level is no failure."""
    if (options.file is None) == (options.process is None):
        raise Refusal("cli.assess_one")
    status, answer = (200, _of_file(options.file, terminal)) if options.file else _of_server(options, terminal)
    if terminal.json:
        terminal.data(answer)
    elif status == 200:  # noqa: PLR2004
        _tell(answer, terminal)
    else:
        refused(answer, terminal)
    return 0 if status == 200 else 1  # noqa: PLR2004


def _of_file(file: str, terminal: Terminal) -> dict[str, Any]:
    process = sound_process(file, terminal)
    return document(assess_file(process, digest_of(process)), terminal.locale)


def _of_server(options: Namespace, terminal: Terminal) -> tuple[int, Any]:
    url = server_address(options.url or os.environ.get("STAGERAIL_URL") or DEFAULT_URL)
    headers = {
        "Authorization": f"Bearer {api_key(options.key)}",
        "Accept-Language": terminal.locale,
        "Accept": "application/json",
    }
    request = Request(f"{url}/assessment?process={quote(options.process, safe='')}", headers=headers)  # noqa: S310 - the scheme was checked
    return send(request, url)


def _tell(answer: dict[str, Any], terminal: Terminal) -> None:
    level = answer["stands"] or terminal.text(f"assessment.level.{_below(answer['criteria'])}")
    for one in answer["criteria"]:
        figure = "-" if one["figure"] is None else f"{one['figure']:g}"
        wanted = " ".join(f"{'≥' if name == 'at_least' else '≤'} {value:g}" for name, value in one["threshold"].items())
        evidence = " ".join(f"{name}={value}" for name, value in one["evidence"].items() if isinstance(value, int))
        said = terminal.text(
            "cli.assess_line", name=one["name"], figure=figure, threshold=wanted, evidence=evidence or "-"
        )
        terminal.line(terminal.marked(_MARKS[one["result"]], f"{one['level']}: {said}"))
    terminal.line(terminal.text("cli.assess_stands", level=level))
    step = answer["next_step"]
    terminal.line(terminal.text("cli.assess_next", message=step["message"]))
    terminal.line(terminal.text("cli.assess_starter", starter=step["starter"]))


def _below(criteria: list[dict[str, Any]]) -> str:
    """Whether a team is known to be below the first level, or whether nobody can tell yet."""
    first = [one["result"] for one in criteria if one["level"] == criteria[0]["level"]]
    return "none" if "fail" in first else "unknown"
