"""A mapping drafted from a CRM's own configuration: read from its API, or pasted."""

import json
from typing import Any, NamedTuple

from app.crm.adapters import ADAPTERS
from app.crm.client import Client, ClientError, Credentials
from app.crm.drafting import Draft, drafted
from app.crm.http import Http, Unreachable
from app.services.processes import Processes
from app.services.refusals import InvalidRequest, Refused
from app.store.database import Reader

_MOST = 2_000_000


class CrmUnreachable(Refused):
    """The CRM did not tell its configuration: `reason_code`, `reason_params`."""

    kind = "crm-unreachable"

    def __init__(self, code: str, params: dict[str, Any]) -> None:
        super().__init__(code=code)
        self.code = code
        self.reason_params = params


class Asked(NamedTuple):
    """What is to be drafted: for which process, from a configuration or with credentials that it can be read with."""

    crm: str
    process: str
    version: int | None
    configuration: dict[str, Any] | None
    access: Credentials | None
    settings: dict[str, Any]


async def draft(db: Reader, processes: Processes, tenant_id: str, http: Http, asked: Asked) -> Draft:
    """The settings that the configuration suggests. Raises UnknownProcess, InvalidRequest, CrmUnreachable."""
    adapter = ADAPTERS.get(asked.crm)
    if adapter is None or adapter.draft is None:
        known = ", ".join(f"`{kind}`" for kind, one in ADAPTERS.items() if one.draft is not None)
        raise InvalidRequest("crm", "draft_unknown_crm", crm=asked.crm, known=known)
    compiled = await processes.asked(db, tenant_id, asked.process, asked.version)
    found = asked.configuration if asked.configuration is not None else await _configuration(http, asked)
    try:
        configuration = adapter.draft(found)
    except (AttributeError, TypeError, ValueError, KeyError) as error:  # a pasted one may hold anything
        raise InvalidRequest("configuration", "draft_unreadable", crm=asked.crm) from error
    if not configuration.pipelines:
        raise InvalidRequest("configuration", "draft_unreadable", crm=asked.crm)
    return drafted(asked.crm, configuration, compiled.process)


async def _configuration(http: Http, asked: Asked) -> dict[str, Any]:
    make = ADAPTERS[asked.crm].client
    if make is None or asked.access is None:
        raise InvalidRequest("access", "draft_needs_access")
    model = ADAPTERS[asked.crm].settings
    client: Client = make(model.model_construct(crm=asked.crm, **asked.settings), asked.access, http, _forget)
    try:
        found = await client.configuration()
    except (ClientError, Unreachable) as error:
        raise CrmUnreachable(error.code, error.params) from error
    if len(json.dumps(found, default=str)) > _MOST:
        raise CrmUnreachable("client_unreadable", {})
    return found


async def _forget(_renewed: Credentials) -> None:
    """Nothing is stored of a draft; a token that was renewed for it is renewed again."""
