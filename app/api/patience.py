"""A deadline that costs nothing where there is nothing to wait for: most bodies are there before anybody asks."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class InTime(Generic[T]):
    """Await this once: the work, or TimeoutError after so many seconds. Work that need not wait makes no timer."""

    def __init__(self, work: Coroutine[Any, Any, T], seconds: float) -> None:
        self._work = work
        self._seconds = seconds

    def __await__(self) -> Generator[Any, Any, T]:
        try:
            waiting = self._work.send(None)
        except StopIteration as end:
            value: T = end.value
            return value
        return (yield from self._rest(waiting).__await__())

    async def _rest(self, waiting: Any) -> T:
        async with asyncio.timeout(self._seconds):
            return await _Begun(self._work, waiting)


class _Begun(Generic[T]):
    """Work that has begun and waits: wait with it, then let it go on."""

    def __init__(self, work: Coroutine[Any, Any, T], waiting: Any) -> None:
        self._work = work
        self._waiting = waiting

    def __await__(self) -> Generator[Any, Any, T]:
        try:
            yield self._waiting
        except BaseException:  # given up: the work must not be left half done
            self._work.close()
            raise
        return (yield from self._work.__await__())
