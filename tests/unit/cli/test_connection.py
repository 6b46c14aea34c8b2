"""`stagerail connection …`, spoken to a small server that says what it was told to and keeps what came."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.api.connection_shapes import ConnectionReply
from app.crm.connection import ConnectionSettings
from tests.unit.cli.said import Said, Stagerail

GENERIC: dict[str, Any] = {
    "id": "forms",
    "crm": "generic",
    "pipelines": {"1": {"process": "b2b-saas", "stages": {"a": "won"}}, "2": {"process": "renewals", "stages": {}}},
    "webhook": "/webhooks/forms",
}
WARNING = {"place": "fields", "code": "field_not_mapped", "message": "no property of the CRM fills `amount`"}


class Server(HTTPServer):
    """Answers with one thing after another, and keeps what came."""

    answers: list[tuple[int, dict[str, Any]]]
    came: list[tuple[str, str, Any]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        assert self.headers["Authorization"] == "Bearer srl_k_s"
        self.server.came.append((self.command, self.path, json.loads(body) if body else None))
        status, answer = self.server.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names that the library looks for

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.came, server.answers = [], []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Asked:
    """Runs `stagerail connection …` against the server, which answers with the first argument."""

    def __init__(self, stagerail: Stagerail, server: Server) -> None:
        self._stagerail, self._server = stagerail, server

    def __call__(self, answers: list[tuple[int, dict[str, Any]]], *words: str | Path, stdin: bytes = b"") -> Said:
        self._server.answers = list(answers)
        return self._stagerail("connection", *words, "--url", self._server.url, "--key", "srl_k_s", stdin=stdin)


@pytest.fixture
def asked(stagerail: Stagerail, server: Server) -> Asked:
    return Asked(stagerail, server)


def test_the_connections_are_listed_over_all_pages(asked: Asked, server: Server) -> None:
    pages: list[dict[str, Any]] = [
        {"items": [GENERIC], "next_cursor": "a="},
        {"items": [{**GENERIC, "id": "zz"}], "next_cursor": None},
    ]
    said = asked([(200, page) for page in pages], "list")
    assert said == Said(
        0,
        "forms  generic  b2b-saas, renewals  /webhooks/forms\nzz  generic  b2b-saas, renewals  /webhooks/forms\n",
        "",
    )
    assert [one[1] for one in server.came] == ["/connections?limit=200", "/connections?limit=200&cursor=a%3D"]
    said = asked([(200, page) for page in pages], "list", "--json")
    assert [one["id"] for one in json.loads(said.out)["items"]] == ["forms", "zz"]


def test_one_is_shown_with_what_its_mapping_leaves_out(asked: Asked) -> None:
    said = asked([(200, {**GENERIC, "warnings": [WARNING]})], "show", "forms")
    assert json.loads(said.out) == GENERIC
    assert (said.status, said.err) == (0, "! fields: no property of the CRM fills `amount`\n")


def test_a_file_is_put_with_what_is_secret_from_files_of_its_own(asked: Asked, server: Server, tmp_path: Path) -> None:
    mapping, secret, access = (tmp_path / name for name in ("mapping.yaml", "secret", "access.json"))
    mapping.write_text("crm: generic\npipelines: {all: {process: b2b-saas, stages: {Won: won}}}\n")
    secret.write_text("whsec_abc\n")
    access.write_text('{"access_token": "t"}')
    more = ("--secret-file", secret, "--access-file", access, "--overlap", "0m")
    said = asked([(201, {**GENERIC, "warnings": [WARNING]})], "put", "forms", mapping, *more)
    assert said == Said(
        0,
        "✓ forms is connected; have the CRM send to /webhooks/forms\n",
        "! fields: no property of the CRM fills `amount`\n",
    )
    assert server.came == [
        (
            "PUT",
            "/connections/forms",
            {
                "crm": "generic",
                "pipelines": {"all": {"process": "b2b-saas", "stages": {"Won": "won"}}},
                "secret": "whsec_abc",
                "access": {"access_token": "t"},
                "secret_overlap": "0m",
            },
        )
    ]


def test_what_was_shown_can_be_put_again(asked: Asked, server: Server) -> None:
    settings = {"crm": "generic", "pipelines": {"all": {"process": "b2b-saas", "stages": {"Won": "won"}}}}
    told = {name: "told" for name in ConnectionReply.model_fields if name not in ConnectionSettings.model_fields}
    said = asked([(200, GENERIC)], "put", "forms", "-", stdin=json.dumps({**told, **settings}).encode())
    assert (said.status, server.came) == (0, [("PUT", "/connections/forms", settings)])


def test_what_does_not_fit_is_told_with_its_places(asked: Asked) -> None:
    errors = [{"place": "crm", "code": "missing", "message": "this is required and missing"}]
    refusal = {"title": "not valid", "detail": "1 value is wrong", "errors": errors}
    said = asked([(422, refusal)], "put", "forms", "-", stdin=b"{}")
    assert said == Said(
        1,
        "",
        "stagerail: the server refused: not valid: 1 value is wrong\n  crm: this is required and missing\n",
    )


def test_one_is_deleted(asked: Asked, server: Server) -> None:
    assert asked([(200, {"id": "a/b", "removed": True})], "delete", "a/b", "--lang", "it") == Said(
        0, "✓ a/b è dimenticata\n", ""
    )
    assert server.came == [("DELETE", "/connections/a%2Fb", None)]


def test_a_draft_stands_alone_on_standard_output_and_what_is_left_beside_it(
    asked: Asked, server: Server, tmp_path: Path
) -> None:
    access = tmp_path / "access.yaml"
    access.write_text("api_token: t\n")
    answer = {"settings": {"crm": "pipedrive"}, "left": [{"place": "fields", "label": "amount"}]}
    more = ("--access-file", access, "--api-url", "https://x.example.com")
    said = asked([(200, answer)], "draft", "pipedrive", "--process", "b2b-saas", *more)
    assert (said.status, json.loads(said.out), said.err) == (
        0,
        {"crm": "pipedrive"},
        "left to map: fields: amount\n",
    )
    assert server.came[0][1:] == (
        "/connection-drafts",
        {
            "crm": "pipedrive",
            "process": "b2b-saas",
            "access": {"api_token": "t"},
            "api_url": "https://x.example.com",
        },
    )


def test_a_delivery_is_tried_and_a_blocked_move_is_status_1(asked: Asked, server: Server) -> None:
    finding = {"severity": "block", "message": "Hold the demo"}
    move = {"deal_id": "forms:42", "from": "demo_scheduled", "to": "won", "outcome": "blocked", "findings": [finding]}
    event = {"at": "2026-11-20T12:00:00Z", "deal_id": "forms:42", "kind": "changed", "name": "/stage", "value": "3"}
    fault = {"event": 1, "code": "event_not_an_object", "reason": "an event must be an object"}
    answer = {"events": [event], "ignored": 2, "faults": [fault], "decisions": [move]}
    said = asked([(200, answer)], "try", "forms", "-", stdin=b"<soap/>")
    assert said == Said(
        1,
        "2026-11-20T12:00:00Z  forms:42  changed /stage: 3\n"
        "! event 1: an event must be an object\n"
        "✗ forms:42  demo_scheduled → won\n"
        "    ✗ Hold the demo\n"
        "events read: 1; nothing to us: 2; decisions: 1; nothing was stored\n",
        "",
    )
    assert server.came == [("POST", "/connections/forms/try", {"delivery": "<soap/>"})]
    allowed = {**answer, "decisions": [{**move, "outcome": "allowed", "findings": []}]}
    assert asked([(200, allowed)], "try", "forms", "-", "--json", stdin=b"{}").status == 0


def test_files_that_cannot_be_sent_are_told(asked: Asked) -> None:
    assert asked([], "put", "forms", "-", stdin=b"[1]").err == "stagerail: error: <stdin> holds no object\n"
    assert asked([], "try", "forms", "-", stdin=b"\xff").status == 2
    assert asked([], "put", "forms", "/nowhere/at.all").status == 2
    assert asked([], "show").status == 2
