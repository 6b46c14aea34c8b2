"""A fake HubSpot account, and our client of it."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.crm.client import Credentials
from app.crm.hubspot import HubspotClient
from tests.crm.builders import NOON, hubspot_settings
from tests.crm.fakes.hubspot import FakeHubspot
from tests.crm.http import PlainHttp


class World:
    """The account, the client, the time; `kept` are the credentials that were kept."""

    def __init__(self, http: PlainHttp) -> None:
        self.at: datetime = NOON
        self.http = http
        self.crm = FakeHubspot(lambda: self.at)
        self.kept: list[Mapping[str, str]] = []

    def client(self, credentials: Credentials | None = None, **settings: Any) -> HubspotClient:
        """A client with these settings."""

        async def keep(renewed: Credentials) -> None:
            self.kept.append(renewed)

        read = hubspot_settings(api_url=self.crm.url, **settings)
        return HubspotClient(read, credentials or {"access_token": self.crm.token}, self.http, keep)

    def later(self, **by: float) -> datetime:
        """Let time pass."""
        self.at += timedelta(**by)
        return self.at


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Give one that listens."""
    async with PlainHttp(seconds=2) as http:
        one = World(http)
        async with one.crm:
            yield one
