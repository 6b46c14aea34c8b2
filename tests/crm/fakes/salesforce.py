"""Salesforce as crm-facts has it: outbound messages resent until they are acknowledged, relayed changes, SOQL, REST."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from app import clock
from app.crm.salesforce.ids import long_id
from tests.crm.fakes.base import Answer, Call, FakeCrm, Sent, route
from tests.crm.fakes.salesforce_messages import NO_SESSION, envelope, iso, notification_xml
from tests.crm.fakes.soql import Tables, select

OURS, REP = "005000000000900AAA", "005000000000077AAA"
VERSION = "/services/data/v62.0"
ACKNOWLEDGED = b"<out:Ack>true</out:Ack>"


def deal_id(number: int) -> str:
    """The id of an opportunity."""
    return long_id(f"006{number:012d}")


class FakeSalesforce(FakeCrm):
    """One organisation. `queue` holds the notifications that nobody has acknowledged; `page` is how many rows come."""

    def __init__(self, now: Callable[[], datetime] = clock.now) -> None:
        super().__init__(now)
        self.tables: dict[str, list[dict[str, Any]]] = {
            name: []
            for name in (
                "Opportunity", "OpportunityHistory", "OpportunityFieldHistory", "OpportunityContactRole",
                "Task", "Event", "Note", "OpportunityStage", "RecordType", "User", "Organization",
            )
        }  # fmt: skip
        self.queue: dict[str, tuple[str, str]] = {}
        self.page = 2000
        self.session = NO_SESSION
        self.inert = False
        """Answers a change of an opportunity with success, and lets it be as it was."""
        self.missing_tables: set[str] = set()
        self.missing_fields: set[tuple[str, str]] = {("Event", "CallDisposition")}
        self.no_tasks_for: set[str] = set()
        self._pages: dict[str, list[dict[str, Any]]] = {}
        self._number = 1000

    # --- what people do in it

    def make_deal(self, number: int, *, at: datetime, by: str = REP, **fields: Any) -> dict[str, Any]:
        """Make an opportunity. The change event that tells of it."""
        one = {
            "Id": deal_id(number), "Name": f"deal {number}", "StageName": "Prospecting", "Amount": None, "OwnerId": REP,
            "RecordTypeId": "012000000000001AAA", "NextStep": None, "CreatedDate": iso(at), "CreatedById": by,
            "LastModifiedDate": iso(at), "LastModifiedById": by, "SystemModstamp": iso(at), "LastStageChangeDate": None,
            **fields,
        }  # fmt: skip
        self.tables["Opportunity"].append(one)
        self._keep_stage(one, at, by)
        self._notify("Opportunity", one["Id"])
        return self._change("CREATE", [one["Id"]], at, by, {name: value for name, value in one.items() if value})

    def change(
        self, number: int, *, at: datetime, by: str = REP, origin: str = "com/salesforce/api/rest/62.0", **fields: Any
    ) -> dict[str, Any]:
        """Change an opportunity. The change event that tells of it."""
        one = self.deal(number)
        before = dict(one)
        one.update(fields, LastModifiedDate=iso(at), LastModifiedById=by, SystemModstamp=iso(at))
        changed = [name for name in fields if before.get(name) != fields[name]]
        for name in changed:
            self._history(one, name, (before.get(name), fields[name]), at, by)
        if "StageName" in changed:
            one["LastStageChangeDate"] = iso(at)
            self._keep_stage(one, at, by)
        self._notify("Opportunity", one["Id"])
        data = {name: fields[name] for name in changed if fields[name] is not None}
        nulled = [name for name in changed if fields[name] is None]
        event = self._change("UPDATE", [one["Id"]], at, by, {**data, "LastModifiedDate": iso(at)})
        header = event["payload"]["ChangeEventHeader"]
        header |= {"changedFields": [*changed, "LastModifiedDate"], "nulledFields": nulled, "changeOrigin": origin}
        return event

    def delete(self, number: int, *, at: datetime) -> None:
        """Put an opportunity into the recycle bin; no outbound message tells of it."""
        self.deal(number).update(IsDeleted=True, SystemModstamp=iso(at))

    def add_task(self, number: int, *, at: datetime, **fields: Any) -> dict[str, Any]:
        """Log a task. The change event that tells of it."""
        one = self._made(
            "00T", at, fields, WhatId=deal_id(number), WhoId=None, OwnerId=REP, Subject="Call", Description=None,
            Status="Completed", IsClosed=True, ActivityDate=at.date().isoformat(), CompletedDateTime=iso(at),
            Type=None, TaskSubtype="Call", CallType=None, CallDisposition=None,
        )  # fmt: skip
        return self._added("Task", one, at)

    def add_event(self, number: int, *, at: datetime, **fields: Any) -> dict[str, Any]:
        """Put an event into the calendar. The change event that tells of it."""
        one = self._made(
            "00U", at, fields, WhatId=deal_id(number), WhoId=None, OwnerId=REP, Subject="Demo", Type="Demo",
            EventSubtype="Event",
            StartDateTime=iso(at), ActivityDateTime=iso(at), EndDateTime=iso(at), ActivityDate=None,
        )  # fmt: skip
        return self._added("Event", one, at)

    def add_role(self, number: int, contact: str, role: str, *, at: datetime) -> dict[str, Any]:
        """Name a contact on an opportunity. The change event that tells of it."""
        one = self._made("00K", at, {}, OpportunityId=deal_id(number), ContactId=contact, Role=role)
        return self._added("OpportunityContactRole", one, at)

    def deal(self, number: int) -> dict[str, Any]:
        """An opportunity as it stands."""
        return next(one for one in self.tables["Opportunity"] if one["Id"] == deal_id(number))

    # --- outbound messages

    def message(self, *waiting: str) -> bytes:
        """The message with these notifications, or all that wait, with the values of this moment."""
        parts = [self._notification(one) for one in (waiting or list(self.queue)[:100])]
        return envelope("\n".join(parts), session=self.session)

    async def deliver(self, url: str) -> Sent:
        """Send what waits; what is acknowledged is taken off the queue, anything else stays on it."""
        waiting = list(self.queue)[:100]
        sent = await self.send(url, self.message(*waiting), {"content-type": "text/xml; charset=utf-8"})
        if sent.status == 200 and ACKNOWLEDGED in sent.answer:
            for one in waiting:
                del self.queue[one]
        return sent

    def _notify(self, table: str, object_id: str) -> None:
        self._number += 1
        self.queue[long_id(f"04l{self._number:012d}")] = (table, object_id)

    def _notification(self, notification: str) -> str:
        table, object_id = self.queue[notification]
        one = next(row for row in self.tables[table] if row["Id"] == object_id)
        return notification_xml(notification, table, one)

    # --- change events

    def _change(self, kind: str, ids: list[str], at: datetime, by: str, data: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        header = {
            "entityName": "Opportunity", "recordIds": ids, "changeType": kind, "transactionKey": f"t-{self._number}",
            "changeOrigin": "com/salesforce/api/rest/62.0", "sequenceNumber": 1, "commitNumber": self._number,
            "commitTimestamp": round(at.timestamp() * 1000), "commitUser": by, "changedFields": [], "nulledFields": [],
            "diffFields": [],
        }  # fmt: skip
        values = {name: value for name, value in data.items() if name not in ("Id", "SystemModstamp")}
        return {"schema": "s", "payload": {"ChangeEventHeader": header, **values}, "event": {"replayId": self._number}}

    def _added(self, table: str, one: dict[str, Any], at: datetime) -> dict[str, Any]:
        self.tables[table].append(one)
        self._notify(table, one["Id"])
        event = self._change("CREATE", [one["Id"]], at, REP, {name: value for name, value in one.items() if value})
        event["payload"]["ChangeEventHeader"]["entityName"] = table
        return event

    def _made(self, prefix: str, at: datetime, more: dict[str, Any], **fields: Any) -> dict[str, Any]:
        self._number += 1
        about = {"CreatedDate": iso(at), "LastModifiedDate": iso(at), "SystemModstamp": iso(at)}
        return {"Id": long_id(f"{prefix}{self._number:012d}"), **about, **fields, **more}

    def _keep_stage(self, one: dict[str, Any], at: datetime, by: str) -> None:
        row = self._made("008", at, {}, OpportunityId=one["Id"], StageName=one["StageName"], CreatedById=by)
        self.tables["OpportunityHistory"].append(row)

    def _history(self, one: dict[str, Any], name: str, values: tuple[Any, Any], at: datetime, by: str) -> None:
        own = {"OwnerId": "Owner", "RecordTypeId": "RecordType"}.get(name, name)
        old, new = values
        row = self._made("017", at, {}, OpportunityId=one["Id"], Field=own, OldValue=old, NewValue=new, CreatedById=by)
        self.tables["OpportunityFieldHistory"].append(row)

    # --- its API

    def error(self, status: int, headers: Any) -> Answer:
        """As Salesforce words it."""
        code = {401: "INVALID_SESSION_ID", 403: "REQUEST_LIMIT_EXCEEDED", 404: "NOT_FOUND", 503: "SERVER_UNAVAILABLE"}
        return problem(status, code.get(status, "UNKNOWN_EXCEPTION"), headers)

    @route("POST", "/services/oauth2/token", free=True)
    def _token(self, call: Call) -> Answer:
        form = call.form
        good = form.get("refresh_token") == "refresh-1" or form.get("client_secret") == "client-secret"
        if not good:
            return Answer(400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})
        return Answer(200, {"access_token": self.token, "instance_url": self.url, "token_type": "Bearer"})

    @route("GET", VERSION + "/query")
    def _query(self, call: Call) -> Answer:
        hidden = ("IsDeleted", "IsArchived")
        there = {
            name: [one for one in rows if not any(one.get(each) for each in hidden)]
            for name, rows in self.tables.items()
        }
        return self._found(there, call)

    @route("GET", VERSION + "/queryAll")
    def _query_all(self, call: Call) -> Answer:
        return self._found(self.tables, call)

    def _found(self, tables: Tables, call: Call) -> Answer:
        answer = select(tables, call.query["q"], self.missing_tables, self.missing_fields)
        if isinstance(answer, str):
            return problem(400, answer)
        if isinstance(answer, int):
            return Answer(200, {"totalSize": answer, "done": True, "records": []})
        return self._rows(answer)

    @route("GET", VERSION + "/query/{locator}")
    def _more(self, _call: Call, locator: str) -> Answer:
        return self._rows(self._pages.pop(locator))

    def _rows(self, rows: list[dict[str, Any]]) -> Answer:
        now, later = rows[: self.page], rows[self.page :]
        if not later:
            return Answer(200, {"totalSize": len(rows), "done": True, "records": now})
        self._number += 1
        locator = f"01g{self._number}-{self.page}"
        self._pages[locator] = later
        following = {"done": False, "nextRecordsUrl": f"{VERSION}/query/{locator}"}
        return Answer(200, {"totalSize": len(rows), **following, "records": now})

    @route("PATCH", VERSION + "/sobjects/Opportunity/{deal}")
    def _patch(self, call: Call, deal: str) -> Answer:
        if not any(one["Id"] == deal for one in self.tables["Opportunity"]):
            return problem(404, "NOT_FOUND")
        if not self.inert:
            self.change(int(deal[3:15]), at=self.now(), by=OURS, origin="com/salesforce/api/rest/62.0", **call.json)
        return Answer(204)

    @route("POST", VERSION + "/sobjects/{table}")
    def _insert(self, call: Call, table: str) -> Answer:
        given = call.json
        if given.get("OwnerId") in self.no_tasks_for:
            return problem(400, "INACTIVE_OWNER_OR_USER")
        prefix = {"Note": "002", "Task": "00T"}[table]
        closed = {"IsClosed": False, "Status": "Not Started"} if table == "Task" else {}
        one = self._made(prefix, self.now(), {**closed, **given})
        self.tables[table].append(one)
        return Answer(201, {"id": one["Id"], "success": True, "errors": []})

    @route("GET", VERSION + "/sobjects/Opportunity/describe")
    def _describe(self, _call: Call) -> Answer:
        picks = [{"value": "Approved", "label": "Approved", "active": True}]
        fields = [
            {"name": "NextStep", "label": "Next step", "type": "string", "picklistValues": []},
            {"name": "Amount", "label": "Amount", "type": "currency", "picklistValues": []},
            {"name": "Budget__c", "label": "Budget", "type": "picklist", "picklistValues": picks},
        ]
        return Answer(200, {"fields": fields})

    @route("GET", VERSION + "/ui-api/object-info/Opportunity/picklist-values/{record_type}/{field}")
    def _picked(self, _call: Call, record_type: str, field: str) -> Answer:
        del record_type, field
        return Answer(200, {"values": [{"value": "Prospecting"}, {"value": "Closed Won"}, {"value": "Closed Lost"}]})


def problem(status: int, code: str, headers: Any = None) -> Answer:
    """An error."""
    return Answer(status, [{"message": f"salesforce says {code}", "errorCode": code}], headers or {})
