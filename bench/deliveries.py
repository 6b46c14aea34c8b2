"""How fast a CRM's delivery is acknowledged, at 64 connections, against a bare route that only inserts the body.

Every delivery is another deal's, signed as HubSpot signs, and worked on by the same server meanwhile.
"""

import asyncio
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import uvloop
from cryptography.fernet import Fernet

from app import clock
from app.crm.hubspot import SIGNATURE, TIMESTAMP, sign
from bench import product, samples, servers
from bench.load import Target, answers
from bench.report import Row

CONNECTIONS = 64
ROUNDS = 5
EACH = 2_000
PORTAL = 5799819
SECRET = "bench-secret"  # noqa: S105 - it guards nothing
PATH = "/webhooks/hs"
_FIRST_STAGES = 2
_LONG = 120.0


def rows() -> Iterator[Row]:
    """Measure both bars on SQLite."""
    with tempfile.TemporaryDirectory(prefix="stagerail-bench-") as folder:
        url, bare_url = (f"sqlite:///{Path(folder) / name}.db" for name in ("bench", "bare"))
        key = product.prepared(url)
        product.prepared(bare_url)
        settings = {"STAGERAIL_ENCRYPTION_KEY": Fernet.generate_key().decode()}
        with (
            servers.stagerail(url, **settings) as port,
            servers.floor("inserting", {"BENCH_DATABASE": bare_url}) as bare,
        ):
            product.fill(port, key)
            product.put(port, key, f"/connections/{PATH.rpartition('/')[2]}", json.dumps(_connection()).encode())
            ours, floors = uvloop.run(_measure(port, bare))
    yield Row("delivery: a bare route that only inserts the body", statistics.median(r for r, _ in floors), "/s")
    yield Row("delivery acknowledged, 64 at once", statistics.median(r for r, _ in ours), "/s")
    ratios = [one / least for (one, _), (least, _) in zip(ours, floors, strict=True)]
    yield Row("delivery acknowledged, to the floor", statistics.median(ratios), "x", at_least=0.6)
    yield Row("delivery acknowledged, 64 at once, p99", 1000 * max(p99 for _, p99 in ours), "ms", at_most=100)


def _connection() -> dict[str, object]:
    stages = [stage.key for stage in samples.process(6, 12, 33).stages]
    pipeline = {"process": "bench-6", "stages": {str(place): stage for place, stage in enumerate(stages)}}
    return {"crm": "hubspot", "secret": SECRET, "portal_id": PORTAL, "pipelines": {"default": pipeline}}


async def _measure(port: int, bare: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    ours, floors = [], []
    for turn in range(ROUNDS + 1):
        deliveries = _signed(port, turn * EACH)
        plain = Target(bare, "/floor", _body(turn), {}).request()
        floor = await _slice(bare, iter([plain] * EACH).__next__)
        one = await _slice(port, iter(deliveries).__next__)
        await asyncio.sleep(0.2)
        if turn:  # the first warms up
            ours.append(one)
            floors.append(floor)
    return ours, floors


async def _slice(port: int, following: Callable[[], bytes]) -> tuple[float, float]:
    """Answers per second, and the 99th percentile of their waits in seconds."""

    def next_one() -> bytes | None:
        try:
            return following()
        except StopIteration:
            return None

    begun = clock.now()
    waits = await answers(port, next_one, connections=CONNECTIONS, patience=_LONG)
    return len(waits) / ((clock.now() - begun) / timedelta(seconds=1)), statistics.quantiles(waits, n=100)[98]


def _body(deal: int) -> bytes:
    at = int(clock.now().timestamp() * 1000)
    changes = [
        {
            "objectId": deal, "propertyName": "dealstage", "propertyValue": str(stage), "changeSource": "CRM_UI",
            "eventId": 1, "subscriptionId": 1, "portalId": PORTAL, "appId": 1, "occurredAt": at + stage,
            "subscriptionType": "deal.propertyChange", "attemptNumber": 0,
        }
        for stage in range(_FIRST_STAGES)
    ]  # fmt: skip
    return json.dumps(changes).encode()


def _signed(port: int, first: int) -> list[bytes]:
    uri = f"http://127.0.0.1{PATH}"
    requests = []
    for deal in range(first, first + EACH):
        body, timestamp = _body(deal), str(int(clock.now().timestamp() * 1000))
        headers = {TIMESTAMP: timestamp, SIGNATURE: sign(SECRET, "POST", uri, body, timestamp)}
        requests.append(Target(port, PATH, body, headers).request())
    return requests
