"""What is fuzzed, by name: each reader takes any bytes; only the refusals that it promises may come out of it."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from app.crm.adapters import ADAPTERS, Adapter
from app.crm.connection import ConnectionSettings
from app.crm.events import Malformed
from app.safe_json import UnsafeJson, read_json
from tests.crm.samples import SAMPLES

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Reader = Callable[[bytes], None]


def _json(data: bytes) -> None:
    with suppress(UnsafeJson):
        read_json(data)


def _read(adapter: Adapter, settings: ConnectionSettings, data: bytes) -> None:
    """As it is received: what must not be kept is taken out first."""
    adapter.answer(data)
    with suppress(Malformed):
        adapter.read(data if adapter.scrub is None else adapter.scrub(data), settings)


def _record(adapter: Adapter, settings: ConnectionSettings, data: bytes) -> None:
    """A record arrives as JSON that our own reader has let through."""
    if adapter.record is None:
        return
    with suppress(UnsafeJson, Malformed):
        adapter.record(read_json(data), settings, NOW)


def _verify(adapter: Adapter, data: bytes) -> None:
    """The headers are hostile too: the input is cut into lines of names and values, then the body."""
    head, _, body = data.partition(b"\n\n")
    lines = [line.partition(b":") for line in head.split(b"\n")]
    headers = {name.decode("latin-1").lower(): value.decode("latin-1").strip() for name, _, value in lines}
    uri = "https://gate.example.com/webhooks/x?code=1"
    if adapter.verify(["s3cret:word"], method="POST", uri=uri, headers=headers, body=body, now=NOW):
        raise AssertionError("a stranger was let in")


READERS: dict[str, Reader] = {"json": _json}
SEEDS: dict[str, list[bytes]] = {"json": [b'{"a": [1, 2.5, "x", null, true]}']}
for _name, _sample in SAMPLES.items():
    _adapter = ADAPTERS[_name]
    READERS[f"{_name}-read"] = partial(_read, _adapter, _sample.settings)
    READERS[f"{_name}-record"] = partial(_record, _adapter, _sample.settings)
    READERS[f"{_name}-verify"] = partial(_verify, _adapter)
    SEEDS[f"{_name}-read"] = list(_sample.bodies)
    SEEDS[f"{_name}-record"] = [json.dumps(one).encode() for one in _sample.records]
    SEEDS[f"{_name}-verify"] = [
        "\n".join(f"{name}: {value}" for name, value in headers.items()).encode() + b"\n\n" + body
        for headers in _sample.headers
        for body in _sample.bodies
    ]
