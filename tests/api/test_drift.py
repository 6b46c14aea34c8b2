"""Drift over HTTP, on both databases: counted with its denominators, and listed with what became of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.store.crm_moves import CrmMove, note_remedied, put_move
from app.store.database import Transaction
from app.store.insights import Kept, insert_kept
from app.store.tenants import Tenant, insert_tenant
from tests.api.world import YAML, World

PROCESS = """\
process: sales
timezone: Europe/Rome
fields: [{key: amount, type: number}]
stages: [{key: new}, {key: met}, {key: won, kind: won}, {key: lost, kind: lost}]
path: [new, met, won]
transitions:
  - {from: new, to: met, requires: [{id: priced, field: amount, at_least: 1}]}
  - {from: open, to: lost}
"""
MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)


def _move(tenant: str, number: int, verdict: str, **changes: Any) -> CrmMove:
    at = MONDAY + timedelta(days=number)
    year, week, _ = at.isocalendar()
    row = CrmMove(
        tenant, "hub", str(number), f"e-{number}", "sales", "new", "met", at, f"{year}-W{week}", f"{at:%Y-%m-%d}",
        "CRM_UI", "ana", verdict, f"d-{number}",
    )  # fmt: skip
    return row._replace(**changes)


def _kept(move: CrmMove, name: str, result: str, *, blocked: bool = False, kind: str = "requirement") -> Kept:
    way = ("sales", "new", "met", "ana", move.week, move.day)
    return Kept(move.tenant_id, move.decision_id, kind, name, *way, result, blocked)


@pytest.fixture
async def sold(world: World) -> World:
    """Give a process with moves of every verdict, two of them drift."""
    await world.good("PUT", "/processes/sales", content=PROCESS, headers=YAML)
    tenant = world.tenant
    moves = [
        _move(tenant, 1, "drift"),
        _move(tenant, 2, "drift", author="bo", channel="API"),
        _move(tenant, 3, "allowed"),
        _move(tenant, 9, "allowed", author=""),
        _move(tenant, 4, "blocked_incomplete"),
        _move(tenant, 5, "not_judged", connection_id="zoho"),
        _move(tenant, 6, "own", author="", channel="API"),
    ]

    async def work(tx: Transaction) -> None:
        for move in moves:
            await put_move(tx, move)
        await insert_kept(tx, [_kept(moves[0], "priced", "missed", blocked=True), _kept(moves[2], "priced", "met")])
        await insert_kept(tx, [_kept(moves[0], "drawn", "met", kind="rule"), _kept(moves[1], "priced", "unknown")])
        await insert_kept(tx, [_kept(moves[1], "drawn", "missed", kind="rule", blocked=True)])
        await note_remedied(tx, tenant, "hub", "1", "e-1", remedied='{"at": "2026-11-24T14:00:00Z", "note": "done"}')
        await put_move(tx, moves[0])  # judged anew: what became of it stays

    await world.database.transaction(work)
    return world


def _counts(judged: int, drift: int, **others: int) -> dict[str, Any]:
    found = {"incomplete": 0, "not_judged": 0, "own": 0} | others
    return {"judged": judged, "drift": drift, "share": round(drift / judged, 4) if judged else None, **found}


async def _ask(world: World, query: str) -> dict[str, Any]:
    found: dict[str, Any] = await world.good("GET", f"/insights/drift?process=sales&{query}")
    return found


async def test_drift_is_counted_of_what_could_be_judged(sold: World) -> None:
    assert await _ask(sold, "by=channel") == {
        "process": "sales",
        "from": None,
        "to": None,
        "by": "channel",
        "totals": _counts(4, 2, incomplete=1, not_judged=1, own=1),
        "items": [
            {"channel": "API", **_counts(1, 1, own=1)},
            {"channel": "CRM_UI", **_counts(3, 1, incomplete=1, not_judged=1)},
        ],
        "next_cursor": None,
    }


async def test_drift_is_counted_by_author_and_week(sold: World) -> None:
    assert (await _ask(sold, "by=author"))["items"] == [
        {"author": None, **_counts(1, 0, own=1)},
        {"author": "ana", **_counts(2, 1, incomplete=1, not_judged=1)},
        {"author": "bo", **_counts(1, 1)},
    ]
    assert (await _ask(sold, "by=week"))["items"] == [
        {"week": "2026-W48", **_counts(3, 2, incomplete=1, not_judged=1, own=1)},
        {"week": "2026-W49", **_counts(1, 0)},
    ]


async def test_a_move_drifts_by_the_requirement_that_blocked_it(sold: World) -> None:
    assert (await _ask(sold, "by=requirement"))["items"] == [
        {"requirement": "priced", "rule": None, **_counts(2, 1)},
        {"requirement": None, "rule": "drawn", **_counts(2, 1)},
    ]


async def test_days_and_a_connection_narrow_it_down(sold: World) -> None:
    assert (await _ask(sold, "from=2026-11-25&to=2026-11-26"))["totals"] == _counts(2, 1)
    assert (await _ask(sold, "connection=zoho"))["totals"] == _counts(0, 0, not_judged=1)


@pytest.mark.parametrize("by", ["channel", "author", "requirement", "week"])
async def test_groups_come_in_pages(sold: World, by: str) -> None:
    whole = await _ask(sold, f"by={by}")
    first = await _ask(sold, f"by={by}&limit=1")
    rest = await _ask(sold, f"by={by}&cursor={first['next_cursor']}")
    assert first["items"] + rest["items"] == whole["items"]
    assert first["totals"] == whole["totals"]


async def test_the_moves_behind_it_come_in_pages_the_latest_first(sold: World) -> None:
    first = await sold.good("GET", "/insights/drift/moves?process=sales&limit=1")
    second = await sold.good("GET", f"/insights/drift/moves?process=sales&cursor={first['next_cursor']}")
    assert [one["deal"] for one in first["items"]] == ["hub:2"]
    assert second == {
        "items": [
            {
                "deal": "hub:1",
                "connection": "hub",
                "from": "new",
                "to": "met",
                "at": "2026-11-24T10:00:00Z",
                "channel": "CRM_UI",
                "author": "ana",
                "decision_id": "d-1",
                "remedied": {"at": "2026-11-24T14:00:00Z", "note": "done"},
            }
        ],
        "next_cursor": None,
    }


async def test_a_page_may_end_with_a_deal_of_any_name(sold: World) -> None:
    name = "\N{PARTY POPPER}" * 190
    moves = [_move(sold.tenant, number, "drift", object_id=name) for number in (20, 21)]

    async def work(tx: Transaction) -> None:
        for move in moves:
            await put_move(tx, move)

    await sold.database.transaction(work)
    first = await sold.good("GET", "/insights/drift/moves?process=sales&limit=1")
    second = await sold.good("GET", f"/insights/drift/moves?process=sales&limit=1&cursor={first['next_cursor']}")
    assert [one["decision_id"] for one in (*first["items"], *second["items"])] == ["d-21", "d-20"]


async def test_another_tenant_s_moves_are_none_of_ours(sold: World) -> None:
    before = await _ask(sold, "by=channel")

    async def work(tx: Transaction) -> None:
        await insert_tenant(tx, Tenant("other", "Other", MONDAY))
        theirs = _move("other", 1, "drift", decision_id="d-3")
        await put_move(tx, theirs)
        await insert_kept(tx, [_kept(theirs, "priced", "missed", blocked=True)])

    await sold.database.transaction(work)
    assert await _ask(sold, "by=channel") == before
    assert (await _ask(sold, "by=requirement"))["items"][0] == {"requirement": "priced", "rule": None, **_counts(2, 1)}
    assert len((await sold.good("GET", "/insights/drift/moves?process=sales"))["items"]) == 2


@pytest.mark.parametrize("path", ["/insights/drift", "/insights/drift/moves"])
@pytest.mark.parametrize(
    ("query", "status", "problem"),
    [
        ("process=none", 404, "unknown-process"),
        ("", 422, "invalid-request"),
        ("process=sales&from=2026-12-02&to=2026-12-01", 422, "invalid-request"),
        ("process=sales&from=yesterday", 422, "invalid-request"),
        ("process=sales&limit=0", 422, "invalid-request"),
        ("process=sales&cursor=x", 422, "invalid-cursor"),
        ("process=sales&cursor=WyJ4Il0x", 422, "invalid-cursor"),
        ("process=sales&cursor=WzEsMiwzLDQsNV0", 422, "invalid-cursor"),
        ("process=sales&cursor=WyJhIiwiYiIsImMiLCJkIiwiZSJd", 422, "invalid-cursor"),
    ],
)
async def test_bad_questions_are_told_so(sold: World, path: str, query: str, status: int, problem: str) -> None:
    answer = await sold.ask("GET", f"{path}?{query}")
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")
