"""Structured logs: one event, one line, with the id of the request it belongs to and never a secret.

JSON for machines, plain text for a terminal: `get_logger(__name__).info("delivery_stored", connection="crm", events=3)`
"""

import json
import logging
import math
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO, Any, Literal

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

REDACTED = "[redacted]"
# A field with such a word in its name never shows its value, whatever the value is.
_SECRET_NAME = re.compile(
    r"authorization|cookie|password|secret|token|signature|api_?key|encryption_key", re.IGNORECASE
)
# Our own keys, bearer tokens and the passwords of addresses are taken out of any text, tracebacks included.
_SECRET_TEXT = re.compile(
    r"(?P<key>srl_[A-Za-z0-9]+_)[A-Za-z0-9_-]+|(?P<scheme>bearer\s+)[^\s\"',]+|(?P<user>://[^\s:/@]*:)[^\s/@]+(?=@)",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class EventLogger:
    """Writes events of one part of the product: a name in snake_case, and its figures as keywords."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **fields: Any) -> None:
        """Log what only somebody who looks for a defect wants to know."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        """Log what happened as it should."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Log what went on in spite of something."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """Log what somebody must look at."""
        self._write(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        """Log what somebody must look at, with the traceback of the exception being handled."""
        self._write(logging.ERROR, event, fields, exc_info=True)

    def _write(self, level: int, event: str, fields: dict[str, Any], *, exc_info: bool = False) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", event, exc_info=exc_info, extra={"fields": fields})


def get_logger(name: str) -> EventLogger:
    """Give the logger of a module: pass `__name__`."""
    return EventLogger(logging.getLogger(name))


def scrub(text: str) -> str:
    """Take every secret that has a recognisable shape out of a text."""
    return _SECRET_TEXT.sub(lambda found: next(filter(None, found.groups())) + REDACTED, text)


def _scrubbed(name: str, value: Any) -> Any:
    """Make a field's value safe to write: secrets out, and nothing that JSON cannot say."""
    if _SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, dict):
        return {str(key): _scrubbed(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrubbed(name, item) for item in value]
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return scrub(str(value))


def _entry(record: logging.LogRecord) -> dict[str, Any]:
    """Bring one record, ours or a library's, into the one shape that both formats write."""
    entry: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": scrub(record.getMessage()),
    }
    if (current := request_id.get()) is not None:
        entry["request_id"] = current
    fields = getattr(record, "fields", {})
    entry |= {name: _scrubbed(name, value) for name, value in fields.items() if name not in entry}
    if record.exc_info:
        entry["exception"] = scrub(logging.Formatter().formatException(record.exc_info))
    return entry


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record as JSON; a line break in a value is escaped, so that nobody can forge a line."""
        return json.dumps(_entry(record), ensure_ascii=True, separators=(",", ":"))


class TextFormatter(logging.Formatter):
    """For a person at a terminal: time, level, event, then name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record as text; only a traceback takes more than its line."""
        entry = _entry(record)
        exception = entry.pop("exception", None)
        head = f"{entry.pop('time')[11:23]} {entry.pop('level'):<7} {_one_line(entry.pop('event'))}"
        del entry["logger"]
        fields = "".join(f" {name}={_one_line(value)}" for name, value in entry.items())
        return head + fields + (f"\n{exception}" if exception else "")


def _one_line(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def configure(level: str, log_format: Literal["auto", "json", "text"], stream: IO[str] | None = None) -> None:
    """Send every log line of this process, the server's and the libraries' included, to one place in one format."""
    target = stream or sys.stderr
    text = log_format == "text" or (log_format == "auto" and target.isatty())
    handler = logging.StreamHandler(target)
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "transitions"):  # they tell about every request or transition at info
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
