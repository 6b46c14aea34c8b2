"""One deal read back from its CRM and taken in, the way that one which has settled is."""

from app import clock
from app.crm.client import Client, ClientError
from app.crm.secrets import NoKey, WrongKey
from app.services.clients import client_of
from app.services.settling import Judges, judge_now
from app.store.connections import StoredConnection, read_connection
from app.store.deals import read_deal


class Reading:
    """Asks the CRMs of connections: the client of one, and a deal of one."""

    def __init__(self, judges: Judges) -> None:
        self._judges = judges

    async def client_of(self, tenant_id: str, connection_id: str) -> Client | None:
        """What speaks with the CRM; None where it cannot be spoken to. Raises ClientError."""
        row = await read_connection(self._judges.database, tenant_id, connection_id)
        return None if row is None else self._client(row)

    async def read_back(self, tenant_id: str, connection_id: str, object_id: str) -> bool:
        """Read a deal and judge it; whether it stood elsewhere than we knew. Raises ClientError and Unreachable."""
        database = self._judges.database
        row = await read_connection(database, tenant_id, connection_id)
        client = None if row is None else self._client(row)
        if row is None or client is None:
            raise ClientError("connection_without_access", again=False, connection=connection_id)
        told = await client.read_deal(object_id, clock.now())
        deal_id = f"{connection_id}:{object_id}"
        before = await read_deal(database, tenant_id, deal_id)
        await judge_now(self._judges, row, object_id, told)
        after = await read_deal(database, tenant_id, deal_id)
        return after is not None and (before is None or before.stage != after.stage)

    def _client(self, row: StoredConnection) -> Client | None:
        try:
            return client_of(self._judges.database, row, key=self._judges.key, http=self._judges.http)
        except (NoKey, WrongKey) as error:
            raise ClientError("secret_unavailable", again=False) from error
