"""HTTP as a CRM's client needs it: one request, one answer. Who opens the connection is not its business."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Protocol

_LONGEST_WAIT = 24 * 3600.0


class Request(NamedTuple):
    """What is to be sent."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Response(NamedTuple):
    """What came back; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Unreachable(Exception):
    """There was no answer. `code` names why, `params` fill its text."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Http(Protocol):
    """Sends a request and waits for the whole answer, whatever its status. Raises Unreachable."""

    async def __call__(self, request: Request) -> Response:
        """Send it."""
        ...


def seconds_asked(said: str | None, now: datetime | None) -> float | None:
    """How long `Retry-After` asks to wait: seconds, or a date, counted from now; a day at most.

    None when it says nothing that can be used.
    """
    given = (said or "").strip()
    if given.isascii() and given.replace(".", "", 1).isdigit():
        return min(float(given), _LONGEST_WAIT)
    until = date_of(given)
    if until is None or now is None:
        return None
    return min(max(until.timestamp() - now.timestamp(), 0.0), _LONGEST_WAIT)


def date_of(text: str) -> datetime | None:
    """The time that a header tells; None when it tells none."""
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)  # `-0000`: that of nowhere
