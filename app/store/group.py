"""Group commit: what arrives while one commit is under way is committed together by the next one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from app.store.errors import DatabaseDown

LOG = logging.getLogger(__name__)


class Item:
    """One accepted piece of work: its result or error is told only once its batch has been committed."""

    __slots__ = ("done", "error", "value")

    def __init__(self) -> None:
        self.done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.value: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Wake whoever waits; a waiter that was cancelled meanwhile is gone."""
        if self.done.done():
            return
        if self.error is None:
            self.done.set_result(self.value)
        else:
            self.done.set_exception(self.error)


I = TypeVar("I", bound=Item)  # noqa: E741 - the item of a group


class CommitGroup(Generic[I]):
    """Hands the whole pending list to `perform`, again and again, one list at a time.

    `perform` commits and leaves each item's value or error on it; if it raises, the commit did not happen and every
    item that has no error of its own gets that one. INVARIANT: nobody is answered before `perform` has returned.
    """

    def __init__(self, perform: Callable[[list[I]], Awaitable[None]]) -> None:
        self._perform = perform
        self._pending: list[I] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name="commit group")

    async def submit(self, item: I) -> Any:
        """Add an item and wait for its commit."""
        if self._closing:
            raise DatabaseDown("the database is being closed")
        self._pending.append(item)
        self._wake.set()
        return await item.done

    async def close(self) -> None:
        """Commit what was accepted, then end."""
        self._closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        while self._pending or not self._closing:
            await self._wake.wait()
            self._wake.clear()
            batch, self._pending = self._pending, []
            if batch:
                await self._settle(batch)

    async def _settle(self, batch: list[I]) -> None:
        failure: str | None = None
        try:
            await self._perform(batch)
        except DatabaseDown as error:
            failure = str(error)
        except Exception:
            LOG.exception("a commit failed in an unforeseen way")
            failure = "the commit failed"
        for item in batch:
            if failure is not None and item.error is None:
                item.error = DatabaseDown(failure)
            item.settle()
