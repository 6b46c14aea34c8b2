"""The CRMs of the circle tests, one small class each: what people do in it, and what can be seen there afterwards."""

from collections.abc import Callable
from typing import Any, ClassVar

from app import clock
from tests.crm.builders import SECRET, settings_json
from tests.crm.circle import HOOK, Played
from tests.crm.circle_keyed import PlayedDynamics, PlayedSalesforce
from tests.crm.fakes.hubspot import FakeHubspot
from tests.crm.fakes.pipedrive import PASSWORD, USER, FakePipedrive, pipedrive_settings
from tests.crm.fakes.zoho import DEAL, TOKEN, FakeZoho, zoho_settings

NEXT_STEP = "Send the offer on Monday"


class PlayedHubspot:
    """HubSpot."""

    coarse = False
    STAGES: ClassVar = {
        "demo_scheduled": "appointmentscheduled",
        "demo_completed": "qualifiedtobuy",
        "won": "w",
        "lost": "l",
    }

    def __init__(self) -> None:
        self.fake = FakeHubspot()

    def connection(self) -> dict[str, Any]:
        activities = {"meetings": {"activity": "demo", "outcomes": {"COMPLETED": "held", "NO_SHOW": "no_show"}}}
        return settings_json(secret=SECRET, access={"access_token": self.fake.token}, activities=activities)

    async def make(self) -> str:
        deal = self.fake.add_deal(hubspot_owner_id="o-77")
        await self.fake.deliver(HOOK)
        return deal

    async def move(self, deal: str, stage: str) -> None:
        self.fake.change(deal, dealstage=self.STAGES[stage])
        await self.fake.deliver(HOOK)

    async def fill_next_step(self, deal: str) -> None:
        self.fake.change(deal, next_step_text=NEXT_STEP)
        await self.fake.deliver(HOOK)

    async def remove(self, deal: str) -> None:
        self.fake.delete(deal)
        await self.fake.deliver(HOOK)

    def stage(self, deal: str) -> str:
        found = self.fake.things["deals"][deal].get("dealstage")
        return next(ours for ours, theirs in self.STAGES.items() if theirs == found)

    def notes(self, deal: str) -> list[str]:
        return [str(self.fake.things["notes"][one].get("hs_note_body")) for one in self._of(deal, "notes")]

    def tasks(self, deal: str) -> list[tuple[str, str]]:
        things = [self.fake.things["tasks"][one] for one in self._of(deal, "tasks")]
        return [(str(one.get("hs_task_subject")), str(one.get("hs_task_body"))) for one in things]

    def _of(self, deal: str, kind: str) -> list[str]:
        return [str(one["toObjectId"]) for one in self.fake.associations.of("deals", deal, kind)]


class PlayedPipedrive:
    """Pipedrive."""

    coarse = True
    STAGES: ClassVar = {"demo_scheduled": 1, "demo_completed": 2}

    def __init__(self) -> None:
        self.fake = FakePipedrive()
        self.fake.webhook = HOOK

    def connection(self) -> dict[str, Any]:
        settings = pipedrive_settings().model_dump(mode="json", exclude_none=True)
        return settings | {"secret": f"{USER}:{PASSWORD}", "access": {"api_token": self.fake.token}}

    async def make(self) -> str:
        await self._tell(self.fake.make_deal(42, at=clock.now(), stage_id=1, custom_fields={"ab12": None}))
        return "42"

    async def move(self, deal: str, stage: str) -> None:
        at = clock.now()
        if stage in ("won", "lost"):
            return await self._tell(self.fake.change(int(deal), at=at, status=stage))
        return await self._tell(self.fake.change(int(deal), at=at, stage_id=self.STAGES[stage]))

    async def fill_next_step(self, deal: str) -> None:
        await self._tell(self.fake.change(int(deal), at=clock.now(), custom_fields={"ab12": NEXT_STEP}))

    async def remove(self, deal: str) -> None:
        del self.fake.deals[int(deal)]

    def stage(self, deal: str) -> str:
        one = self.fake.deals[int(deal)]
        if one["status"] != "open":
            return str(one["status"])
        return next(ours for ours, theirs in self.STAGES.items() if theirs == one["stage_id"])

    def notes(self, deal: str) -> list[str]:
        return [one["content"] for one in self.fake.notes if one["deal_id"] == int(deal)]

    def tasks(self, deal: str) -> list[tuple[str, str]]:
        own = [one for one in self.fake.activities.values() if one["deal_id"] == int(deal) and "note" in one]
        return [(one["subject"], one["note"]) for one in own]

    async def _tell(self, webhooks: list[dict[str, Any]]) -> None:
        for one in webhooks:
            await self.fake.tell(one)


class PlayedZoho:
    """Zoho CRM."""

    coarse = True
    STAGES: ClassVar = {"demo_scheduled": "Demo", "demo_completed": "Shown", "won": "Closed Won", "lost": "Closed Lost"}

    def __init__(self) -> None:
        self.fake = FakeZoho()
        self.fake.webhook = HOOK

    def connection(self) -> dict[str, Any]:
        settings = zoho_settings(contact_roles={}).model_dump(mode="json", exclude_none=True)
        return settings | {"secret": TOKEN, "access": {"access_token": self.fake.token}}

    async def make(self) -> str:
        await self.fake.tell(self.fake.make_deal(DEAL, at=clock.now(), Stage="Demo"))
        return DEAL

    async def move(self, deal: str, stage: str) -> None:
        await self.fake.tell(self.fake.change(deal, at=clock.now(), Stage=self.STAGES[stage]))

    async def fill_next_step(self, deal: str) -> None:
        await self.fake.tell(self.fake.change(deal, at=clock.now(), Next_Step=NEXT_STEP))

    async def remove(self, deal: str) -> None:
        del self.fake.deals[deal]

    def stage(self, deal: str) -> str:
        return next(ours for ours, theirs in self.STAGES.items() if theirs == self.fake.deals[deal]["Stage"])

    def notes(self, deal: str) -> list[str]:
        return [one["Note_Content"] for one in self.fake.related.get((deal, "Notes"), [])]

    def tasks(self, deal: str) -> list[tuple[str, str]]:
        return [(one["Subject"], one["Description"]) for one in self.fake.related.get((deal, "Tasks"), [])]


CRMS: dict[str, Callable[[], Played]] = {
    "dynamics": PlayedDynamics,
    "hubspot": PlayedHubspot,
    "pipedrive": PlayedPipedrive,
    "salesforce": PlayedSalesforce,
    "zoho": PlayedZoho,
}
