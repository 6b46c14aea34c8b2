"""`stagerail publish`, spoken to a small server that remembers what it was sent."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.unit.cli.said import EXAMPLES, Said, Stagerail

PROCESS = EXAMPLES / "b2b-saas.yaml"


class Server(HTTPServer):
    """Answers every PUT with `answer`, and keeps what came."""

    answer: tuple[int, bytes] = (201, b'{"process": {"key": "b2b-saas", "version": 1}, "created": true}')
    came: dict[str, Any]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        names = ("Authorization", "Content-Type", "Accept-Language")
        self.server.came = {"path": self.path, "body": body, **{name: self.headers[name] for name in names}}
        status, answer = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_file_is_put_under_its_own_key(stagerail: Stagerail, server: Server) -> None:
    said = stagerail("publish", PROCESS, "--url", server.url + "/", "--key", "srl_k_s", "--lang", "it")
    assert said == Said(0, "✓ pubblicato b2b-saas come versione 1\n", "")
    assert server.came == {
        "path": "/processes/b2b-saas",
        "body": PROCESS.read_bytes(),
        "Authorization": "Bearer srl_k_s",
        "Content-Type": "application/yaml",
        "Accept-Language": "it",
    }


def test_json_is_sent_as_json_and_the_address_and_key_may_be_settings(
    stagerail: Stagerail, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGERAIL_URL", server.url)
    monkeypatch.setenv("STAGERAIL_KEY", "srl_k_s")
    server.answer = (200, b'{"process": {"key": "tiny", "version": 4}, "created": false}')
    tiny = {"process": "tiny", "stages": [{"key": "talks"}, {"key": "won", "kind": "won"}], "path": ["talks", "won"]}
    said = stagerail("publish", "-", stdin=json.dumps(tiny).encode())
    assert said == Said(0, "✓ tiny is already published with this content, as version 4\n", "")
    assert server.came["Content-Type"] == "application/json"


def test_the_answer_of_the_server_is_handed_on_as_json(stagerail: Stagerail, server: Server) -> None:
    said = stagerail("publish", PROCESS, "--url", server.url, "--key", "k", "--json")
    assert (said.status, json.loads(said.out)) == (0, json.loads(server.answer[1]))


def test_a_refusal_of_the_server_is_told_in_its_words(stagerail: Stagerail, server: Server) -> None:
    server.answer = (403, b'{"title": "not allowed", "detail": "the key lacks the scope processes:write"}')
    said = stagerail("publish", PROCESS, "--url", server.url, "--key", "k")
    assert said == Said(1, "", "stagerail: the server refused: not allowed: the key lacks the scope processes:write\n")


def test_a_file_with_errors_is_not_even_sent(stagerail: Stagerail, server: Server) -> None:
    said = stagerail("publish", "-", "--url", server.url, "--key", "k", stdin=b"process: x\nstages: []\n")
    assert (said.status, said.err.startswith("<stdin>:2:9: error:"), hasattr(server, "came")) == (1, True, False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--key", "k", "--url", "http://127.0.0.1:9"],
            "the server at http://127.0.0.1:9 cannot be reached: connection",
        ),
        (["--key", "k", "--url", "file:///etc/passwd"], "`file:///etc/passwd` is not the address of a server"),
        (["--key", "k", "--url", "http://"], "`http://` is not the address of a server"),
        (["--key", "k", "--url", "http://127.0.0.1:x"], "`http://127.0.0.1:x` is not the address of a server"),
        (["--key", "k\nX: y", "--url", "http://127.0.0.1:9"], "a key is needed"),
        ([], "a key is needed: --key KEY or STAGERAIL_KEY"),
    ],
)
def test_what_cannot_be_sent_is_wrong_usage(stagerail: Stagerail, arguments: list[str], sentence: str) -> None:
    said = stagerail("publish", PROCESS, *arguments)
    assert (said.status, said.out, said.err.startswith(f"stagerail: error: {sentence}")) == (2, "", True), said.err


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b""])
def test_a_server_that_is_something_else_is_told_so(stagerail: Stagerail, server: Server, answer: bytes) -> None:
    server.answer = (200, answer)
    said = stagerail("publish", PROCESS, "--url", server.url, "--key", "k")
    assert (said.status, said.err) == (
        2,
        f"stagerail: error: {server.url} answered, but not as a stagerail server does\n",
    )
