"""What no CRM should answer: our clients make something of it or say what was wrong, and nothing else comes out."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.crm.client import Client, ClientError, Standing
from app.crm.http import Request, Response
from app.crm.pipedrive import PipedriveClient
from app.crm.zoho import ZohoClient
from tests.crm.builders import NOON
from tests.crm.fakes.pipedrive import FakePipedrive, pipedrive_settings
from tests.crm.fakes.zoho import DEAL, FakeZoho, iso, zoho_settings
from tests.crm.hostile import changed
from tests.crm.http import PlainHttp
from tests.crm.orders import at

Calls = list[Callable[[Client], Awaitable[Any]]]


class Recorded:
    """Hands requests on and keeps what was answered; later it answers so itself, with what was `planned` for some."""

    def __init__(self, http: PlainHttp) -> None:
        self.http = http
        self.kept: dict[str, Response] = {}
        self.planned: dict[str, Response] | None = None

    async def __call__(self, request: Request) -> Response:
        """An answer."""
        name = f"{request.method} {request.url}"
        if self.planned is not None:
            return self.planned.get(name) or self.kept.get(name) or Response(404, {}, b"")
        self.kept[name] = await self.http(request)
        return self.kept[name]


async def _expect_no_more_than_refusals(recorded: Recorded, client: Client, calls: Calls) -> None:
    for call in calls:
        recorded.kept, recorded.planned = {}, None
        await call(client)
        for name, answer in recorded.kept.items():
            for content in changed(json.loads(answer.body or b"{}")):
                recorded.planned = {name: answer._replace(body=json.dumps(content).encode())}
                try:
                    await call(client)
                except ClientError:
                    continue
                except Exception as error:  # noqa: BLE001 - whatever else comes out, the answer that did it is told
                    pytest.fail(f"{error!r} came of {name} -> {json.dumps(content)[:300]}")


async def _keep(_renewed: Any) -> None:
    pass


def _calls(deal: str) -> Calls:
    return [
        lambda client: client.read_deal(deal, NOON),
        lambda client: client.list_deals(at(-60), None),
        lambda client: client.standing(deal),
        lambda client: client.has_note(deal, "x"),
        lambda client: client.has_task(deal, "x"),
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


async def test_whatever_pipedrive_answers() -> None:
    async with FakePipedrive() as crm, PlainHttp(seconds=5) as http:
        _played_pipedrive(crm)
        recorded = Recorded(http)
        roles = {"contact_role_property": "role", "contact_roles": {"Buyer": "champion"}}
        client = PipedriveClient(
            pipedrive_settings(api_url=crm.url, **roles), {"api_token": crm.token}, recorded, _keep
        )
        await _expect_no_more_than_refusals(recorded, client, _calls("42"))


async def test_whatever_zoho_answers() -> None:
    async with FakeZoho() as crm, PlainHttp(seconds=5) as http:
        _played_zoho(crm)
        recorded = Recorded(http)
        client = ZohoClient(zoho_settings(api_url=crm.url), {"access_token": crm.token}, recorded, _keep)
        more: Calls = [
            lambda client: client.list_deals(at(-60), "deleted:1"),
            lambda client: client.renew_channel(NOON),
            lambda client: client.set_stage(DEAL, Standing("Standard", "Demo")),
        ]
        await _expect_no_more_than_refusals(recorded, client, [*_calls(DEAL), *more])
