"""`stagerail publish FILE`: make a process file the next version on a server. The server checks it once more."""

import json
import os
from argparse import Namespace
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from app.cli.files import checked_process, errors_of, named, read_bytes
from app.cli.parser import DEFAULT_URL
from app.cli.refusals import BadFile, Refusal
from app.cli.terminal import Terminal

PATIENCE = 30.0
_LONGEST_ANSWER = 4 * 1024 * 1024


def run(options: Namespace, terminal: Terminal) -> int:
    """Check the file here, so that mistakes are found without a server; then publish it and tell its version."""
    url = server_address(options.url or os.environ.get("STAGERAIL_URL") or DEFAULT_URL)
    key = api_key(options.key)
    data = read_bytes(options.file)
    process, problems = checked_process(data, named(options.file), terminal)
    if process is None:
        raise BadFile(*errors_of(problems), kind="invalid-process-file")
    request = Request(  # noqa: S310 - the scheme was checked
        f"{url}/processes/{quote(process.process)}",
        data=data,
        method="PUT",
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json" if data.lstrip()[:1] in (b"{", b"[") else "application/yaml",
            "Accept-Language": terminal.locale,
            "Accept": "application/json",
        },
    )
    status, answer = send(request, url)
    if terminal.json:
        terminal.data(answer)
    elif status < 300:  # noqa: PLR2004
        _published(answer, terminal)
    else:
        refused(answer, terminal)
    return 0 if status < 300 else 1  # noqa: PLR2004


def api_key(given: str | None) -> str:
    """The key to speak to the server with."""
    key = given or os.environ.get("STAGERAIL_KEY")
    if not key or not key.isascii() or not key.isprintable():
        raise Refusal("cli.no_key")
    return key


def server_address(url: str) -> str:
    """The server, if that is one."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise Refusal("cli.bad_url", url=url)
    return url.rstrip("/")


def send(request: Request, url: str) -> tuple[int, Any]:
    """The answer of the server, refusals included; a server that cannot be spoken to is a refusal of ours."""
    try:
        with urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - the scheme was checked
            return response.status, _decoded(response.read(_LONGEST_ANSWER), url)
    except HTTPError as refused:
        with refused:
            return refused.code, _decoded(refused.read(_LONGEST_ANSWER), url)
    except URLError as error:
        raise Refusal("cli.server_unreachable", url=url, reason=_reason(error.reason)) from error
    except OSError as error:
        raise Refusal("cli.server_unreachable", url=url, reason=_reason(error)) from error


def _reason(error: object) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()


def _decoded(body: bytes, url: str) -> Any:
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise Refusal("cli.not_stagerail", url=url) from error
    if not isinstance(answer, dict):
        raise Refusal("cli.not_stagerail", url=url)
    return answer


def _published(answer: dict[str, Any], terminal: Terminal) -> None:
    code = "cli.published" if answer.get("created") else "cli.unchanged"
    process = answer.get("process", {})
    said = terminal.text(code, process=process.get("key"), version=process.get("version"))
    terminal.line(terminal.marked("allowed", said))


def refused(answer: dict[str, Any], terminal: Terminal) -> None:
    """What the server says against it."""
    title, detail = answer.get("title", ""), answer.get("detail", "")
    terminal.note("stagerail: " + terminal.text("cli.server_refused", title=title, detail=detail))
