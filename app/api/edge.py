"""The outermost layer: request ids, counting, the last resort, and the lane of the hot operations. Plain ASGI."""

import random
import re
import time
from collections.abc import Mapping

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import logs
from app.api.bodies import ClientGone
from app.api.context import Services
from app.api.lane import lane_of
from app.api.problems import Reply, problem_reply
from app.i18n import pick_locale

_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_GONE = 499
"""What proxies count for a client that did not wait; nobody is sent this status."""
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_LOG = logs.get_logger(__name__)
_random = random.Random()  # noqa: S311 - seeded by the system; an id of a request is no secret


class Edge:
    """Wraps the application; or, as `lane`, answers the hot operations itself, ahead of the router."""

    def __init__(self, app: ASGIApp, state: State, *, lane: bool = False) -> None:
        self._app = app
        self._state = state
        self._lane = lane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = scope["method"]
        if asked == "HEAD":  # as GET, without the body; the server's own scope must go on saying HEAD
            scope = {**scope, "method": "GET"}
        services: Services = self._state.services
        headers = _named(scope)
        given = headers.get("x-request-id")
        request_id = given if given is not None and _ID.match(given) else f"{_random.getrandbits(64):016x}"
        logs.request_id.set(request_id)
        begun = time.perf_counter()
        answer = _Answer(send, request_id, head=asked == "HEAD")
        try:
            lane = lane_of(scope) if self._lane else None
            if lane is not None:
                scope["route"] = lane
                await answer.reply(await lane.answer(services, scope, receive, headers))
            else:
                await self._app(scope, receive, answer.send)
        except ClientGone:
            answer.status = _GONE
        except Exception as error:  # noqa: BLE001 - the last resort: the caller gets an answer, the log the traceback
            reply = problem_reply(error, pick_locale(headers.get("accept-language")))
            if not answer.begun:
                await answer.reply(reply)
        route = getattr(scope.get("route"), "path", "unknown")
        seconds = time.perf_counter() - begun
        services.metrics.answered(route, asked, answer.status, seconds)
        _LOG.debug("request_answered", method=asked, route=route, status=answer.status, ms=round(seconds * 1000, 2))


class Edged(FastAPI):
    """FastAPI with a lane beside it: the hot operations are answered outside of every layer of the framework's own."""

    lane: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the hot operations in the lane, everything else as ever."""
        if self.lane is not None and scope["type"] == "http" and lane_of(scope) is not None:
            await self.lane(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _named(scope: Scope) -> Mapping[str, str]:
    """The headers by name, lower-case as the server gives them; the first of two with one name."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


class _Answer:
    """What is sent, with the request's id, and whether anything was."""

    def __init__(self, send: Send, request_id: str, *, head: bool) -> None:
        self._send = send
        self._head = head
        self._request_id = request_id.encode()
        self.begun = False
        self.status = 500

    async def send(self, message: Message) -> None:
        """Pass a message on; the id goes with the head of the answer."""
        if message["type"] == "http.response.start":
            self.begun = True
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._request_id), _NOSNIFF]
        elif self._head and message["type"] == "http.response.body":
            message["body"] = b""
        await self._send(message)

    async def reply(self, reply: Reply) -> None:
        """Send a whole answer."""
        self.begun = True
        self.status = reply.status
        headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
        headers += ((b"content-length", b"%d" % len(reply.body)), (b"x-request-id", self._request_id), _NOSNIFF)
        await self._send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": b"" if self._head else reply.body})
