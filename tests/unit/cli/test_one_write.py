"""Answers on a real socket: head and body in one piece, in order, also when the client has gone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

from app.cli.one_write import OneWrite

REQUEST = b"GET /%d HTTP/1.1\r\nhost: test\r\n\r\n"


async def echo(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with the path, in two pieces."""
    if scope["type"] != "http":
        return
    body = scope["path"].encode()
    head = [(b"content-length", str(2 * len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": body})


async def served(ask: Callable[[int], Awaitable[Any]]) -> Any:
    """What asking gives while the server runs on a free port."""
    config = uvicorn.Config(echo, port=0, http=OneWrite, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    for _ in range(500):
        if server.started:
            break
        await asyncio.sleep(0.01)
    try:
        return await ask(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        await running


async def test_answers_on_one_connection_come_whole_and_in_order() -> None:
    async def ask(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(REQUEST % number for number in range(5)))
        answers = [await reader.readuntil(b"/%d/%d" % (number, number)) for number in range(5)]
        writer.close()
        return b"".join(answers)

    answers = await served(ask)

    assert answers.count(b"HTTP/1.1 200") == 5


async def test_a_client_that_has_gone_leaves_the_others_their_answers() -> None:
    async def ask(port: int) -> list[bytes]:
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
        for number, (_, writer) in enumerate(pairs):
            writer.write(REQUEST % number)
            if number % 2:
                writer.transport.abort()
        kept = [(number, reader) for number, (reader, _) in enumerate(pairs) if number % 2 == 0]
        answers = [await asyncio.wait_for(reader.readuntil(b"/%d/%d" % (n, n)), 5) for n, reader in kept]
        for _, writer in pairs:
            writer.close()
        return answers

    answers = await served(ask)

    assert [b"HTTP/1.1 200" in answer for answer in answers] == [True] * 5
