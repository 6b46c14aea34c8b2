"""A worker of the outbox in a process of its own, there to be killed: `outbox_child.py DATABASE HOST:PORT KEY`.

It ends by itself once nothing waits.
"""

import asyncio
import sys
from datetime import timedelta

from app.outbox.addresses import allowed_of
from app.outbox.http import Outgoing
from app.services.event_sender import EventSender
from app.services.outbox_worker import OutboxWorker
from app.store.backlog import count_waiting
from app.store.database import open_database


async def main(url: str, receiver: str, key: str) -> None:
    """Work until nothing waits."""
    database = open_database(url)
    await database.start()
    http = Outgoing(allowed_of([receiver]))
    worker = OutboxWorker(database, {"event": EventSender(database, http, key)}, lease=timedelta(seconds=3))
    await worker.start()
    while (await count_waiting(database, 1))["outbox"].waiting:  # noqa: ASYNC110 - of no event
        await asyncio.sleep(0.1)
    await worker.stop()
    await http.close()
    await database.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
