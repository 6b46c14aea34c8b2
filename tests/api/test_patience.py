"""The deadline of a body: it is kept, and does not get in the way of what is there already."""

import asyncio

import pytest

from app.api.patience import InTime


async def _at_once() -> str:
    return "there"


async def _later(seconds: float) -> str:
    await asyncio.sleep(seconds / 2)
    await asyncio.sleep(seconds / 2)
    return "there"


async def test_work_that_need_not_wait_is_done_at_once() -> None:
    assert "there" == await InTime(_at_once(), 0)


async def test_work_that_waits_within_its_time_is_done() -> None:
    assert "there" == await InTime(_later(0.02), 5)


async def test_work_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        await InTime(_later(5), 0.02)


async def test_the_time_counts_from_the_start_and_not_from_each_wait() -> None:
    with pytest.raises(TimeoutError):
        await InTime(_later(0.1), 0.07)


async def test_work_is_given_up_when_the_caller_is() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            ended.append("ended")

    async def caller() -> None:
        await InTime(work(), 5)

    task = asyncio.ensure_future(caller())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ["ended"] == ended


async def test_an_error_of_the_work_comes_out() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await InTime(work(), 5)
