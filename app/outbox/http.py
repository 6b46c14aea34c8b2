"""The one module that opens connections: it resolves a host once, checks each of its addresses, and dials that one.

Nothing is followed, remembered or taken from the environment: no redirects, no cookies, no proxies.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from app import __version__
from app.crm.http import Request, Response, Unreachable
from app.outbox.addresses import Address, Allowed, is_denied, is_host, literal

SECONDS = 10.0
"""For the whole of a request, from the look-up of the host to the last byte of the answer."""
MOST_BYTES = 4 * 1024 * 1024
"""Of an answer."""
_CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=30)
_PORTS = {"https": 443, "http": 80}
_PORTS_END = 2**16

_LOOK_UPS = 100
_LEAST_DIALLING = 1.0

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, as text."""


class AskTheSystem:
    """Looks hosts up in threads of its own, as many as can be sending: the loop's own few are soon all held by names
    whose servers hang, and then nobody's host is found.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix="look-up")

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses, best first."""
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [str(one[4][0]) for one in found]


class _Refused(httpcore.ConnectError):
    """An address that may not be dialled."""


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Dials what was checked, and nothing else."""

    def __init__(self, allowed: Allowed, resolve: Resolve, dial: httpcore.AsyncNetworkBackend) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._dial = dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve once; all addresses must be good, so that no mixture slips through; dial the first that answers.

        Each has its share of the time: one that swallows everything, as IPv6 does where it leads nowhere, keeps
        nobody from the next.
        """
        addresses = await self._addresses(host, port)
        share = None if timeout is None else max(timeout / len(addresses), _LEAST_DIALLING)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                return await self._dial.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise _Refused(path)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[Address]:
        if not is_host(host):
            raise _Refused(host)
        try:
            found = [ip_address(one.partition("%")[0]) for one in await self._resolve(host, port)]
        except (OSError, UnicodeError, ValueError) as error:
            raise httpcore.ConnectError("unresolved") from error
        named = self._allowed.host(host, port)
        if any(is_denied(one) and not named and not self._allowed.address(one) for one in found):
            raise _Refused(host)
        if not found:
            raise httpcore.ConnectError("unresolved")
        return list(dict.fromkeys(found))


class _Transport(httpx.AsyncBaseTransport):
    """httpx over httpcore's pool with our backend."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
            )
        )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> Any:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


class Outgoing:
    """Sends requests (app/crm/http.py, `Http`) for everything in the product that speaks to somebody else."""

    def __init__(
        self,
        allowed: Allowed,
        *,
        resolve: Resolve | None = None,
        dial: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._backend = CheckedBackend(allowed, resolve or AskTheSystem(), dial or httpcore.AnyIOBackend())
        self._tls = tls
        self._allowed = allowed
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Let go of every connection; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _opened(self) -> httpx.AsyncClient:
        """The client, made at the first request: reading the certificates takes a while."""
        if self._client is None:
            pool = httpcore.AsyncConnectionPool(
                ssl_context=self._tls or httpx.create_ssl_context(trust_env=False),
                max_connections=_CONNECTIONS.max_connections,
                max_keepalive_connections=_CONNECTIONS.max_keepalive_connections,
                keepalive_expiry=_CONNECTIONS.keepalive_expiry,
                network_backend=self._backend,
            )
            # Nothing packed: a few kilobytes would unpack to all the memory there is, before anybody could count them.
            always = {"user-agent": f"stagerail/{__version__}", "accept-encoding": "identity"}
            self._client = httpx.AsyncClient(
                transport=_Transport(pool), follow_redirects=False, trust_env=False, timeout=self._seconds,
                headers=always,
            )  # fmt: skip
        return self._client

    async def __call__(self, request: Request) -> Response:
        """Send one request and read the whole answer, whatever its status. Raises Unreachable."""
        url = checked_url(request.url, self._allowed)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._send(request, url)
        except TimeoutError as error:
            raise Unreachable("timeout", host=url.host, seconds=self._seconds) from error
        except _Refused as error:
            raise Unreachable("refused_address", host=url.host) from error
        except (httpcore.TimeoutException, httpx.TimeoutException) as error:
            raise Unreachable("timeout", host=url.host, seconds=self._seconds) from error
        except (httpcore.ConnectError, httpx.ConnectError) as error:
            raise Unreachable(_why(error), host=url.host) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError, OSError) as error:
            raise Unreachable("connection", host=url.host) from error

    async def _send(self, request: Request, url: httpx.URL) -> Response:
        client = self._opened()
        client.cookies.clear()
        # A key that somebody pasted wrong may hold anything: whoever gets it says best that it is none.
        headers = {name.encode(): value.encode("utf-8", "replace") for name, value in request.headers.items()}
        async with client.stream(request.method, url, headers=headers, content=request.body) as answer:
            parts: list[bytes] = []
            size = 0
            async for part in answer.aiter_raw():
                size += len(part)
                if size > self._most_bytes:
                    raise Unreachable("too_large", host=url.host, limit=self._most_bytes)
                parts.append(part)
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status_code, told, b"".join(parts))


def checked_url(text: str, allowed: Allowed) -> httpx.URL:
    """The address to ask, if it may be asked at all: https, or http where the operator allows the host."""
    try:
        url = httpx.URL(text)
        port = url.port
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise Unreachable("refused_address", host=text[:100]) from error
    host = url.raw_host.decode("ascii", "replace")
    if url.scheme not in _PORTS or not host or url.userinfo or not is_host(host):
        raise Unreachable("refused_address", host=host or text[:100])
    if port is None:
        port = _PORTS[url.scheme]
    address = literal(host)
    named = allowed.host(host, port) or (address is not None and allowed.address(address))
    if not 0 < port < _PORTS_END or (address is not None and is_denied(address) and not named):
        raise Unreachable("refused_address", host=host)
    if url.scheme == "http" and not named:
        raise Unreachable("plain_http", host=host)
    return url


def _why(error: Exception) -> str:
    if "unresolved" in str(error):
        return "unresolved"
    return "tls" if isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error) else "connection"
