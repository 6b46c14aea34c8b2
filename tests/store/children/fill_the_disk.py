"""Meets a full disk at COMMIT: no file of this process may grow any more. Prints what became of every call."""

import asyncio
import resource
import sys
from collections.abc import Coroutine
from typing import Any

from app.store.database import open_database
from app.store.decisions import append_decision
from tests.store.rows import add_deal, deal, decision


async def _told(*calls: Coroutine[Any, Any, None]) -> None:
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        print("stored" if outcome is None else type(outcome).__name__)  # noqa: T201 - the parent reads it


async def main() -> None:
    """Before, during and after."""
    database = open_database(sys.argv[1])
    await database.start()
    await _told(append_decision(database, decision("before")))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    lost = [append_decision(database, decision(f"lost-{number}")) for number in range(3)]
    await _told(*lost, add_deal(database, deal()))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await _told(append_decision(database, decision("after")))
    await database.stop()


asyncio.run(main())
