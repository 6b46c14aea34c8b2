"""The CRMs of the circle tests that bring a key: Salesforce and Dynamics."""

from typing import Any, ClassVar

from app import clock
from tests.crm.circle import HOOK
from tests.crm.fakes.dynamics import FakeDynamics
from tests.crm.fakes.dynamics_steps import KEY as STEP_KEY
from tests.crm.fakes.dynamics_steps import dynamics_settings, guid
from tests.crm.fakes.salesforce import FakeSalesforce, deal_id
from tests.crm.fakes.salesforce_messages import KEY, salesforce_settings

NEXT_STEP = "Send the offer on Monday"
NUMBER = 42


class PlayedSalesforce:
    """Salesforce, by outbound messages."""

    coarse = True
    STAGES: ClassVar = {
        "demo_scheduled": "Prospecting",
        "demo_completed": "Proposal/Quote",
        "won": "Closed Won",
        "lost": "Closed Lost",
    }

    def __init__(self) -> None:
        self.fake = FakeSalesforce()
        self.fake.session = "<SessionId>a session of Salesforce's</SessionId>"

    def connection(self) -> dict[str, Any]:
        activities = {"Demo": {"activity": "demo", "outcomes": {"Held": "held"}}}
        settings = salesforce_settings(activities=activities, contact_roles={})
        return settings.model_dump(mode="json", exclude_none=True) | {
            "secret": KEY,
            "access": {"access_token": self.fake.token},
        }

    async def make(self) -> str:
        self.fake.make_deal(NUMBER, at=clock.now())
        await self._tell()
        return deal_id(NUMBER)

    async def move(self, deal: str, stage: str) -> None:
        assert deal == deal_id(NUMBER)
        self.fake.change(NUMBER, at=clock.now(), StageName=self.STAGES[stage])
        await self._tell()

    async def fill_next_step(self, deal: str) -> None:
        assert deal == deal_id(NUMBER)
        self.fake.change(NUMBER, at=clock.now(), NextStep=NEXT_STEP)
        await self._tell()

    async def remove(self, deal: str) -> None:
        self.fake.tables["Opportunity"] = [one for one in self.fake.tables["Opportunity"] if one["Id"] != deal]

    def stage(self, deal: str) -> str:
        assert deal == deal_id(NUMBER)
        return next(ours for ours, theirs in self.STAGES.items() if theirs == self.fake.deal(NUMBER)["StageName"])

    def notes(self, deal: str) -> list[str]:
        return [one["Body"] for one in self.fake.tables["Note"] if one["ParentId"] == deal]

    def tasks(self, deal: str) -> list[tuple[str, str]]:
        return [(one["Subject"], one["Description"]) for one in self.fake.tables["Task"] if one["WhatId"] == deal]

    async def _tell(self) -> None:
        """Until nothing waits any more: what is not acknowledged comes again."""
        while self.fake.queue:
            sent = await self.fake.deliver(f"{HOOK}?key={KEY.replace(' ', '%20')}")
            assert sent.status == 200, sent.answer


class PlayedDynamics:
    """Dynamics, by asynchronous steps."""

    coarse = True
    STAGES: ClassVar = {"demo_scheduled": 0, "demo_completed": 2}

    def __init__(self) -> None:
        self.fake = FakeDynamics()
        self.fake.sent_to = HOOK

    def connection(self) -> dict[str, Any]:
        settings = dynamics_settings(contact_roles={}).model_dump(mode="json", exclude_none=True)
        return settings | {"secret": STEP_KEY, "access": {"access_token": self.fake.token}}

    async def make(self) -> str:
        await self.fake.tell(self.fake.make_deal(NUMBER, at=clock.now()))
        return guid(NUMBER)

    async def move(self, deal: str, stage: str) -> None:
        assert deal == guid(NUMBER)
        if stage in ("won", "lost"):
            await self.fake.tell(self.fake.close(NUMBER, at=clock.now(), won=stage == "won"))
        else:
            await self.fake.tell(self.fake.change(NUMBER, at=clock.now(), salesstagecode=self.STAGES[stage]))

    async def fill_next_step(self, deal: str) -> None:
        assert deal == guid(NUMBER)
        await self.fake.tell(self.fake.change(NUMBER, at=clock.now(), new_nextstep=NEXT_STEP))

    async def remove(self, deal: str) -> None:
        del self.fake.deals[deal]

    def stage(self, deal: str) -> str:
        one = self.fake.deals[deal]
        if one["statecode"]:
            return "won" if one["statecode"] == 1 else "lost"
        return next(ours for ours, theirs in self.STAGES.items() if theirs == one["salesstagecode"])

    def notes(self, deal: str) -> list[str]:
        return [one["notetext"] for one in self.fake.rows["annotations"] if one["_objectid_value"] == deal]

    def tasks(self, deal: str) -> list[tuple[str, str]]:
        own = [one for one in self.fake.rows["tasks"] if one["_regardingobjectid_value"] == deal]
        return [(one["subject"], one["description"]) for one in own]
