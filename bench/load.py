"""A bounded load generator: so many kept-alive connections on loopback, each sending its next request on its answer."""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, cast


class Target(NamedTuple):
    """What to ask whom."""

    port: int
    path: str
    body: bytes
    headers: Mapping[str, str]

    def request(self) -> bytes:
        """The bytes of one request."""
        lines = [f"POST {self.path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
        lines += [f"content-length: {len(self.body)}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class _Connection(asyncio.Protocol):
    """One connection: sends, reads a whole answer, counts it, sends again until told to stop."""

    def __init__(self, request: bytes, running: Callable[[], bool], done: asyncio.Future[None]) -> None:
        self._request = request
        self._running = running
        self._done = done
        self._buffer = b""
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has the methods and not the name
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Gather until the announced length is there."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lowered = head.lower()
        length = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            if not self._done.done():
                self._done.set_exception(RuntimeError(self._buffer[:400].decode()))
            return
        self._buffer = b""
        self.answered += 1
        if self._running():
            self._transport.write(self._request)
        elif not self._done.done():
            self._transport.close()
            self._done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """A connection that ends early is a failed measurement."""
        if not self._done.done():
            self._done.set_exception(error or RuntimeError("the server closed the connection"))


async def rate(target: Target, *, connections: int = 32, seconds: float = 1.0) -> float:
    """Answers per second over one slice."""
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    ends = begun + seconds
    dones: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    request = target.request()
    protocols = [_Connection(request, lambda: time.perf_counter() < ends, done) for done in dones]
    for protocol in protocols:
        await loop.create_connection(partial(_itself, protocol), "127.0.0.1", target.port)
    await asyncio.wait_for(asyncio.gather(*dones), seconds + 30)
    return sum(protocol.answered for protocol in protocols) / (time.perf_counter() - begun)


def _itself(protocol: _Connection) -> _Connection:
    return protocol
