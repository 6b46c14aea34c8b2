"""A mapping drafted from a CRM's own configuration: read from its API, or pasted."""

import json
from typing import Any, NamedTuple

from app.crm.adapters import ADAPTERS
from app.crm.client import Client, ClientError, Credentials
from app.crm.connection import readable
from app.crm.drafting import Draft, drafted
from app.crm.http import Http, Unreachable
from app.crm.secrets import NoKey, WrongKey
from app.services.clients import client_of
from app.services.connection_secrets import access_problems
from app.services.connection_settings import settings_of
from app.services.deliveries import SecretUnavailable
from app.services.processes import Processes
from app.services.refusals import InvalidRequest, Refused
from app.store.connections import StoredConnection
from app.store.database import Database

_MOST = 2_000_000
_WRAPPERS = ("results", "data", "value", "records", "pipeline", "fields", "users", "options")
"""What CRMs call the list in an answer."""


class CrmUnreachable(Refused):
    """The CRM did not tell its configuration: `reason_code`, `reason_params`."""

    kind = "crm-unreachable"

    def __init__(self, code: str, params: dict[str, Any]) -> None:
        super().__init__(code=code)
        self.code = code
        self.reason_params = params


class Asked(NamedTuple):
    """What is to be drafted: for which process, from a configuration or with credentials that it can be read with.

    With a `connection`, its settings stand and are added to, and its credentials do where no others are given.
    """

    crm: str | None
    process: str
    version: int | None
    configuration: dict[str, Any] | None
    access: Credentials | None
    settings: dict[str, Any]
    connection: StoredConnection | None = None


class Reading(NamedTuple):
    """What a CRM's configuration is read with."""

    database: Database
    http: Http
    key: str | None


async def draft(reading: Reading, processes: Processes, tenant_id: str, asked: Asked) -> Draft:
    """The settings that the configuration suggests. Raises UnknownProcess, InvalidRequest, CrmUnreachable."""
    crm = _crm_of(asked)
    adapter = ADAPTERS.get(crm)
    if adapter is None or adapter.draft is None:
        known = ", ".join(f"`{kind}`" for kind, one in ADAPTERS.items() if one.draft is not None)
        raise InvalidRequest("crm", "draft_unknown_crm", crm=crm, known=known)
    compiled = await processes.asked(reading.database, tenant_id, asked.process, asked.version)
    pasted = asked.configuration
    found = await _configuration(reading, crm, asked) if pasted is None else _unwrapped(pasted)
    parts = ", ".join(f"`{one}`" for one in adapter.parts)
    try:
        configuration = adapter.draft(found)
    except (AttributeError, TypeError, ValueError, KeyError) as error:  # a pasted one may hold anything
        raise InvalidRequest("configuration", "draft_unreadable", crm=crm, parts=parts) from error
    if not configuration.pipelines:
        raise InvalidRequest("configuration", "draft_unreadable", crm=crm, parts=parts)
    return drafted(crm, configuration, compiled.process, _base(crm, asked))


def _crm_of(asked: Asked) -> str:
    if asked.connection is None:
        if asked.crm is None:
            raise InvalidRequest("crm", "missing")
        return asked.crm
    if asked.crm not in (None, asked.connection.kind):
        raise InvalidRequest("crm", "connection_of_another_crm", crm=asked.connection.kind)
    return asked.connection.kind


def _base(crm: str, asked: Asked) -> dict[str, Any]:
    """The settings that there are already."""
    stored = {} if asked.connection is None else readable(settings_of(asked.connection))
    known = ADAPTERS[crm].settings.model_fields
    return {**stored, **{name: value for name, value in asked.settings.items() if name in known}}


def _unwrapped(pasted: dict[str, Any]) -> dict[str, Any]:
    """A configuration with its parts out of what the CRM's answers wrap them in."""

    def inside(part: Any) -> Any:
        if not isinstance(part, dict):
            return part
        if isinstance(part.get("data"), dict):
            return part["data"]
        return next((part[name] for name in _WRAPPERS if isinstance(part.get(name), list)), part)

    return {name: inside(part) for name, part in pasted.items()}


async def _configuration(reading: Reading, crm: str, asked: Asked) -> dict[str, Any]:
    client = _client(reading, crm, asked)
    if client is None:
        raise InvalidRequest("access", "draft_needs_access")
    try:
        found = await client.configuration()
    except (ClientError, Unreachable) as error:
        raise CrmUnreachable(error.code, error.params) from error
    if len(json.dumps(found, default=str)) > _MOST:
        raise CrmUnreachable("client_unreadable", {})
    return found


def _client(reading: Reading, crm: str, asked: Asked) -> Client | None:
    """A client with the credentials that are given, else with those of the connection, at its own address only."""
    make, access = ADAPTERS[crm].client, asked.access
    if access is not None and make is not None:
        for place, code, params in access_problems(crm, access):
            raise InvalidRequest(".".join(place), code, **params)
        return make(
            ADAPTERS[crm].settings.model_construct(**{"crm": crm, **_base(crm, asked)}), access, reading.http, _forget
        )
    if asked.connection is None:
        return None
    if asked.settings:
        raise InvalidRequest("access", "access_at_another_address")
    try:
        return client_of(reading.database, asked.connection, key=reading.key, http=reading.http)
    except (NoKey, WrongKey) as error:
        raise SecretUnavailable from error


async def _forget(_renewed: Credentials) -> None:
    """Nothing is stored of a draft; a token that was renewed for it is renewed again."""
