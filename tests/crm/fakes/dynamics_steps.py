"""What a step of Dynamics sends, as plugins write it; what a connection to it says."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

from app.crm.dynamics import DynamicsSettings

ORGANIZATION = "4ef5b371-e89e-e711-8122-000d3aa2331c"
KEY = "the key of the step"
CONTRACTS = "http://schemas.microsoft.com/xrm/2011/Contracts"
_CODES = frozenset({"statecode", "statuscode", "salesstagecode"})
_MONEY = frozenset({"estimatedvalue"})
_DATES = frozenset({"createdon", "modifiedon", "actualend", "scheduledstart", "scheduledend"})
_TABLES = {"ownerid": "systemuser", "opportunityid": "opportunity", "regardingobjectid": "opportunity",
           "record1id": "opportunity", "record2id": "contact", "record2roleid": "connectionrole",
           "activestageid": "processstage", "processid": "workflow", "parentcontactid": "contact"}  # fmt: skip


def guid(number: int) -> str:
    """An id."""
    return f"0e0fc00e-ed75-e911-a961-{number:012d}"


OURS, REP = guid(900), guid(77)


def iso(at: datetime) -> str:
    """A time as the Web API writes it, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def date(at: datetime) -> str:
    """A time as a step writes it; the offset is for show."""
    return f"/Date({round(at.timestamp() * 1000)}-0700)/"


def entity(table: str, record_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """A record as it stands in a context, from a row of the Web API; with labels in the user's language."""
    return {
        "__type": f"Entity:{CONTRACTS}",
        "Attributes": [{"key": _plain(name), "value": _wrapped(name, value)} for name, value in values.items()],
        "EntityState": None,
        "FormattedValues": [{"key": "salesstagecode", "value": "Proponer"}, {"key": "statecode", "value": "Abierta"}],
        "Id": record_id, "KeyAttributes": [], "LogicalName": table, "RelatedEntities": [], "RowVersion": None,
    }  # fmt: skip


def context(
    message: str,
    target: dict[str, Any] | None,
    *,
    at: datetime,
    by: str = REP,
    depth: int = 1,
    table: str = "opportunity",
    pre: dict[str, Any] | None = None,
    inputs: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """The context of one execution."""
    record_id = target["Id"] if target else None
    image = None if pre is None else [{"key": "PreImage", "value": entity(table, str(record_id), pre)}]
    return {
        "BusinessUnitId": guid(1), "CorrelationId": guid(2), "Depth": depth, "InitiatingUserId": by,
        "InputParameters": inputs if inputs is not None else [{"key": "Target", "value": target}],
        "IsExecutingOffline": False, "IsInTransaction": True, "IsOfflinePlayback": False, "IsolationMode": 1,
        "MessageName": message, "Mode": 0, "OperationCreatedOn": date(at), "OperationId": guid(3),
        "OrganizationId": ORGANIZATION, "OrganizationName": "OrgName", "OutputParameters": [],
        "OwningExtension": {"Id": guid(4), "KeyAttributes": [], "LogicalName": "sdkmessageprocessingstep"},
        "ParentContext": None, "PostEntityImages": [], "PreEntityImages": image or [], "PrimaryEntityId": record_id,
        "PrimaryEntityName": table, "RequestId": None, "SecondaryEntityName": "none", "SharedVariables": [],
        "Stage": 20, "UserId": by,
    }  # fmt: skip


def trimmed(found: dict[str, Any]) -> dict[str, Any]:
    """What is left of a context that is too large."""
    left_out = ("ParentContext", "InputParameters", "PreEntityImages", "PostEntityImages")
    return {name: copy.deepcopy(value) for name, value in found.items() if name not in left_out}


def dynamics_settings(**changes: Any) -> DynamicsSettings:
    """The settings of a connection to the organisation, for the process `sales`."""
    settings: dict[str, Any] = {
        "crm": "dynamics",
        "organization_id": ORGANIZATION,
        "pipelines": {
            "all": {
                "process": "sales",
                "stages": {"0": "demo_scheduled", "2": "demo_completed", "won": "won", "lost": "lost"},
            }
        },
        "fields": {
            "estimatedvalue": {"field": "amount", "type": "number"},
            "new_nextstep": {"field": "next_step", "type": "text"},
        },
        "activities": {"appointment": {"activity": "demo", "outcomes": {"3": "held"}}},
        "contact_roles": {"Decision maker": "champion"},
        "people": {"{" + REP.upper() + "}": {"id": "rep-7", "roles": ["rep"]}},
    }
    return DynamicsSettings.model_validate(settings | changes)


def body_of(found: dict[str, Any]) -> bytes:
    """A context as it is sent."""
    return json.dumps(found).encode()


def _plain(name: str) -> str:
    return name.removeprefix("_").removesuffix("_value") if name.startswith("_") else name


def _wrapped(name: str, value: Any) -> Any:
    plain = _plain(name)
    if value is None:
        return None
    if plain in _TABLES and plain != name:
        reference = {"__type": f"EntityReference:{CONTRACTS}", "Id": value, "LogicalName": _TABLES[plain]}
        return {**reference, "KeyAttributes": [], "Name": None, "RowVersion": None}
    if plain in _CODES:
        return {"__type": f"OptionSetValue:{CONTRACTS}", "Value": value}
    if plain in _MONEY:
        return {"__type": f"Money:{CONTRACTS}", "Value": value}
    if plain in _DATES:
        return f"/Date({round(datetime.fromisoformat(value).timestamp() * 1000)})/"
    return value
