"""One deal read back from its CRM and taken in, the way that one which has settled is."""

from datetime import datetime, timedelta

from app.crm.client import Client, ClientError
from app.crm.secrets import NoKey, WrongKey
from app.services.clients import client_of
from app.services.crm_facts import Taken
from app.services.settling import Judges, judge_now, read_in_time
from app.store.connections import StoredConnection, read_connection

UNDER_WAY = timedelta(minutes=5)
"""A younger move may be one of which the CRM is still about to tell: it is no gap."""


class Reading:
    """Asks the CRMs of connections: the client of one, and a deal of one."""

    def __init__(self, judges: Judges) -> None:
        self._judges = judges

    async def client_of(self, tenant_id: str, connection_id: str) -> Client | None:
        """What speaks with the CRM; None where it cannot be spoken to. Raises ClientError."""
        row = await read_connection(self._judges.database, tenant_id, connection_id)
        return None if row is None else self._client(row)

    async def read_back(self, tenant_id: str, connection_id: str, object_id: str) -> bool:
        """Read a deal and judge it; whether it had moved without our being told. Raises ClientError and Unreachable."""
        row = await read_connection(self._judges.database, tenant_id, connection_id)
        client = None if row is None else self._client(row)
        if row is None or client is None:
            raise ClientError("connection_without_access", again=False, connection=connection_id)
        told = await read_in_time(client, object_id)
        taken = await judge_now(self._judges, row, object_id, told)
        return _was_missed(taken, row.created_at, told.read_at - UNDER_WAY)

    def _client(self, row: StoredConnection) -> Client | None:
        try:
            return client_of(self._judges.database, row, key=self._judges.key, http=self._judges.http)
        except (NoKey, WrongKey) as error:
            raise ClientError("secret_unavailable", again=False) from error


def _was_missed(taken: Taken, since: datetime, until: datetime) -> bool:
    """Whether the reading found the deal elsewhere than we knew, and the CRM has had its time to tell us of it.

    What happened before the connection was made, nobody was to tell us.
    """
    before, now, moves = taken.deal.stored, taken.snapshot, taken.deal.line.moves
    if now is None or not moves or (before is not None and before.snapshot.stage == now.stage):
        return False
    return not moves[-1].own and since <= moves[-1].event.at < until
