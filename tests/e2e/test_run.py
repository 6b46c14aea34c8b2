"""The server as people start it: `make run`, `stagerail serve`, and what they get when something is in the way."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).parents[2]
STAGERAIL = Path(sys.executable).with_name("stagerail")
PATIENCE = 30.0

Settings = dict[str, str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """`stagerail serve …` in a folder of its own; what it says goes to a file."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.port = int(settings.get("PORT") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self._said = folder / "said"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("STAGERAIL_", "LC_", "LANG"))}
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [STAGERAIL, "serve", *arguments],
                cwd=folder,
                env={**kept, "PORT": str(self.port), **settings},
                stdout=said,
                stderr=said,
            )

    @property
    def said(self) -> str:
        return self._said.read_text()

    @property
    def key(self) -> str:
        """The key it printed."""
        found = re.search(r"^  (srl_\w+)$", self.said, re.MULTILINE)
        assert found, self.said
        return found[1]

    def wait_until_ready(self) -> "Server":
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.ask("GET", "/health/ready")[0] == 200:
                    return self
            except OSError:
                time.sleep(0.02)
        pytest.fail(f"not ready, exit status {self.process.poll()}: {self.said}")

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        """One request; the status and the JSON of the answer."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(self.url + path, data, headers, method=method), timeout=10) as answer:
                return answer.status, json.load(answer)
        except HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)

    def end(self) -> tuple[int, list[str]]:
        """Wait until it ends by itself; its exit status, and the lines it said."""
        return self.process.wait(timeout=PATIENCE), self.said.splitlines()


class Folder:
    """Starts servers in one folder and leaves none behind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.servers: list[Server] = []

    def serve(self, *arguments: str, **settings: str) -> Server:
        server = Server(self.path, *arguments, **settings)
        self.servers.append(server)
        return server

    def demo(self, **settings: str) -> Server:
        return self.serve("--demo", **settings).wait_until_ready()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    for server in folder.servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def test_make_run_is_the_command_that_is_tested_here() -> None:
    recipe = re.findall(r"^run:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe == ["\t@exec $(BIN)/stagerail serve --demo\n"]


def test_a_first_start_answers_with_the_key_it_printed(folder: Folder) -> None:
    server = folder.demo()
    question = {"deal_id": "aurora", "to": "demo_completed"}
    status, decision = server.ask("POST", "/validate-transition", question, server.key)
    assert (status, decision["outcome"]) == (200, "blocked")
    assert "demo-held" in [finding["requirement"] for finding in decision["findings"]]
    assert (folder.path / ".stagerail" / "demo-key").read_text() == f"{server.key}\n"
    assert (folder.path / ".stagerail" / "demo-key").stat().st_mode & 0o777 == 0o600


def test_every_line_to_try_works_when_pasted(folder: Folder) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    server = folder.demo()
    lines = [line.strip() for line in server.said.splitlines() if line.startswith("  curl ")]
    answers = [json.loads(subprocess.check_output(["bash", "-c", line])) for line in lines]
    assert [sorted(answer)[:2] for answer in answers] == [
        ["as_of", "decision_id"],
        ["as_of", "blocked_by"],
        ["items", "stage"],
    ]
    with urlopen(f"{server.url}/docs", timeout=10) as page:
        assert (page.status, f"{server.url}/docs" in server.said) == (200, True)


def test_a_restart_keeps_the_key_and_the_data(folder: Folder) -> None:
    first = folder.demo()
    moved = {"to": "demo_scheduled", "actor": {"id": "bo", "roles": ["rep"]}}
    assert first.ask("POST", "/deals/borealis/moves", moved, first.key)[1]["applied"] is True
    count = len(first.ask("GET", "/deals?limit=200", key=first.key)[1]["items"])
    assert first.stop() == 0
    second = folder.demo()
    deals = second.ask("GET", "/deals?limit=200", key=first.key)[1]["items"]
    assert (second.key, len(deals)) == (first.key, count)
    assert second.ask("GET", "/deals/borealis", key=first.key)[1]["stage"] == "demo_scheduled"
    assert second.ask("GET", "/processes/b2b-saas", key=first.key)[1]["version"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_being_told_to_stop_is_no_failure(folder: Folder, number: signal.Signals) -> None:
    server = folder.demo()
    assert (server.stop(number), "Traceback" in server.said) == (0, False)


def test_the_demo_speaks_italian(folder: Folder) -> None:
    assert "La chiave di prova" in folder.demo(STAGERAIL_LANG="it").said


def test_a_port_that_is_taken_is_one_line(folder: Folder) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = folder.serve("--demo", PORT=str(port)).end()
    taken = f"port {port} of 127.0.0.1 is taken by another program; choose another with --port or PORT=…"
    assert ended == (2, [f"stagerail: error: {taken}"])


def test_a_database_that_another_server_has_is_one_line(folder: Folder) -> None:
    folder.demo()
    status, lines = folder.serve("--demo").end()
    assert (status, len(lines)) == (2, 1)
    assert lines[0].startswith("stagerail: error: another process has this database open already")


REFUSED: dict[str, tuple[list[str], Settings, str]] = {
    "the demo for everybody": (["--demo", "--host", "0.0.0.0"], {}, "the demo has a key that anybody"),  # noqa: S104
    "the same by setting": (["--demo"], {"STAGERAIL_HOST": "0.0.0.0"}, "the demo has a key that anybody"),  # noqa: S104
    "a port that is none": (["--port", "http"], {}, "STAGERAIL_PORT must be a number"),
    "an address of another machine": (["--host", "192.0.2.1"], {}, "cannot listen on 192.0.2.1"),
    "a host that nobody knows": (["--host", "nowhere.invalid"], {}, "cannot listen on nowhere.invalid"),
    "a misspelt setting": ([], {"STAGERAIL_DATABASE": "x"}, "STAGERAIL_DATABASE is not a setting"),
    "half a yes": ([], {"STAGERAIL_MIGRATE_ON_START": "perhaps"}, "STAGERAIL_MIGRATE_ON_START must be true or false"),
    "migrations to do": ([], {}, "the database is not up to date: run `stagerail migrate` first"),
    "a database that is down": (
        [],
        {"STAGERAIL_DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:9/none"},
        "the database cannot be reached",
    ),
    "a folder that is a file": (["--demo"], {"STAGERAIL_DATA_DIR": "/dev/null"}, "`/dev/null/demo-encryption-key`"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_must_not_run_is_one_line_and_status_2(folder: Folder, case: str) -> None:
    arguments, settings, sentence = REFUSED[case]
    status, lines = folder.serve(*arguments, **settings).end()
    assert (status, len(lines)) == (2, 1), lines
    assert lines[0].startswith(f"stagerail: error: {sentence}")


def test_a_server_that_may_migrate_does_and_has_no_demo(folder: Folder) -> None:
    server = folder.serve(STAGERAIL_MIGRATE_ON_START="true").wait_until_ready()
    assert (server.ask("GET", "/deals", key="srl_a_b")[0], "srl_" in server.said) == (401, False)
    assert not (folder.path / ".stagerail").exists()


def test_a_server_that_was_migrated_before_just_starts(folder: Folder) -> None:
    subprocess.run([STAGERAIL, "migrate"], cwd=folder.path, check=True, capture_output=True)
    assert folder.serve().wait_until_ready().stop() == 0
