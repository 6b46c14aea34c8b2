"""Dynamics as crm-facts has it: steps that tell, or wait for a status code; a Web API with audit, flows and actions."""

import copy
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from app import clock
from tests.crm.fakes.base import Answer, Call, FakeCrm, Sent, route
from tests.crm.fakes.dynamics_steps import KEY, ORGANIZATION, OURS, REP, context, entity, guid, iso, trimmed

API = "/api/data/v9.2"
LIMIT = 256 * 1024
AGAIN = (502, 503, 504)
PROCESS = guid(5000)
_ONE = re.compile(r"_(\w+)_value eq ([0-9a-f-]{36})")
_SINCE = re.compile(r"modifiedon ge (\S+)")
_SETS = dict.fromkeys(("tasks", "phonecalls", "appointments", "emails"), "_regardingobjectid_value") | {
    "annotations": "_objectid_value",
    "connections": "_record1id_value",
}


class FakeDynamics(FakeCrm):
    """One organisation. `sent_to` is where its steps send; `page` is how many rows come."""

    def __init__(self, now: Callable[[], datetime] = clock.now) -> None:
        super().__init__(now)
        self.deals: dict[str, dict[str, Any]] = {}
        self.flows: dict[str, dict[str, Any]] = {}
        self.audit: dict[str, list[dict[str, Any]]] = {}
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _SETS}
        self.more: dict[str, Any] = {"picklists": [], "attributes": [], "processstages": [], "systemusers": []}
        self.audited = True
        self.deleted: list[dict[str, Any]] = []
        self.inert = False
        self.page = 200
        self.no_tasks_for: set[str] = set()
        self.sent_to = ""
        self.headers = {"content-type": "application/json", "x-stagerail-key": KEY}
        self._pages: dict[str, list[dict[str, Any]]] = {}
        self._number = 9000

    # --- what people do in it

    def make_deal(self, number: int, *, at: datetime, by: str = REP, **fields: Any) -> dict[str, Any]:
        """Make an opportunity. The context of the step that tells of it."""
        deal = guid(number)
        self.deals[deal] = {
            "opportunityid": deal, "name": f"deal {number}", "statecode": 0, "statuscode": 1, "salesstagecode": 0,
            "estimatedvalue": None, "_ownerid_value": REP, "_parentcontactid_value": None, "_processid_value": None,
            "createdon": iso(at), "modifiedon": iso(at), **fields,
        }  # fmt: skip
        self.audit[deal] = []
        known = {name: value for name, value in self.deals[deal].items() if value is not None}
        self._audited(deal, {}, known, at, by, operation=1)
        return context("Create", entity("opportunity", deal, known), at=at, by=by)

    def change(
        self, number: int, *, at: datetime, by: str = REP, depth: int = 1, pre: bool = True, **fields: Any
    ) -> dict[str, Any]:
        """Change an opportunity. The context of the step, with an image of before if one is registered."""
        return self._change(guid(number), fields, at, by, depth=depth, pre=pre)

    def close(self, number: int, *, at: datetime, won: bool = True, by: str = REP) -> dict[str, Any]:
        """Win or lose an opportunity. The context of that message's step."""
        deal = guid(number)
        self._change(deal, _closed(won), at, by)
        close = entity("opportunityclose", guid(7777), {"_opportunityid_value": deal, "subject": "Closed"})
        inputs = [{"key": "OpportunityClose", "value": close}, {"key": "Status", "value": {"Value": 3 if won else 4}}]
        found = context("Win" if won else "Lose", None, at=at, by=by, inputs=inputs)
        return {**found, "PrimaryEntityId": deal}

    def delete(self, number: int, *, at: datetime) -> None:
        """Delete an opportunity; no step tells of it."""
        del self.deals[guid(number)]
        self.deleted.append({"_objectid_value": guid(number), "createdon": iso(at)})

    def log(self, table: str, number: int, *, at: datetime, **fields: Any) -> dict[str, Any]:
        """Log an activity. The context of the step that tells of it."""
        self._number += 1
        row = {
            "activityid": guid(self._number), "subject": "Demo", "description": None, "statecode": 1, "statuscode": 3,
            "actualend": iso(at), "scheduledstart": None, "scheduledend": None, "modifiedon": iso(at),
            "_regardingobjectid_value": guid(number), "_ownerid_value": REP, **fields,
        }  # fmt: skip
        self.rows[f"{table}s"].append(row)
        known = {name: value for name, value in row.items() if value is not None}
        return context("Create", entity(table, row["activityid"], known), at=at, table=table)

    def connect(self, number: int, contact: str, role: str, *, at: datetime) -> None:
        """Name a contact on an opportunity."""
        self._number += 1
        self.rows["connections"].append({
            "connectionid": guid(self._number), "_record1id_value": guid(number), "_record2id_value": contact,
            "_record2id_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact", "_record2roleid_value": guid(8000),
            "_record2roleid_value@OData.Community.Display.V1.FormattedValue": role, "statecode": 0,
            "modifiedon": iso(at),
        })  # fmt: skip

    def flow(self, number: int, stage: str, *, at: datetime) -> dict[str, Any]:
        """Put an opportunity into a stage of its business process flow. The context of the step on the flow."""
        deal = guid(number)
        row = self.flows.setdefault(deal, {
            "businessprocessflowinstanceid": guid(6000 + number), "_opportunityid_value": deal, "traversedpath": stage,
            "_processid_value": PROCESS, "statecode": 0,
        })  # fmt: skip
        before = row.get("_activestageid_value")
        row |= {"_activestageid_value": stage, "activestagestartedon": iso(at), "modifiedon": iso(at)}
        target = entity(
            "opportunitysalesprocess", row["businessprocessflowinstanceid"], {"_activestageid_value": stage}
        )
        image = {"_opportunityid_value": deal, "_processid_value": PROCESS}
        pre = image | ({} if before is None else {"_activestageid_value": before})
        return context("Update", target, at=at, table="opportunitysalesprocess", pre=pre)

    def _change(
        self, deal: str, fields: dict[str, Any], at: datetime, by: str, *, depth: int = 1, pre: bool = True
    ) -> dict[str, Any]:
        one = self.deals[deal]
        before = {name: one.get(name) for name in fields}
        one.update(fields, modifiedon=iso(at))
        self._audited(deal, before, fields, at, by)
        image = {**before, "statecode": one["statecode"]} | before
        known = {name: value for name, value in image.items() if value is not None}
        target = entity("opportunity", deal, {**fields, "modifiedon": iso(at)})
        return context("Update", target, at=at, by=by, depth=depth, pre=known if pre else None)

    def _audited(
        self, deal: str, old: dict[str, Any], new: dict[str, Any], at: datetime, by: str, *, operation: int = 2
    ) -> None:
        kept = ("opportunityid", "name", "createdon", "modifiedon")
        values = [{name: value for name, value in one.items() if name not in kept} for one in (old, new)]
        record = {"createdon": iso(at), "_userid_value": by, "operation": operation, "action": operation}
        detail = {"@odata.type": "#Microsoft.Dynamics.CRM.AttributeAuditDetail", "AuditRecord": record}
        self.audit[deal].insert(0, {**detail, "OldValue": values[0], "NewValue": values[1]})

    # --- steps

    async def tell(self, found: dict[str, Any]) -> Sent:
        """Send what a step tells; once more where a gateway failed. What is too large is trimmed, as a header says."""
        body, headers = json.dumps(found).encode(), dict(self.headers)
        if len(body) > LIMIT:
            body = json.dumps(trimmed(found)).encode()
            headers["x-ms-dynamics-msg-size-exceeded"] = "true"
        sent = await self.send(self.sent_to, body, headers)
        return await self.send(self.sent_to, body, headers) if sent.status in AGAIN else sent

    async def asked(self, number: int, *, at: datetime, **fields: Any) -> bool:
        """Change an opportunity if the synchronous step lets it pass: nothing but the status counts."""
        before, audit = copy.deepcopy(self.deals[guid(number)]), list(self.audit[guid(number)])
        sent = await self.tell(self.change(number, at=at, **fields))
        allowed = 200 <= sent.status < 300
        if not allowed:
            self.deals[guid(number)], self.audit[guid(number)] = before, audit
        return allowed

    # --- its API

    def error(self, status: int, headers: Any) -> Answer:
        """As Dataverse words it."""
        return problem(status, headers)

    @route("POST", "/tenant/oauth2/v2.0/token", free=True)
    def _token(self, call: Call) -> Answer:
        form = call.form
        good = form.get("client_secret") == "client-secret" and form.get("scope") == f"{self.url}/.default"
        if not good:
            return Answer(401, {"error": "invalid_client", "error_description": "AADSTS7000215"})
        return Answer(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": self.token})

    @route("GET", API + "/opportunities")
    def _list(self, call: Call) -> Answer:
        since = _SINCE.search(call.query.get("$filter", ""))
        return self._page([
            {"opportunityid": deal} for deal, one in sorted(self.deals.items())
            if since is None or one["modifiedon"] >= since[1]
        ], call)  # fmt: skip

    @route("GET", API + "/opportunities({deal})")
    def _get(self, _call: Call, deal: str) -> Answer:
        found = self.deals.get(deal)
        return problem(404) if found is None else Answer(200, {"@odata.etag": 'W/"1"', **found})

    @route("PATCH", API + "/opportunities({deal})")
    def _patch(self, call: Call, deal: str) -> Answer:
        given = call.json
        closed = self.deals[deal]["statecode"] != 0
        if closed and given.get("statecode") != 0:
            return problem(400)
        if not self.inert:
            self._change(deal, given, self.now(), OURS)
        return Answer(204)

    @route("POST", API + "/WinOpportunity")
    @route("POST", API + "/LoseOpportunity")
    def _close(self, call: Call) -> Answer:
        deal = call.json["OpportunityClose"]["opportunityid@odata.bind"].removeprefix("/opportunities(").rstrip(")")
        self._change(deal, _closed(call.path.endswith("WinOpportunity")), self.now(), OURS)
        return Answer(204)

    @route("GET", API + "/RetrieveRecordChangeHistory(Target=@t,PagingInfo=@p)")
    def _history(self, call: Call) -> Answer:
        if not self.audited:
            return problem(403)
        deal = json.loads(call.query["@t"])["@odata.id"].removeprefix("opportunities(").rstrip(")")
        number = json.loads(call.query["@p"])["PageNumber"]
        first = (number - 1) * self.page
        found, rest = self.audit[deal][first : first + self.page], self.audit[deal][first + self.page :]
        listed = {"AuditDetails": found, "MoreRecords": bool(rest), "PagingCookie": f"<cookie page='{number}'/>"}
        return Answer(200, {"AuditDetailCollection": listed})

    @route("GET", API + "/audits")
    def _audits(self, call: Call) -> Answer:
        asked = "objecttypecode eq 'opportunity' and operation eq 3 and createdon ge "
        assert call.query["$filter"].startswith(asked)
        if not self.audited:
            return problem(403)
        since = call.query["$filter"].removeprefix(asked)
        return self._page([one for one in self.deleted if one["createdon"] >= since], call)

    @route("GET", API + "/{table}")
    def _rows(self, call: Call, table: str) -> Answer:
        if table in self.more:
            return self._page(self.more[table], call)
        if table == "opportunitysalesprocesses":
            if "_bpf_opportunityid_value" in call.query["$filter"]:
                return problem(400)
            wanted = _ONE.search(call.query["$filter"])
            return self._page([self.flows[wanted[2]]] if wanted and wanted[2] in self.flows else [], call)
        if "$skiptoken" in call.query:
            return self._page([], call)
        wanted = _ONE.search(call.query.get("$filter", ""))
        if table not in self.rows or wanted is None:
            return problem(404)
        return self._page([one for one in self.rows[table] if one.get(_SETS[table]) == wanted[2]], call)

    @route("PATCH", API + "/opportunitysalesprocesses({row})")
    def _move(self, call: Call, row: str) -> Answer:
        found = next(one for one in self.flows.values() if one["businessprocessflowinstanceid"] == row)
        stage = call.json["activestageid@odata.bind"].removeprefix("/processstages(").rstrip(")")
        found |= {"_activestageid_value": stage, "traversedpath": call.json["traversedpath"]}
        return Answer(204)

    @route("POST", API + "/{table}")
    def _insert(self, call: Call, table: str) -> Answer:
        given = dict(call.json)
        owner = str(given.pop("ownerid@odata.bind", "")).removeprefix("/systemusers(").rstrip(")")
        if owner in self.no_tasks_for:
            return problem(400)
        self._number += 1
        bound = next(str(value) for name, value in given.items() if name.endswith("@odata.bind"))
        about = {_SETS[table]: bound.removeprefix("/opportunities(").rstrip(")"), "activityid": guid(self._number)}
        open_one = {"statecode": 0, "statuscode": 2, "modifiedon": iso(self.now()), "_ownerid_value": owner or None}
        self.rows[table].append({**open_one, **about, **given})
        return Answer(204)

    @route("GET", API + "/EntityDefinitions(LogicalName='{table}')")
    def _definition(self, _call: Call, table: str) -> Answer:
        return Answer(200, {"EntitySetName": f"{table}es"})

    @route("GET", API + "/EntityDefinitions(LogicalName='opportunity')/Attributes")
    @route("GET", API + "/EntityDefinitions(LogicalName='opportunity')/Attributes/{kind}")
    def _attributes(self, call: Call, kind: str = "") -> Answer:
        return self._page(self.more["picklists" if kind else "attributes"], call)

    @route("GET", API + "/WhoAmI")
    def _me(self, _call: Call) -> Answer:
        return Answer(200, {"UserId": OURS, "OrganizationId": ORGANIZATION})

    def _page(self, rows: list[dict[str, Any]], call: Call) -> Answer:
        token = call.query.get("$skiptoken")
        left = self._pages.pop(token) if token else rows
        now, later = left[: self.page], left[self.page :]
        if not later:
            return Answer(200, {"value": now})
        self._number += 1
        self._pages[str(self._number)] = later
        return Answer(200, {"value": now, "@odata.nextLink": f"{self.url}{call.path}?$skiptoken={self._number}"})


def problem(status: int, headers: Any = None) -> Answer:
    """An error."""
    found = {"code": "0x80040217", "message": f"dataverse says {status}"}
    return Answer(status, {"error": found}, headers or {})


def _closed(won: bool) -> dict[str, Any]:
    return {"statecode": 1 if won else 2, "statuscode": 3 if won else 4}
