"""Appends decisions until it is killed, and prints each id once its commit has been acknowledged."""

import asyncio
import itertools
import sys

from app.store.database import Database, open_database
from app.store.decisions import append_decision
from tests.store.rows import decision


async def _append(database: Database, numbers: "itertools.count[int]") -> None:
    for number in numbers:
        await append_decision(database, decision(f"{number:09d}"))
        sys.stdout.write(f"{number:09d}\n")
        sys.stdout.flush()


async def main() -> None:
    """Sixteen callers at once."""
    database = open_database(sys.argv[1])
    await database.start()
    numbers = itertools.count()
    await asyncio.gather(*[_append(database, numbers) for _ in range(16)])


asyncio.run(main())
