"""What only shows on a real socket, under the very server that `stagerail serve` runs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
import uvicorn

from app.api import bodies
from app.cli.serve import _configured
from app.settings import Settings
from tests.api.world import World
from tests.builders import PROCESS, question

PATH = "/validate-transition"


class Told(NamedTuple):
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The type of a problem."""
        return str(json.loads(self.body)["type"]).removeprefix("/problems/")


@asynccontextmanager
async def listening(settings: Settings, world: World) -> AsyncIterator[int]:
    """Serve the world's services on a port of their own."""
    config = _configured(settings.model_copy(update={"port": 1}))
    config.port, config.lifespan = 0, "off"
    config.load()
    world.app.state.served = config.app
    config.app.state.services = world.app.state.services  # type: ignore[union-attr]
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def port(settings: Settings, world: World) -> AsyncIterator[int]:
    """Give the port of a real server."""
    async with listening(settings, world) as found:
        yield found


def head(world: World, method: str, path: str, **headers: str) -> bytes:
    """The head of a request with the tenant's key."""
    given = {"host": "test", "authorization": f"Bearer {world.key}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode()


async def read_answer(reader: asyncio.StreamReader) -> Told:
    """One whole answer."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Told(int(first.split()[1]), headers, body)


async def exchange(port: int, *parts: bytes, pause: float = 0.0) -> Told:
    """Send some bytes, with pauses between them, and read the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(10):
            return await read_answer(reader)
    finally:
        writer.close()


async def test_a_body_that_comes_in_pieces_is_read_whole(world: World, port: int) -> None:
    body = json.dumps(question()).encode()
    start = head(world, "POST", PATH, content_type="application/json", content_length=str(len(body)))
    told = await exchange(port, start, body[:10], body[10:700], body[700:], pause=0.02)
    assert (200, "blocked") == (told.status, json.loads(told.body)["outcome"])


async def test_several_requests_share_a_connection(world: World, port: int) -> None:
    body = json.dumps(question()).encode()
    start = head(world, "POST", PATH, content_type="application/json", content_length=str(len(body)))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(start + body)
    answers = [await read_answer(reader) for _ in range(3)]
    writer.close()
    assert [200] * 3 == [one.status for one in answers]
    assert 3 == len({one.headers["x-request-id"] for one in answers})


@pytest.mark.parametrize(("method", "path"), [("POST", PATH), ("PUT", "/deals/D-1"), ("PUT", "/processes/b2b-saas")])
async def test_a_body_that_does_not_come_in_time_is_given_up(
    world: World, port: int, method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.2)
    media = "application/yaml" if "processes" in path else "application/json"
    start = head(world, method, path, content_type=media, content_length="500")
    silent = await exchange(port, start)
    slow = await exchange(port, start, b" ", b" ", pause=0.05)
    for told in (silent, slow):
        assert (408, "request-timeout", "close") == (told.status, told.kind, told.headers["connection"])


async def test_a_chunked_body_over_the_limit_is_cut_off(world: World, port: int) -> None:
    start = head(world, "POST", PATH, content_type="application/json", transfer_encoding="chunked")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(start + chunk * 17)
    told = await read_answer(reader)
    writer.close()
    assert (413, "body-too-large", "close") == (told.status, told.kind, told.headers["connection"])


async def test_a_body_announced_as_too_large_is_refused_before_it_is_sent(world: World, port: int) -> None:
    start = head(world, "PUT", "/processes/b2b-saas", content_type="application/yaml", content_length="10000000")
    told = await exchange(port, start)
    assert (413, "body-too-large") == (told.status, told.kind)


async def test_a_client_that_goes_away_in_the_middle_leaves_nothing_behind(
    world: World, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    half = PROCESS.replace("b2b-saas", "half").encode()
    for method, path, media, body in (
        ("PUT", "/processes/half", "application/yaml", half),
        ("POST", PATH, "application/json", b'{"process": "b2b'),
        ("PUT", "/deals/D-1", "application/json", b"{}"),
    ):
        before = await world.written()
        length = str(len(body) + 100)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(world, method, path, content_type=media, content_length=length) + body)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await asyncio.sleep(0.1)
        assert b"" == await reader.read()
        assert before == await world.written()
    metrics = (await world.ask("GET", "/metrics")).text
    assert 3 == metrics.count('status="499"} 1.0')
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize(
    "line", [b"GET /deals\xff\xfe HTTP/1.1", b"GET /\x00 HTTP/1.1", b"nonsense", b"GET /deals HTTP/9.9"]
)
async def test_what_is_no_http_is_refused_and_the_server_lives(world: World, port: int, line: bytes) -> None:
    told = await exchange(port, line + b"\r\nhost: test\r\ncontent-length: 0\r\n\r\n")
    assert 400 <= told.status < 500 or told.status == 505
    assert 200 == (await exchange(port, head(world, "GET", "/health/live"))).status


async def test_head_has_the_length_and_no_body(world: World, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head(world, "HEAD", "/deals", connection="close"))
    told = await reader.read()
    writer.close()
    start, _, body = told.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 200")
    assert b"content-length: 31" in start.lower()
    assert b"" == body
