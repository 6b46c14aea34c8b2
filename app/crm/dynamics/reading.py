"""A Dynamics opportunity read back whole: its audit where there is one, its activities, the people on it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.crm.client import ClientError, Told
from app.crm.dynamics.activities import COLUMNS, TABLES, WITH_DIRECTION, activity_fact, contact_fact
from app.crm.dynamics.api import WebApi
from app.crm.dynamics.flows import flow_row
from app.crm.dynamics.history import changes_of, history
from app.crm.dynamics.settings import IN_PROCESS_FLOW, DynamicsSettings
from app.crm.dynamics.values import column, guid_of, moment, text_of
from app.crm.dynamics.words import Deal, place
from app.crm.events import Event, Fact, Group

PRIMARY = "parentcontactid"
"""The column of the opportunity's own contact, by which `contact_roles` may name a role for it."""
_OF_THE_FLOW = ("_activestageid_value", "activestagestartedon", "_processid_value")
_AUDITED = 500
_MOST_PAGES = 20
_ALIKE = "@Microsoft.Dynamics.CRM.lookuplogicalname"
_NAMED = "@OData.Community.Display.V1.FormattedValue"


async def read_deal(api: WebApi, settings: DynamicsSettings, object_id: str, now: datetime) -> Told:
    """All that Dynamics holds of a deal. What may not be read is not complete, and takes nothing else with it; what
    is not mapped is not even asked for.
    """
    data = await opportunity(api, settings, object_id)
    if data is None:
        return Told((), (), frozenset(), now, "deleted")
    deal = Deal(settings, object_id)
    made, seen_at = moment(data.get("createdon")), moment(data.get("modifiedon")) or now
    found = history(settings, deal, data, await _audit(api, object_id))
    events = [] if made is None else [deal.event("created", made)]
    events += found.events
    rest = settings.followed - {one.name for one in found.events}
    events += [one for one in deal.values(data, seen_at, "seen") if one.name in rest]
    complete: set[Group] = {"fields", *(("approvals",) if settings.approvals else ())}
    complete |= {"stage_history"} if settings.stage_property in found.whole else set()
    activities = await _activities(api, settings, object_id, now) if settings.activities else None
    contacts = await _contacts(api, settings, data, now) if settings.contact_roles else None
    complete |= {"activities"} if activities is not None else set()
    complete |= {"contacts"} if contacts is not None else set()
    events = [_since(settings, data, one) for one in events]
    return Told(tuple(events), (*(activities or ()), *(contacts or ())), frozenset(complete), now)


async def opportunity(api: WebApi, settings: DynamicsSettings, object_id: str) -> dict[str, Any] | None:
    """The whole row (nobody knows which columns point to others, which are selected by another name), with the stage of
    its process flow where that is the one that counts; None when it is gone.
    """
    if guid_of(object_id) is None:
        return None
    data = await api.call("GET", f"/opportunities({object_id})", missing=True)
    if not isinstance(data, dict):
        return None
    if settings.stage_property != IN_PROCESS_FLOW:
        return data
    flow = await flow_row(api, settings, object_id)
    return data if flow is None else {**data, **{name: value for name, value in flow.items() if name in _OF_THE_FLOW}}


def _since(settings: DynamicsSettings, data: Mapping[str, Any], event: Event) -> Event:
    """A process flow says since when its stage is."""
    since = moment(data.get("activestagestartedon"))
    if since is None or event.kind != "seen" or event.name != settings.stage_property:
        return event
    if event.value != text_of(column(data, IN_PROCESS_FLOW)):
        return event
    return Deal(settings, event.object_id).event("changed", since, event.name, event.value)


