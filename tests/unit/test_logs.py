"""The logs: one line an event, the request it belongs to, and never a secret."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from app import logs

LOGGER = logs.get_logger("app.part")
TOKEN = "srl_k1_S3cret-value"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def json_stream(level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level, "json", stream)
    return stream


def only_entry(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    entry: dict[str, Any] = json.loads(line)
    assert len(entry.pop("time")) == len("2026-11-23T10:00:00.000+00:00")
    return entry


def test_an_event_is_one_json_line_with_its_figures_and_its_request() -> None:
    stream = json_stream()
    token = logs.request_id.set("req-1")
    LOGGER.info("delivery_stored", connection="crm", events=3, took=1.5, kinds=("a", "b"), again=None, none_of={"x": 1})
    logs.request_id.reset(token)
    assert only_entry(stream) == {
        "level": "info",
        "logger": "app.part",
        "event": "delivery_stored",
        "request_id": "req-1",
        "connection": "crm",
        "events": 3,
        "took": 1.5,
        "kinds": ["a", "b"],
        "again": None,
        "none_of": {"x": 1},
    }


def test_outside_a_request_no_id_is_made_up_and_a_field_cannot_pose_as_the_lines_own() -> None:
    stream = json_stream()
    LOGGER.warning("slow", level="critical", ratio=float("nan"))
    assert only_entry(stream) == {"level": "warning", "logger": "app.part", "event": "slow", "ratio": "nan"}


def test_a_library_logs_in_the_same_shape() -> None:
    stream = json_stream()
    logging.getLogger("a.library").info("listening on %s", "127.0.0.1")
    assert only_entry(stream) == {"level": "info", "logger": "a.library", "event": "listening on 127.0.0.1"}


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_secret_is_ever_written(log_format: Any) -> None:
    stream = io.StringIO()
    logs.configure("debug", log_format, stream)
    LOGGER.debug(
        "called_with_" + TOKEN,  # noqa: G003 - a careless caller, on purpose
        authorization=TOKEN,
        api_key="hunter2",
        headers={"Cookie": "hunter2", "note": ["Bearer hunter2"]},
        url="postgresql://user:hunter2@db/stagerail",
    )
    try:
        raise ValueError(f"cannot connect to postgresql://user:hunter2@db with Bearer hunter2 and {TOKEN}")  # noqa: TRY301
    except ValueError:
        LOGGER.exception("failed")
    written = stream.getvalue()
    assert not [secret for secret in ("hunter2", "S3cret") if secret in written]
    assert "srl_k1_[redacted]" in written
    assert "postgresql://user:[redacted]@db" in written


def test_nobody_can_forge_a_line() -> None:
    stream = io.StringIO()
    logs.configure("info", "text", stream)
    LOGGER.error("bad\nname", deal="x\n12:00:00.000 info forged\x1b[2J\u2028")
    (line,) = stream.getvalue().splitlines()
    assert line[12:] == r" error   bad\x0aname deal=x\x0a12:00:00.000 info forged\x1b[2J\x2028"


def test_a_traceback_follows_its_line_in_text_and_stands_inside_it_in_json() -> None:
    text, machine = io.StringIO(), io.StringIO()
    for log_format, stream in (("text", text), ("json", machine)):
        logs.configure("info", log_format, stream)  # type: ignore[arg-type]
        try:
            raise KeyError("gone")  # noqa: TRY301
        except KeyError:
            LOGGER.exception("failed", deal="D-1")
    assert text.getvalue().splitlines()[0].endswith("failed deal=D-1")
    assert text.getvalue().splitlines()[-1] == only_entry(machine)["exception"].splitlines()[-1] == "KeyError: 'gone'"


def test_auto_writes_text_to_a_terminal_and_json_to_anything_else() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        logs.configure("info", "auto", stream)
        LOGGER.info("ready", port=8000)
    assert terminal.getvalue()[12:] == " info    ready port=8000\n"
    assert only_entry(pipe) == {"level": "info", "logger": "app.part", "event": "ready", "port": 8000}


def test_below_its_level_nothing_is_written() -> None:
    stream = json_stream("error")
    LOGGER.info("quiet")
    LOGGER.warning("quiet")
    logging.getLogger("httpx").warning("quiet")
    assert stream.getvalue() == ""
