"""What every operation is given: the services of this application, and who asks in which language."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from starlette.requests import Request

from app.api.metrics import Metrics
from app.api.problems import Problem
from app.i18n import Locale, pick_locale
from app.outbox.http import Outgoing
from app.services.backlog import Backlogs
from app.services.clock_work import ClockWork
from app.services.delivery_worker import DeliveryWorker
from app.services.events import Events
from app.services.forgetting import Forgetting
from app.services.keys import Keys, Principal
from app.services.outbox_worker import OutboxWorker
from app.services.processes import Processes
from app.services.settler import Settler
from app.services.sync_worker import SyncWorker
from app.services.veto import Vetoes
from app.settings import Settings
from app.store.database import Database


class Services(NamedTuple):
    """What one running application shares."""

    settings: Settings
    database: Database
    processes: Processes
    keys: Keys
    metrics: Metrics
    deliveries: DeliveryWorker
    forgetting: Forgetting
    ready: Callable[[], Awaitable[None]]
    events: Events
    outbox: OutboxWorker
    http: Outgoing
    clock_work: ClockWork
    settler: Settler
    syncs: SyncWorker
    vetoes: Vetoes
    backlogs: Backlogs


class Caller(NamedTuple):
    """Who asks, in which language, with which headers."""

    services: Services
    principal: Principal
    locale: Locale
    headers: Mapping[str, str]

    @property
    def tenant_id(self) -> str:
        """The tenant that everything read and written belongs to."""
        return self.principal.tenant_id


async def authenticate(services: Services, headers: Mapping[str, str], scope: str | None) -> Caller:
    """The caller behind a key that has the scope (any key where None). Raises unauthorized and forbidden."""
    locale = pick_locale(headers.get("accept-language"))
    presented = _presented(headers)
    principal = None if presented is None else await services.keys.principal(services.database, presented)
    if principal is None:
        raise Problem("unauthorized", headers={"www-authenticate": 'Bearer realm="stagerail"'})
    if scope is not None and not principal.may(scope):
        raise Problem("forbidden", scope=scope)
    return Caller(services, principal, locale, headers)


def _presented(headers: Mapping[str, str]) -> str | None:
    """A bearer key; else `X-API-Key`, for callers whose `Authorization` is spoken for by a proxy."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key")


def caller_of(request: Request) -> Caller:
    """The caller that the route has authenticated before the operation began."""
    caller: Caller = request.state.caller
    return caller
