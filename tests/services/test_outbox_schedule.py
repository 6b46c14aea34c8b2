"""When what failed is tried again: the schedule of Standard Webhooks, jitter, Retry-After, circuits."""

import random
from datetime import timedelta

import pytest

from app.services.outbox_schedule import LONGEST_OPEN, WAITS, after_failure, is_half_open, next_try
from app.store.outbox_targets import StoredTarget
from tests.store.rows import NOON

CHANCE = random.Random(7)  # noqa: S311 - jitter need not be secret
TARGET = StoredTarget("acme", "endpoint:e-1", 0, None)


@pytest.mark.parametrize(("attempt", "wait"), list(enumerate(WAITS, 1)))
def test_each_attempt_waits_as_the_schedule_says_give_or_take_a_tenth(attempt: int, wait: timedelta) -> None:
    for _ in range(100):
        at = next_try(attempt, None, NOON, CHANCE)
        assert at is not None
        assert 0.9 <= (at - NOON) / wait <= 1.1


def test_the_schedule_is_that_of_standard_webhooks() -> None:
    assert [wait.total_seconds() for wait in WAITS] == [
        5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400,
    ]  # fmt: skip
    assert next_try(10, None, NOON, CHANCE) is None


def test_nobody_comes_back_earlier_than_asked_and_no_later_than_a_day_or_so() -> None:
    for asked, least, most in ((60.0, 60, 66), (1e9, 86400, 95040), (-5.0, 4.5, 5.5), (0.0, 4.5, 5.5)):
        at = next_try(1, asked, NOON, CHANCE)
        assert at is not None
        assert least <= (at - NOON).total_seconds() <= most


def test_a_circuit_opens_with_the_fifth_failure_in_a_row_longer_each_time() -> None:
    target, waits = TARGET, []
    for _ in range(12):
        target = after_failure(target._replace(open_until=None), None, NOON, CHANCE)
        waits.append(None if target.open_until is None else round((target.open_until - NOON) / timedelta(seconds=30)))
    assert waits[:7] == [None, None, None, None, 1, 2, 4]
    assert target.open_until is not None
    assert target.open_until - NOON <= LONGEST_OPEN * 1.1
    assert [is_half_open(TARGET._replace(failures=count)) for count in (4, 5)] == [False, True]


def test_a_target_that_asks_for_a_pause_gets_it_for_an_hour_at_most() -> None:
    assert after_failure(TARGET, 60, NOON, CHANCE) == TARGET._replace(
        failures=1, open_until=NOON + timedelta(minutes=1)
    )
    assert after_failure(TARGET, 1e9, NOON, CHANCE).open_until == NOON + timedelta(hours=1)
