"""Sends an event to an endpoint: a CloudEvent, signed the way of Standard Webhooks."""

import json
from datetime import datetime

from app import clock, logs
from app.crm.http import Http, Request, Response, Unreachable, seconds_asked
from app.crm.secrets import NoKey, WrongKey
from app.crm.standard_webhooks import headers_of
from app.services.events import endpoint_of
from app.services.outbox import GiveUp, Later, Work
from app.services.secret_overlap import secrets_of
from app.store.database import Database
from app.store.endpoints import StoredEndpoint, pause_endpoint, read_endpoint

_PAUSED_WAITS = 600.0
_KEYLESS_WAITS = 300.0
_GONE = 410
_log = logs.get_logger(__name__)


class EventSender:
    """The handler of the outbox's kind `event`."""

    def __init__(self, database: Database, http: Http, key: str | None) -> None:
        """`key` opens the stored secrets."""
        self._database = database
        self._http = http
        self._key = key

    async def __call__(self, work: Work) -> None:
        """Send it once. The same id and the same body each time, so that the receiver can tell it has it already."""
        endpoint = await read_endpoint(self._database, work.tenant_id, endpoint_of(work.target_id))
        if endpoint is None:
            raise GiveUp("endpoint_gone")
        if endpoint.paused:
            raise Later("endpoint_paused", after=_PAUSED_WAITS, counts=False, whole=True)
        now = clock.now()
        body = json.dumps(work.payload, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            **headers_of(self._secrets(endpoint, now), work.item_id, now, body),
        }
        try:
            response = await self._http(Request("POST", endpoint.url, headers, body))
        except Unreachable as error:
            raise Later(error.code, **error.params) from error
        await self._read(endpoint, response, now)

    async def _read(self, endpoint: StoredEndpoint, response: Response, now: datetime) -> None:
        if 200 <= response.status < 300:  # noqa: PLR2004 - what HTTP calls success
            return
        if response.status == _GONE:
            paused = await self._database.transaction(lambda tx: pause_endpoint(tx, endpoint, now))
            if paused:
                _log.warning("endpoint_paused", endpoint=endpoint.endpoint_id)
            raise Later("endpoint_paused", after=_PAUSED_WAITS if paused else None, counts=False, whole=paused)
        raise Later(
            "endpoint_status", after=seconds_asked(response.headers.get("retry-after"), now), status=response.status
        )

    def _secrets(self, endpoint: StoredEndpoint, now: datetime) -> list[str]:
        try:
            return secrets_of(endpoint, self._key, now)
        except (NoKey, WrongKey) as error:
            _log.error("secret_unavailable", endpoint=endpoint.endpoint_id, reason=type(error).__name__)
            raise Later("secret_unavailable", after=_KEYLESS_WAITS, counts=False, whole=True) from error
