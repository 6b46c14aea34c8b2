"""Facts: what a snapshot says about times, people and activities."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.engine import Snapshot
from app.engine.facts import Facts
from tests.builders_engine import AS_OF, REP, activity, deal, moment


def facts(snapshot: Snapshot) -> Facts:
    return Facts(snapshot, "second", AS_OF, zone=ZoneInfo("Europe/Rome"), actor=REP, missing=frozenset())


def entered(stage: str, day: int) -> dict[str, Any]:
    return {"stage": stage, "entered_at": datetime(2026, 11, day, tzinfo=UTC).isoformat()}


ENTRIES: list[tuple[dict[str, Any], int | None, int | None]] = [
    ({"stage_history": []}, None, None),
    ({"stage_history": [entered("first", 3)]}, 3, 3),
    ({"stage_history": [entered("first", 3), entered("first", 5)]}, 5, 3),
    ({"stage_history": [entered("first", 5), entered("first", 3)]}, 5, 3),
    ({"stage_history": [entered("first", 3), entered("second", 5)]}, None, 3),
    ({"stage_history": [entered("second", 3), entered("first", 5)]}, 5, 5),
    ({"stage_history": [entered("second", 5), entered("first", 5)]}, 5, 5),
    ({"stage_history": [entered("second", 3)]}, None, None),
    ({"stage_history": [entered("second", 3)], "stage_entered_at": "2026-11-07T00:00:00Z"}, 7, 7),
    ({"stage_history": [entered("first", 3)], "stage_entered_at": "2026-11-07T00:00:00Z"}, 7, 3),
]


@pytest.mark.parametrize(("times", "entry", "first"), ENTRIES)
def test_entry_is_the_latest_and_first_entry_the_earliest_that_is_known(
    times: dict[str, Any], entry: int | None, first: int | None
) -> None:
    known = facts(deal(**{"stage_entered_at": ..., **times}))
    days = [None if day is None else datetime(2026, 11, day, tzinfo=UTC) for day in (entry, first)]
    assert days == [known.stage_entry, known.first_entry("first")]


def test_activities_are_found_by_kind_and_people_by_role() -> None:
    given = facts(
        deal(
            activities=[activity(1), activity(2, "call"), activity(3)],
            contacts=[{"id": "c-1", "role": "buyer"}, {"id": "c-2"}, {"id": "c-1", "role": "champion"}],
        )
    )
    assert ["a-1", "a-3"] == [one.id for one in given.of_kind("demo")]
    assert () == given.of_kind("review")
    assert ({"c-1"}, {"c-1"}, set()) == (given.people_in("buyer"), given.people_in("champion"), given.people_in("x"))


def test_a_copy_differs_in_what_is_named_and_forgets_its_indexes() -> None:
    first = facts(deal(activities=[activity(1)]))
    assert ("2026-11-23", 1) == (first.today.isoformat(), len(first.of_kind("demo")))
    later = first.copy(as_of=moment("2026-12-01T10:00:00Z"), activities=())
    assert ("2026-12-01", 0) == (later.today.isoformat(), len(later.of_kind("demo")))
    assert ("2026-11-23", 1, "first") == (first.today.isoformat(), len(first.of_kind("demo")), later.stage)
