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

    def __init__(self, following: Callable[[], bytes | None], done: asyncio.Future[None]) -> None:
        """`following` gives the next request, None when it is enough."""
        self._following = following
        self._done = done
        self._buffer = b""
        self._sent = 0.0
        self.waits: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has the methods and not the name
        self._next()

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
        if not head.startswith(b"HTTP/1.1 20"):
            if not self._done.done():
                self._done.set_exception(RuntimeError(self._buffer[:400].decode()))
            return
        self._buffer = b""
        self.waits.append(time.perf_counter() - self._sent)
        self._next()

    def _next(self) -> None:
        request = self._following()
        if request is not None:
            self._sent = time.perf_counter()
            self._transport.write(request)
        elif not self._done.done():
            self._transport.close()
            self._done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """A connection that ends early is a failed measurement."""
        if not self._done.done():
            self._done.set_exception(error or RuntimeError("the server closed the connection"))


async def rate(target: Target, *, connections: int = 32, seconds: float = 1.0) -> float:
    """Answers per second over one slice."""
    begun = time.perf_counter()
    ends = begun + seconds
    request = target.request()
    waits = await answers(
        target.port,
        lambda: request if time.perf_counter() < ends else None,
        connections=connections,
        patience=seconds + 30,
    )
    return len(waits) / (time.perf_counter() - begun)


async def answers(
    port: int, following: Callable[[], bytes | None], *, connections: int, patience: float
) -> list[float]:
    """The seconds that each answer took, over so many connections, until there is no next request."""
    loop = asyncio.get_running_loop()
    dones: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    protocols = [_Connection(following, done) for done in dones]
    for protocol in protocols:
        await loop.create_connection(partial(_itself, protocol), "127.0.0.1", port)
    await asyncio.wait_for(asyncio.gather(*dones), patience)
    return [wait for protocol in protocols for wait in protocol.waits]


def _itself(protocol: _Connection) -> _Connection:
    return protocol
