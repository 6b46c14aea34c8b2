"""`stagerail sync CONNECTION`: have a server rebuild deals from their CRM, and watch how far it is."""

import json
import os
import sys
import time
from argparse import Namespace
from typing import Any
from urllib.parse import quote
from urllib.request import Request

from app.cli.parser import DEFAULT_URL
from app.cli.publish import api_key, refused, send, server_address
from app.cli.terminal import Terminal

PAUSE = 1.0
_GOOD = 300


def run(options: Namespace, terminal: Terminal) -> int:
    """Begin, then ask again and again until it has ended. Interrupted, it goes on at the server all the same."""
    url = server_address(options.url or os.environ.get("STAGERAIL_URL") or DEFAULT_URL)
    headers = {
        "Authorization": f"Bearer {api_key(options.key)}",
        "Content-Type": "application/json",
        "Accept-Language": terminal.locale,
    }
    syncs = f"{url}/connections/{quote(options.connection, safe='')}/syncs"
    asked = {"deal": options.deal, "changed_since": options.changed_since}
    body = json.dumps({name: value for name, value in asked.items() if value is not None}).encode()
    status, answer = send(Request(syncs, body, headers, method="POST"), url)  # noqa: S310 - the scheme was checked
    while status < _GOOD and answer.get("status") == "running":
        _progress(answer, terminal)
        time.sleep(PAUSE)
        one = f"{syncs}/{quote(str(answer.get('id')), safe='')}"
        status, answer = send(Request(one, headers=headers), url)  # noqa: S310 - the scheme was checked
    _progress(None, terminal)
    if terminal.json:
        terminal.data(answer)
    elif status < _GOOD:
        _ended(answer, terminal)
    else:
        refused(answer, terminal)
    return 0 if status < _GOOD and answer.get("status") == "done" and not answer.get("failed") else 1


def _progress(answer: dict[str, Any] | None, terminal: Terminal) -> None:
    """One line that is drawn over, where somebody watches; nothing where nobody does."""
    if terminal.json or not sys.stderr.isatty():
        return
    text = ""
    if answer is not None:
        code = "cli.sync_progress_open" if answer.get("total") is None else "cli.sync_progress"
        text = terminal.text(code, count=answer.get("done"), done=answer.get("done"), total=answer.get("total"))
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _ended(answer: dict[str, Any], terminal: Terminal) -> None:
    told = {"count": answer.get("done"), "failed": answer.get("failed"), "reason": answer.get("reason")}
    if answer.get("status") == "failed":
        terminal.line(terminal.marked("blocked", terminal.text("cli.sync_failed", **told)))
    elif answer.get("failed"):
        terminal.line(terminal.marked("warn", terminal.text("cli.sync_done_with_failures", **told)))
    else:
        terminal.line(terminal.marked("allowed", terminal.text("cli.sync_done", **told)))
