"""`stagerail sync`, spoken to a small server that is done after being asked three times."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from app.cli import sync
from tests.unit.cli.said import Said, Stagerail

RUNNING: dict[str, Any] = {"id": "s-1", "status": "running", "done": 0, "failed": 0, "total": 2, "reason": None}


class Server(HTTPServer):
    """Answers with one thing after another, and keeps what came."""

    answers: list[tuple[int, dict[str, Any]]]
    came: list[tuple[str, str, bytes]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.came.append((self.command, self.path, body))
        status, answer = self.server.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(sync, "PAUSE", 0.001)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.came, server.answers = [], []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _ask(stagerail: Stagerail, server: Server, *more: str) -> Said:
    return stagerail("sync", "hubspot-eu", "--url", server.url, "--key", "srl_k_s", *more)


def test_it_is_begun_and_watched_until_it_is_done(stagerail: Stagerail, server: Server) -> None:
    done = {**RUNNING, "status": "done", "done": 2}
    server.answers = [(202, RUNNING), (200, {**RUNNING, "done": 1}), (200, done)]
    said = _ask(stagerail, server, "--deal", "42")
    assert said == Said(0, "✓ 2 deals rebuilt\n", "")
    syncs = "/connections/hubspot-eu/syncs"
    assert server.came == [
        ("POST", syncs, b'{"deal": "42"}'), ("GET", f"{syncs}/s-1", b""), ("GET", f"{syncs}/s-1", b""),
    ]  # fmt: skip


def test_deals_that_could_not_be_read_are_told_and_the_exit_says_so(stagerail: Stagerail, server: Server) -> None:
    server.answers = [(202, {**RUNNING, "status": "done", "done": 1, "failed": 1, "reason": "the CRM refuses it"})]
    said = _ask(stagerail, server)
    assert said == Said(1, "! 1 deal rebuilt, 1 could not be read: the CRM refuses it\n", "")


def test_a_refusal_is_told(stagerail: Stagerail, server: Server) -> None:
    server.answers = [(404, {"title": "unknown connection", "detail": "there is no connection `hubspot-eu`"})]
    said = _ask(stagerail, server)
    assert (said.status, "there is no connection `hubspot-eu`" in said.out + said.err) == (1, True)


def test_as_json_the_sync_is_printed(stagerail: Stagerail, server: Server) -> None:
    server.answers = [(202, {**RUNNING, "status": "done"})]
    assert json.loads(_ask(stagerail, server, "--json").out)["id"] == "s-1"
