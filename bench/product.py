"""A database for the product to serve: up to date, with a key; the process and a deal are put over HTTP."""

import asyncio
import http.client

from app import clock
from app.services.keys import create_key
from app.store.database import open_database
from app.store.migrate import migrate
from bench import samples

_STORED = (200, 201)


def prepared(url: str) -> str:
    """Migrate an empty database and make a key. Gives the key."""
    migrate(url)
    return asyncio.run(_key(url))


async def _key(url: str) -> str:
    database = open_database(url)
    await database.start()
    try:
        return await database.transaction(lambda tx: create_key(tx, "bench", ["admin"], "bench", clock.now()))
    finally:
        await database.stop()


def fill(port: int, key: str) -> None:
    """Publish the process and store the deal."""
    process = samples.process(6, 12, 33).model_dump_json(by_alias=True, exclude_defaults=True).encode()
    deal = {**samples.deal(), "process": "bench-6"}
    del deal["id"]
    put(port, key, "/processes/bench-6", process)
    put(port, key, "/deals/D-1", samples.as_json(deal))


def put(port: int, key: str, path: str, body: bytes) -> None:
    """Store something; RuntimeError with the answer when it is refused."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    try:
        connection.request("PUT", path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status not in _STORED:
        raise RuntimeError(f"PUT {path}: {answer.status} {text}")
