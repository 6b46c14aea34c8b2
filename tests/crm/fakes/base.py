"""What every fake CRM is: a small real HTTP server on loopback, in the test's own event loop.

A CRM's fake subclasses `FakeCrm`, marks methods with `@route` and keeps its objects in plain dicts. A path's `{name}`
takes anything but a slash and is passed to the method by name. Tests look at `calls` (what came) and `sent` (webhooks
that went out), and turn the switches.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from app import clock


class Call(NamedTuple):
    """A request that came in. `query` holds the last value of each name, `headers` have names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body, read as a form."""
        return _last(self.body.decode())


class Answer(NamedTuple):
    """What goes back: bytes as they are, None as nothing, anything else as JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = {}


class Sent(NamedTuple):
    """A webhook that went out, and what was answered; status 0 when nothing was."""

    url: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes


_Handler = TypeVar("_Handler", bound=Callable[..., Any])
_FIRST_LINE = re.compile(r"([A-Z]+) (\S+) HTTP/1\.[01]")
_SECONDS_TO_ANSWER = 5.0


def route(method: str, path: str, *, free: bool = False) -> Callable[[_Handler], _Handler]:
    """Mark a method `(self, call, **groups) -> Answer` (async or not). `free`: asks for no token (a token endpoint).

    Several marks on one method are fine; of two patterns that fit, the one without groups, then the longer, wins.
    """
    pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))

    def mark(handler: _Handler) -> _Handler:
        handler.__dict__.setdefault("routes", []).append((method, pattern, free))
        return handler

    return mark


class FakeCrm:
    """A CRM that holds what a test puts into it. `now` is the CRM's own clock."""

    def __init__(self, now: Callable[[], datetime] = clock.now) -> None:
        self.now = now
        self.calls: list[Call] = []
        self.sent: list[Sent] = []
        self.token = "token-1"
        self.url = ""
        self._renewals = 1
        self._next: list[Answer | None] = []
        self._hang = 0.0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        marked = [getattr(self, name) for name in dir(type(self)) if hasattr(getattr(type(self), name), "routes")]
        found = [(*one, handler) for handler in marked for one in handler.routes]
        self._routes = sorted(found, key=lambda one: (one[1].groups, -len(one[1].pattern)))

    # --- starting and stopping

    async def start(self) -> None:
        """Listen on a free port of loopback; `url` has no slash at its end."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening, and break every connection."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # --- switches

    def throttle_next(self, n: int, retry_after: float | None = 1) -> None:
        """Answer the next n calls with 429, and Retry-After unless it is None."""
        headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        self._next += [self.error(429, headers)] * n

    def fail_next(self, n: int, status: int = 500) -> None:
        """Answer the next n calls with an error, before anything is done."""
        self._next += [self.error(status, {})] * n

    def lose_next(self, n: int) -> None:
        """Do what the next n calls ask, then break the connection instead of answering."""
        self._next += [None] * n

    def hang(self, seconds: float) -> None:
        """Wait before every answer from now on; 0 ends it."""
        self._hang = seconds

    def expire_token(self) -> None:
        """Take another access token from now on; `self.token` is what a refresh gives."""
        self._renewals += 1
        self.token = f"token-{self._renewals}"

    # --- what a CRM may do its own way

    def authorised(self, call: Call) -> bool:
        """Whether a call carries a token that holds."""
        return call.headers.get("authorization") == f"Bearer {self.token}"

    def error(self, status: int, headers: Mapping[str, str]) -> Answer:
        """An error in the CRM's own words."""
        return Answer(status, {"message": HTTPStatus(status).phrase}, headers)

    # --- webhooks

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sent:
        """Send a webhook and note what was answered."""
        status, answer = 0, b""
        async with httpx.AsyncClient(timeout=_SECONDS_TO_ANSWER, trust_env=False) as client:
            with contextlib.suppress(httpx.TransportError):
                got = await client.post(url, content=body, headers=dict(headers))
                status, answer = got.status_code, got.content
        self.sent.append(Sent(url, dict(headers), body, status, answer))
        return self.sent[-1]

    # --- HTTP

    async def answer(self, call: Call) -> Answer | None:
        """The answer to a call; None breaks the connection."""
        self.calls.append(call)
        if self._hang:
            await asyncio.sleep(self._hang)
        planned = self._next.pop(0) if self._next else Answer()
        if planned is not None and planned.status != Answer().status:
            return planned
        done = await self._handle(call)
        return done if planned is not None else None

    async def _handle(self, call: Call) -> Answer:
        for method, pattern, free, handler in self._routes:
            found = pattern.fullmatch(call.path) if method == call.method else None
            if found is None:
                continue
            if not free and not self.authorised(call):
                return self.error(401, {})
            answer = handler(call, **{name: unquote(value) for name, value in found.groupdict().items()})
            return await answer if asyncio.iscoroutine(answer) else answer  # type: ignore[no-any-return]
        return self.error(404, {})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while (call := await _read(reader)) is not None:
                answer = await self.answer(call)
                if answer is None:
                    break
                writer.write(_written(answer))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Call | None:
    """The next request of a connection; None at its end. Bodies come with a length: our clients send no other."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    found = _FIRST_LINE.fullmatch(first)
    if found is None:
        return None
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    target = urlsplit(found[2])
    return Call(found[1], target.path, _last(target.query), headers, body)


def _written(answer: Answer) -> bytes:
    body = answer.body if isinstance(answer.body, bytes) else b"" if answer.body is None else _json(answer.body)
    headers = {"content-type": "application/json", **answer.headers, "content-length": str(len(body))}
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _last(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
