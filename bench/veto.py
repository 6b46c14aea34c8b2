"""How long Dynamics waits for a veto, at 50 connections: with an ordinary body, and with one just under its limit.

Every question is about another stored deal, judged with its facts, and logged before it is answered.
"""

import json
import statistics
import tempfile
import uuid
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import uvloop
from cryptography.fernet import Fernet

from app import clock
from app.engine.load import load_process
from bench import product, servers
from bench.load import Target, answers
from bench.report import Row

CONNECTIONS = 50
DEALS = 200
EACH = 3_000
LIMIT = 256 * 1024
PATH = "/veto/dynamics"
SECRET = "bench-secret"  # noqa: S105 - it guards nothing
ORGANIZATION = "4ef5b371-e89e-e711-8122-000d3aa2331c"
_LONG = 120.0
_PROCESS = """
process: bench-veto
fields: [{key: amount, type: number}, {key: next_step, type: text}]
activities: [{key: demo, outcomes: [held]}]
stages:
  - {key: new, exit: [{id: next, field: next_step, is: present}, {id: amount, field: amount, at_least: 1}]}
  - {key: offer, enter: [{id: demo, activity: demo, outcome: held}]}
  - {key: won, kind: won}
  - {key: lost, kind: lost}
path: [new, offer, won]
"""


def rows() -> Iterator[Row]:
    """Measure both sizes on SQLite."""
    deals = [str(uuid.UUID(int=number + 1)) for number in range(DEALS)]
    with tempfile.TemporaryDirectory(prefix="stagerail-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'bench'}.db"
        key = product.prepared(url)
        with servers.stagerail(url, STAGERAIL_ENCRYPTION_KEY=Fernet.generate_key().decode()) as port:
            _fill(port, key, deals)
            for name, size in (("2 KB", 2_000), ("255 KB", LIMIT - 1024)):
                uvloop.run(_waits(port, deals, size, DEALS))
                waits = uvloop.run(_waits(port, deals, size, EACH))
                p99 = 1000 * statistics.quantiles(waits, n=100)[98]
                yield Row(f"veto, {name}, {CONNECTIONS} at once, p99", p99, "ms", at_most=200)


def _fill(port: int, key: str, deals: list[str]) -> None:
    pipeline = {"process": "bench-veto", "stages": {"0": "new", "1": "offer", "won": "won", "lost": "lost"}}
    connection = {
        "crm": "dynamics", "secret": SECRET, "organization_id": ORGANIZATION, "pipelines": {"all": pipeline},
        "fields": {"estimatedvalue": {"field": "amount"}},
    }  # fmt: skip
    product.put(port, key, "/processes/bench-veto", json.dumps(_process()).encode())
    product.put(port, key, "/connections/dynamics", json.dumps(connection).encode())
    held = {"id": "a", "activity": "demo", "at": "2026-01-02T10:00:00Z", "status": "done", "outcome": "held"}
    for deal in deals:
        facts = {
            "process": "bench-veto", "stage": "new", "stage_entered_at": "2026-01-01T10:00:00Z",
            "fields": {"amount": 1, "next_step": "send the offer"}, "activities": [held],
        }  # fmt: skip
        product.put(port, key, f"/deals/dynamics:{deal}", json.dumps(facts).encode())


def _process() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        load_process(_PROCESS.encode()).model_dump_json(by_alias=True, exclude_defaults=True)
    )
    return content


async def _waits(port: int, deals: list[str], size: int, count: int) -> list[float]:
    requests = islice(cycle([_question(port, deal, size) for deal in deals]), count)
    return await answers(port, lambda: next(requests, None), connections=CONNECTIONS, patience=_LONG)


def _question(port: int, deal: str, size: int) -> bytes:
    """An update of an opportunity's stage, filled up with columns that are nothing to us."""
    at = int(clock.now().timestamp() * 1000)
    columns = [
        {"key": "salesstagecode", "value": {"Value": 1}},
        {"key": "estimatedvalue", "value": {"Value": 1200.5}},
        {"key": "opportunityid", "value": deal},
    ]
    columns += [{"key": f"new_text_{place}", "value": "x" * 400} for place in range(max(0, size - 1_000) // 440)]
    target = {"Attributes": columns, "Id": deal, "LogicalName": "opportunity"}
    content = {
        "MessageName": "Update", "PrimaryEntityName": "opportunity", "PrimaryEntityId": deal, "Depth": 1, "Stage": 20,
        "InitiatingUserId": str(uuid.UUID(int=7)), "OrganizationId": ORGANIZATION,
        "OperationCreatedOn": f"/Date({at})/", "InputParameters": [{"key": "Target", "value": target}],
    }  # fmt: skip
    body = json.dumps(content).encode()
    return Target(port, f"{PATH}?code={SECRET}", body, {}).request()