async def _audit(api: WebApi, object_id: str) -> list[Any]:
    """The entries of the audit; none where it is off, or not ours to read."""
    details: list[dict[str, Any]] = []
    cookie = ""
    for number in range(1, _MOST_PAGES + 1):
        target = json.dumps({"@odata.id": f"opportunities({object_id})"})
        paging = json.dumps({"PageNumber": number, "Count": _AUDITED, "PagingCookie": cookie})
        try:
            answer = await api.call(
                "GET", "/RetrieveRecordChangeHistory(Target=@t,PagingInfo=@p)", query={"@t": target, "@p": paging}
            )
        except ClientError as error:
            if error.code not in ("client_forbidden", "client_not_found", "client_refused"):
                raise
            return []
        found = answer.get("AuditDetailCollection") if isinstance(answer, dict) else None
        listed = found.get("AuditDetails") if isinstance(found, dict) else None
        details += [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        if not isinstance(found, dict) or found.get("MoreRecords") is not True:
            break
        cookie = str(found.get("PagingCookie") or "")
    return changes_of(details)


async def _activities(api: WebApi, settings: DynamicsSettings, object_id: str, now: datetime) -> list[Fact] | None:
    facts: list[Fact | None] = []
    for table in TABLES:
        names = [*COLUMNS, "_ownerid_value", *(["directioncode"] if table in WITH_DIRECTION else [])]
        own = [one for one in (settings.activity_type_property, settings.outcome_property) if one is not None]
        query = {
            "$select": ",".join(dict.fromkeys((*names, *own))),
            "$filter": f"_regardingobjectid_value eq {object_id}",
            "$expand": f"{table}_activity_parties($select=_partyid_value)",
        }
        rows = await api.known(f"/{table}s", query)
        if rows is None and own:  # a column of one kind need not be one of another
            rows = await api.known(f"/{table}s", {**query, "$select": ",".join(names)})
        if rows is None:
            return None
        facts += [_activity(table, one, settings, object_id, now) for one in rows]
    return [one for one in facts if one is not None]


def _activity(
    table: str, row: Mapping[str, Any], settings: DynamicsSettings, object_id: str, now: datetime
) -> Fact | None:
    activity_id = guid_of(row.get("activityid"))
    if activity_id is None:
        return None
    parties = row.get(f"{table}_activity_parties")
    listed = [one for one in parties if isinstance(one, dict)] if isinstance(parties, list) else []
    contacts = [guid_of(one.get("_partyid_value")) for one in listed if one.get(f"_partyid_value{_ALIKE}") == "contact"]
    return activity_fact(
        table, row, settings, deal=object_id, activity_id=activity_id, at=moment(row.get("modifiedon")) or now,
        contacts=[one for one in contacts if one is not None],
    )  # fmt: skip


async def _contacts(
    api: WebApi, settings: DynamicsSettings, data: Mapping[str, Any], now: datetime
) -> list[Fact] | None:
    """Connections of the opportunity, kept from both ends, and its own contact."""
    object_id = str(guid_of(data.get("opportunityid")))
    facts: list[Fact] = []
    rows = await api.known("/connections", {
        "$select": "connectionid,_record2id_value,_record2roleid_value,modifiedon",
        "$filter": f"_record1id_value eq {object_id} and statecode eq 0",
    })  # fmt: skip
    if rows is None:
        return None
    for one in rows:
        contact, connection = guid_of(one.get("_record2id_value")), guid_of(one.get("connectionid"))
        if contact is not None and connection is not None and one.get(f"_record2id_value{_ALIKE}") == "contact":
            at = moment(one.get("modifiedon")) or now
            roles = (guid_of(one.get("_record2roleid_value")), text_of(one.get(f"_record2roleid_value{_NAMED}")))
            facts.append(
                contact_fact(settings, deal=object_id, connection=connection, contact=contact, roles=roles, at=at)
            )
    own = guid_of(column(data, PRIMARY))
    if own is not None:
        facts.append(contact_fact(settings, deal=object_id, connection=PRIMARY, contact=own, roles=(PRIMARY,), at=now))
    return facts


def standing_of(data: Mapping[str, Any], settings: DynamicsSettings) -> tuple[str | None, str | None]:
    """The pipeline and the stage of a row."""
    return text_of(column(data, settings.pipeline_property)), place(data, settings)
