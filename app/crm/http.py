"""HTTP as a CRM's client needs it: one request, one answer. Who opens the connection is not its business."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


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
