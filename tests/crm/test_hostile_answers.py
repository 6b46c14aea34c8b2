"""What no CRM should answer: our clients make something of it or say what was wrong, and nothing else comes out."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import date
from http import HTTPStatus
from typing import Any

import pytest

from app.crm import dynamics, hubspot, pipedrive, salesforce, zoho
from app.crm.client import Client, ClientError, Credentials, Note, Standing, Task
from app.crm.connection import ConnectionSettings
from app.crm.drafting import Configuration, drafted
from app.crm.http import Request, Response
from app.crm.record import Record, to_document
from app.crm.state import tell
from app.engine import load_process
from tests.crm.builders import NOON, hubspot_settings
from tests.crm.fakes.dynamics import PROCESS, FakeDynamics
from tests.crm.fakes.dynamics_steps import OURS, dynamics_settings, guid
from tests.crm.fakes.hubspot import FakeHubspot
from tests.crm.fakes.pipedrive import FakePipedrive, pipedrive_settings
from tests.crm.fakes.salesforce import FakeSalesforce, deal_id
from tests.crm.fakes.salesforce_messages import salesforce_settings
from tests.crm.fakes.zoho import DEAL, FakeZoho, iso, zoho_settings
from tests.crm.hostile import NOISE, WRONG, changed
from tests.crm.http import PlainHttp
from tests.crm.orders import at
from tests.crm.world import SALES

Calls = list[Callable[[Client], Awaitable[Any]]]
REFUSALS = (400, 403, 404, 410, 429, 401, 500)
MARKER = "[stagerail:0123456789ab]"
NOTE, TASK = Note(MARKER, f"why {MARKER}"), Task(MARKER, "Hold the demo", f"why {MARKER}", date(2026, 12, 1), None)
OAUTH = {"access_token": "old", "refresh_token": "refresh-1", "client_id": "c", "client_secret": "s"}


class Recorded:
    """Hands requests on and keeps what was answered; later it answers so itself, with what was `planned` for some."""

    def __init__(self, http: PlainHttp, more: Mapping[str, Any] | None = None) -> None:
        self.http = http
        self.more = more or {}
        """What is answered where the fake does not answer, by a part of its address."""
        self.kept: dict[str, Response] = {}
        self.planned: dict[str, Response] | None = None

    async def __call__(self, request: Request) -> Response:
        """An answer."""
        name = f"{request.method} {request.url}"
        if self.planned is not None:
            return self.planned.get(name) or self.kept.get(name) or Response(404, {}, b"")
        more = next((one for path, one in self.more.items() if path in request.url), None)
        played = Response(200, {}, json.dumps(more).encode()) if more is not None else await self.http(request)
        self.kept[name] = played
        return played


def _hostile(answer: Response) -> Iterator[Response]:
    """Everything else that might be answered."""
    for body in (*NOISE, *(json.dumps(one).encode() for one in (*WRONG, *changed(json.loads(answer.body or b"{}"))))):
        yield answer._replace(body=body)
    for place, said in enumerate((*WRONG, *(wrapped for one in WRONG for wrapped in _worded(one)))):
        yield Response(REFUSALS[place % len(REFUSALS)], {"retry-after": "soon"}, json.dumps(said).encode())


def _worded(wrong: Any) -> Iterator[Any]:
    """An error in the form of each CRM, with nothing right in it."""
    named = dict.fromkeys(("error", "message", "status", "category", "code", "policyName", "errorCode"), wrong)
    yield from (named, [named], {"error": named}, {"data": [named]})


async def _expect_no_more_than_refusals(recorded: Recorded, client: Client, calls: Calls) -> None:
    for call in calls:
        recorded.kept, recorded.planned = {}, None
        await call(client)
        for name, answer in recorded.kept.items():
            for hostile in _hostile(answer):
                recorded.planned = {name: hostile}
                try:
                    await call(client)
                except ClientError:
                    continue
                except Exception as error:  # noqa: BLE001 - whatever else comes out, the answer that did it is told
                    pytest.fail(f"{error!r} came of {name} -> {hostile.status} {hostile.body[:300]!r}")


async def _keep(_renewed: Any) -> None:
    pass


def _calls(
    deal: str, target: Standing, settings: ConnectionSettings, draft: Callable[[dict[str, Any]], Configuration]
) -> Calls:
    process = load_process(SALES)

    async def read_deal(client: Client) -> None:
        told = await client.read_deal(deal, NOON)
        to_document(tell(settings, Record(), (), None, told=told).record)

    async def draft_settings(client: Client) -> None:
        drafted(settings.crm, draft(await client.configuration()), process)

    return [
        read_deal,
        draft_settings,
        lambda client: client.list_deals(at(-60), None),
        lambda client: client.list_deals(None, None),
        lambda client: client.standing(deal),
        lambda client: client.has_note(deal, "x"),
        lambda client: client.add_note(deal, NOTE),
        lambda client: client.has_task(deal, "x"),
        lambda client: client.add_task(deal, TASK),
        lambda client: client.set_stage(deal, target),
        lambda client: client.renew_channel(NOON),
    ]


def _played_pipedrive(crm: FakePipedrive) -> None:
    crm.make_deal(42, at=at(0), stage_id=1, person_id=3)
    crm.change(42, at=at(5), stage_id=2, value=9)
    crm.change(42, at=at(5), status="won")
    crm.persons[3], crm.participants[42] = {"id": 3, "role": "Buyer"}, [4]
    crm.add_activity(42, at=at(3), participants=[{"person_id": 3}])
    crm.notes.append({"deal_id": 42, "content": "note"})


def _played_zoho(crm: FakeZoho) -> None:
    crm.make_deal(DEAL, at=at(0), Stage="Demo")
    crm.change(DEAL, at=at(5), Stage="Shown")
    crm.add(DEAL, "Events", Start_DateTime=iso(at(3)), Owner={"id": "77"}, Who_Id={"id": "7"})
    crm.add(DEAL, "Contact_Roles", Contact_Role={"name": "Buyer"})
    crm.add(DEAL, "Notes", Note_Content="note")
    crm.deleted.append({"id": "5", "deleted_time": iso(at(3))})
    crm.blueprint = {"Shown": ["Demo"]}


ZOHO_SETUP = {
    "/settings/layouts": {"layouts": [{"id": "1"}]},
    "/settings/pipeline": {"pipeline": [{"display_value": "Standard", "actual_value": "Standard", "maps": [
        {"display_value": "Won", "actual_value": "Closed Won", "forecast_type": "closed_won"}
    ]}]},
    "/settings/fields": {"fields": [
        {"api_name": "Stage", "field_label": "Stage", "data_type": "picklist",
         "pick_list_values": [{"display_value": "Won", "actual_value": "Closed Won"}]}
    ]},
    "/users": {"users": [{"id": "77", "full_name": "Ann"}]},
}  # fmt: skip


def _played_hubspot(crm: FakeHubspot) -> str:
    deal = crm.add_deal(amount="5000", hubspot_owner_id="o-77")
    crm.change(deal, dealstage="qualifiedtobuy", amount="6000")
    contact = crm.add_contact(deal, labels=["Champion"], role="Buyer;Boss")
    about = {"hs_timestamp": at(3).isoformat(), "hubspot_owner_id": "o-77"}
    crm.add_activity("meetings", deal, contacts=[contact], **about, hs_meeting_outcome="COMPLETED")
    crm.add_activity("calls", deal, **about, hs_call_status="COMPLETED")
    crm.add_activity("tasks", deal, **about, hs_task_status="COMPLETED", hs_task_body="do")
    crm.add_activity("notes", deal, **about, hs_note_body="note")
    crm.delete(crm.add_deal())
    return deal


def _played_salesforce(crm: FakeSalesforce) -> None:
    crm.make_deal(42, at=at(0), Amount=7.0, NextStep="call")
    crm.change(42, at=at(5), StageName="Proposal/Quote", Amount=9.0)
    crm.add_role(42, "003000000000009AAA", "Decision Maker", at=at(1))
    crm.add_task(42, at=at(3), CallDisposition="Held", Description="text")
    crm.add_event(42, at=at(4), WhoId="003000000000009AAA")
    crm.tables["Note"].append({"Id": "002000000000001AAA", "ParentId": deal_id(42), "Body": "note"})
    crm.tables["OpportunityStage"].append(
        {"ApiName": "Won", "MasterLabel": "Won", "IsClosed": True, "IsWon": True, "IsActive": True, "SortOrder": 1}
    )
    crm.tables["RecordType"].append(
        {"Id": "012000000000001AAA", "Name": "Sales", "SobjectType": "Opportunity", "IsActive": True}
    )
    crm.tables["User"].append({"Id": OURS, "Name": "Ann", "IsActive": True, "UserType": "Standard"})
    crm.tables["Organization"].append({"Id": "00D000000000062EAA"})


def _played_dynamics(crm: FakeDynamics) -> None:
    crm.make_deal(42, at=at(0), estimatedvalue=7.5, new_nextstep="call", _parentcontactid_value=guid(9))
    crm.change(42, at=at(5), salesstagecode=2, estimatedvalue=9)
    party = {"_partyid_value": guid(9), "_partyid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact"}
    crm.log("appointment", 42, at=at(3), appointment_activity_parties=[party])
    crm.log("phonecall", 42, at=at(3), directioncode=True)
    crm.log("task", 42, at=at(3), description="do")
    crm.connect(42, guid(10), "Decision maker", at=at(4))
    crm.flow(42, guid(302), at=at(7))
    crm.rows["annotations"].append({"_objectid_value": guid(42), "notetext": "note"})
    label = {"UserLocalizedLabel": {"Label": "Qualify"}}
    crm.more["picklists"] = [
        {"LogicalName": "salesstagecode", "OptionSet": {"Options": [{"Value": 0, "Label": label}]}}
    ]
    crm.more["attributes"] = [{"LogicalName": "estimatedvalue", "AttributeType": "Money", "DisplayName": label}]
    crm.more["systemusers"] = [{"systemuserid": OURS, "fullname": "Ann"}]
    crm.more["processstages"] = [
        {"processstageid": guid(301), "stagename": "Qualify", "stagecategory": 0, "_processid_value": PROCESS},
        {"processstageid": guid(302), "stagename": "Develop", "stagecategory": 1, "_processid_value": PROCESS},
    ]


async def test_whatever_pipedrive_answers() -> None:
    async with FakePipedrive() as crm, PlainHttp(seconds=5) as http:
        _played_pipedrive(crm)
        recorded = Recorded(http)
        roles = {"contact_role_property": "role", "contact_roles": {"Buyer": "champion"}}
        settings = pipedrive_settings(api_url=crm.url, **roles)
        client = pipedrive.PipedriveClient(settings, {"api_token": crm.token}, recorded, _keep)
        calls = _calls("42", Standing("1", "1"), settings, pipedrive.configuration)
        await _expect_no_more_than_refusals(recorded, client, calls)


async def test_whatever_zoho_answers() -> None:
    async with FakeZoho() as crm, PlainHttp(seconds=5) as http:
        _played_zoho(crm)
        recorded = Recorded(http, ZOHO_SETUP)
        settings = zoho_settings(api_url=crm.url)
        client = zoho.ZohoClient(settings, {"access_token": crm.token}, recorded, _keep)
        calls = _calls(DEAL, Standing("Standard", "Demo"), settings, zoho.configuration)
        more: Calls = [lambda client: client.list_deals(at(-60), "deleted:1")]
        await _expect_no_more_than_refusals(recorded, client, [*calls, *more])


async def test_whatever_hubspot_answers() -> None:
    async with FakeHubspot(lambda: NOON) as crm, PlainHttp(seconds=5) as http:
        deal = _played_hubspot(crm)
        recorded = Recorded(http)
        settings = hubspot_settings(
            api_url=crm.url,
            activities={kind: {"activity": "demo", "outcomes": {"COMPLETED": "held"}}
                        for kind in ("meetings", "calls", "tasks")},
            contact_roles={"Champion": "champion", "Buyer": "economic_buyer"}, contact_role_property="role",
        )  # fmt: skip
        client = hubspot.HubspotClient(settings, {"access_token": crm.token}, recorded, _keep)
        calls = _calls(deal, Standing("default", "w"), settings, hubspot.configuration)
        more: Calls = [lambda client: client.list_deals(at(-60), "archived:")]
        await _expect_no_more_than_refusals(recorded, client, [*calls, *more])


async def test_whatever_salesforce_answers() -> None:
    async with FakeSalesforce(lambda: NOON) as crm, PlainHttp(seconds=5) as http:
        _played_salesforce(crm)
        recorded = Recorded(http)
        settings = salesforce_settings(api_url=crm.url)
        client = salesforce.SalesforceClient(settings, {"access_token": crm.token}, recorded, _keep)
        calls = _calls(deal_id(42), Standing("012000000000001AAA", "Closed Won"), settings, salesforce.configuration)
        await _expect_no_more_than_refusals(recorded, client, calls)


@pytest.mark.parametrize("in_flow", [False, True])
async def test_whatever_dynamics_answers(in_flow: bool) -> None:
    async with FakeDynamics(lambda: NOON) as crm, PlainHttp(seconds=5) as http:
        _played_dynamics(crm)
        recorded = Recorded(http)
        stages = {guid(301): "demo_scheduled", guid(302): "demo_completed"}
        flow: dict[str, Any] = {
            "stage_property": "activestageid",
            "process_table": "opportunitysalesprocess",
            "pipelines": {PROCESS: {"process": "sales", "stages": stages}},
        }
        settings = dynamics_settings(api_url=crm.url, **(flow if in_flow else {}))
        client = dynamics.DynamicsClient(settings, {"access_token": crm.token}, recorded, _keep)
        target = Standing(PROCESS, guid(301)) if in_flow else Standing("all", "0")
        calls = _calls(guid(42), target, settings, dynamics.configuration)
        more: Calls = [
            lambda client: client.list_deals(at(-60), "deleted:"),
            lambda client: client.set_stage(guid(42), Standing(None, "won")),
        ]
        await _expect_no_more_than_refusals(recorded, client, [*calls, *more])


CLIENTS: dict[str, Callable[[Any, Credentials], tuple[Client, str]]] = {
    "dynamics": lambda http, known: (
        dynamics.DynamicsClient(dynamics_settings(api_url="https://x.test"), known, http, _keep), guid(42)
    ),
    "hubspot": lambda http, known: (hubspot.HubspotClient(hubspot_settings(), known, http, _keep), "42"),
    "pipedrive": lambda http, known: (pipedrive.PipedriveClient(pipedrive_settings(), known, http, _keep), "42"),
    "salesforce": lambda http, known: (
        salesforce.SalesforceClient(salesforce_settings(api_url="https://x.test"), known, http, _keep), deal_id(42)
    ),
    "zoho": lambda http, known: (zoho.ZohoClient(zoho_settings(), known, http, _keep), DEAL),
}  # fmt: skip


@pytest.mark.parametrize("crm", sorted(CLIENTS))
async def test_whatever_is_answered_where_a_token_is_renewed(crm: str) -> None:
    good = Response(200, {}, json.dumps({"access_token": "new", "refresh_token": "next", "expires_in": 3600}).encode())
    for hostile in _hostile(good):

        async def answer(request: Request, token: Response = hostile) -> Response:
            return token if "token" in request.url else Response(HTTPStatus.UNAUTHORIZED, {}, b"{}")

        client, deal = CLIENTS[crm](answer, OAUTH)
        with pytest.raises(ClientError):
            await client.standing(deal)
