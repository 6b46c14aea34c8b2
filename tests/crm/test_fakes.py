"""The ground that every fake CRM stands on: routes, tokens, switches, webhooks of its own."""

import json

import pytest

from app.crm.http import Request, Unreachable
from tests.crm.fakes.base import Answer, Call, FakeCrm, route
from tests.crm.http import PlainHttp


class _Crm(FakeCrm):
    def __init__(self) -> None:
        super().__init__()
        self.things: dict[str, str] = {}

    @route("GET", "/things/{key}")
    def thing(self, call: Call, key: str) -> Answer:
        return Answer(body={"key": key, "value": self.things.get(key), "query": call.query})

    @route("PUT", "/things/{key}")
    async def put(self, call: Call, key: str) -> Answer:
        self.things[key] = call.json
        return Answer(204)

    @route("GET", "/things/all")
    def every(self, _call: Call) -> Answer:
        return Answer(body=self.things)

    @route("POST", "/token", free=True)
    def refresh(self, call: Call) -> Answer:
        return Answer(body={"access_token": self.token, "for": call.form["refresh_token"]})


async def test_a_fake_answers_by_its_routes_and_asks_for_a_token() -> None:
    async with _Crm() as crm, PlainHttp() as http:
        key = {"authorization": f"Bearer {crm.token}"}
        assert (await http(Request("PUT", f"{crm.url}/things/a%2Fb", key, b'"x"'))).status == 204
        found = await http(Request("GET", f"{crm.url}/things/a%2Fb?q=1&q=2", key))
        assert json.loads(found.body) == {"key": "a/b", "value": "x", "query": {"q": "2"}}
        assert json.loads((await http(Request("GET", f"{crm.url}/things/all", key))).body) == {"a/b": "x"}
        statuses = [
            (await http(Request(*asked))).status
            for asked in [("GET", f"{crm.url}/things/all"), ("GET", f"{crm.url}/none"), ("DELETE", f"{crm.url}/token")]
        ]
        assert statuses == [401, 404, 404]
        crm.expire_token()
        assert (await http(Request("GET", f"{crm.url}/things/all", key))).status == 401
        renewed = await http(Request("POST", f"{crm.url}/token", {}, b"refresh_token=r"))
        assert json.loads(renewed.body) == {"access_token": "token-2", "for": "r"}
        assert [call.path for call in crm.calls][:2] == ["/things/a%2Fb", "/things/a%2Fb"]


async def test_switches_throttle_fail_lose_and_hang() -> None:
    async with _Crm() as crm, PlainHttp(seconds=0.2) as http:
        key = {"authorization": f"Bearer {crm.token}"}
        put = Request("PUT", f"{crm.url}/things/a", key, b'"x"')
        crm.throttle_next(1, retry_after=7)
        crm.fail_next(1, 503)
        crm.lose_next(1)
        throttled, failed = await http(put), await http(put)
        assert (throttled.status, throttled.headers["retry-after"], failed.status) == (429, "7", 503)
        assert crm.things == {}
        with pytest.raises(Unreachable, match="connection"):
            await http(put)
        assert crm.things == {"a": "x"}
        crm.hang(30)
        with pytest.raises(Unreachable, match="timeout"):
            await http(put)
        crm.hang(0)
        assert (await http(put)).status == 204


async def test_a_fake_sends_webhooks_and_notes_the_answers() -> None:
    async with _Crm() as crm, _Crm() as other:
        await crm.send(f"{other.url}/token", b"refresh_token=w", {"x-signature": "s"})
        await crm.send("http://127.0.0.1:1/nobody", b"", {})
        assert [(one.status, one.answer) for one in crm.sent] == [
            (200, b'{"access_token": "token-1", "for": "w"}'),
            (0, b""),
        ]
        assert (other.calls[0].headers["x-signature"], other.calls[0].body) == ("s", b"refresh_token=w")
