"""The processes, deals and bodies that are measured: sizes as in the bars of `make bench`."""

import json
from itertools import pairwise
from typing import Any

from app.engine import Process

AS_OF = "2026-11-23T10:00:00Z"
_ACTIVITIES = [{"key": f"activity_{n}", "kind": "call", "outcomes": ["held"], "effort": "30m"} for n in range(10)]
_FIELDS = [{"key": f"field_{n}", "type": "number"} for n in range(12)]


def _requirements(prefix: str, count: int, first: int = 0) -> list[dict[str, Any]]:
    """Half on fields, half on activities; those of the sample deal hold, but for every third."""
    asked: list[dict[str, Any]] = []
    for n in range(first, first + count):
        if n % 2:
            asked.append({"id": f"{prefix}-{n}", "activity": f"activity_{n % 10}", "since": "stage_entry"})
        else:
            asked.append({"id": f"{prefix}-{n}", "field": f"field_{n % 12}", "at_least": 1_000 if n % 3 == 0 else 1})
    return asked


def process(stages: int, edges: int, requirements: int) -> Process:
    """A process of so many stages and drawn moves, its requirements spread evenly over the moves to the next stage."""
    keys = [f"stage_{n}" for n in range(stages - 1)] + ["won"]
    pairs = list(pairwise(keys))
    step = 2
    while len(pairs) < edges:
        pairs += list(zip(keys, keys[step:], strict=False))[: edges - len(pairs)]
        step += 1
    forward = stages - 1
    each = -(-requirements // forward)
    transitions = [
        {"from": source, "to": to, "requires": _requirements(f"{source}-{to}", each) if n < forward else []}
        for n, (source, to) in enumerate(pairs)
    ]
    return Process.model_validate(
        {
            "process": f"bench-{stages}",
            "activities": _ACTIVITIES,
            "fields": _FIELDS,
            "stages": [{"key": key, "kind": "won" if key == "won" else "open"} for key in keys],
            "transitions": transitions,
        }
    )


def deal(activities: int = 10) -> dict[str, Any]:
    """A deal in the first stage: 12 fields, so many activities, half of them of kinds that count."""
    return {
        "id": "D-1",
        "stage": "stage_0",
        "stage_entered_at": "2026-11-10T09:00:00Z",
        "created_at": "2026-10-01T09:00:00Z",
        "fields": {f"field_{n}": n * 10 for n in range(12)},
        "activities": [
            {
                "id": f"a-{n}",
                "activity": f"activity_{n % 10}",
                "at": f"2026-11-{11 + n % 10:02d}T15:00:00Z",
                "status": "done",
            }
            for n in range(activities)
        ],
    }


def body(*, dry_run: bool) -> bytes:
    """A validate-transition request of about 1.4 kB."""
    asked = {"process": "bench-6", "deal": deal(), "to": "stage_1", "actor": {"id": "rep-7"}, "as_of": AS_OF}
    return json.dumps({**asked, "dry_run": dry_run}, separators=(",", ":")).encode()


def stored_body(deal_id: str) -> bytes:
    """The same question about a stored deal; the decision is logged."""
    return json.dumps({"deal_id": deal_id, "to": "stage_1", "actor": {"id": "rep-7"}}, separators=(",", ":")).encode()


def as_json(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()
