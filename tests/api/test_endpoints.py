"""Endpoints over HTTP: secrets shown once, rotated with an overlap; addresses that cannot be sent to refused."""

from typing import Any

import pytest

from app.settings import Settings
from tests.api.world import World, serving

URL = "https://events.example.com/hook"


async def test_the_secret_of_an_endpoint_is_shown_when_it_is_made_and_never_again(world: World) -> None:
    answer = await world.ask("PUT", "/endpoints/team", {"url": URL, "events": ["deal.moved"]})
    made = answer.json()
    assert answer.status_code == 201
    assert made["secret"].startswith("whsec_")
    assert {**made, "secret": None} == await world.good("GET", "/endpoints/team")
    again = await world.good("PUT", "/endpoints/team", {"url": URL, "events": ["deal.moved"]})
    assert (again["secret"], again["events"], again["paused"]) == (None, ["deal.moved"], False)
    assert [None] == [one["secret"] for one in (await world.good("GET", "/endpoints"))["items"]]


async def test_an_answer_given_again_has_no_secret_and_does_not_rotate_once_more(world: World) -> None:
    sent: dict[str, Any] = {"headers": {"idempotency-key": "once"}}
    made = await world.good("PUT", "/endpoints/team", {"url": URL}, **sent)
    assert (await world.good("PUT", "/endpoints/team", {"url": URL}, **sent)) == {**made, "secret": None}
    sent = {"headers": {"idempotency-key": "twice"}}
    rotated = await world.good("POST", "/endpoints/team/rotate", **sent)
    assert rotated["secret"] not in (None, made["secret"])
    assert rotated["previous_secret_until"] is not None
    assert await world.good("POST", "/endpoints/team/rotate", **sent) == {**rotated, "secret": None}
    assert await world.good("GET", "/endpoints/team") == {**rotated, "secret": None}


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com", "https://", "example.com", "https://user:pw@example.com", "https://example.com/#x",
     "file:///etc/passwd", "https://[::1", "https://example.com:99999/", "javascript:alert(1)", "", 5,
     "http://example.com/", "https://127.0.0.1/", "https://10.0.0.1/", "https://2130706433/", "https://0x7f.1/",
     "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest"],
)  # fmt: skip
async def test_an_address_that_cannot_be_sent_to_is_refused(world: World, url: Any) -> None:
    assert (422, "invalid-request") == await world.refusal("PUT", "/endpoints/team", {"url": url})
    assert [] == (await world.good("GET", "/endpoints"))["items"]


@pytest.mark.parametrize("body", [{}, {"url": URL, "events": []}, {"url": URL, "events": ["deal.eaten"]},
                                  {"url": URL, "secret": "mine"}, {"url": URL, "paused": "yes"}])  # fmt: skip
async def test_what_makes_no_sense_is_refused(world: World, body: Any) -> None:
    assert (422, "invalid-request") == await world.refusal("PUT", "/endpoints/team", body)


async def test_without_an_encryption_key_no_secret_is_kept(api_database_url: str) -> None:
    async with serving(Settings(database_url=api_database_url)) as app:
        world = World(app, "keyless", "keyless-2")
        world.key = await world.new_key("admin")
        answer = await world.ask("PUT", "/endpoints/team", {"url": URL})
        assert (422, "endpoint_without_key") == (answer.status_code, answer.json()["errors"][0]["code"])
        await world.close()


async def test_an_endpoint_that_is_taken_away_takes_what_waits_with_it(world: World) -> None:
    await world.good("PUT", "/endpoints/team", {"url": "https://events.invalid/"})
    await world.good("PUT", "/deals/D-1", {"process": "b2b-saas", "stage": "demo_scheduled"})
    await world.good("POST", "/deals/D-1/moves", {"to": "won"})
    (item,) = (await world.good("GET", "/outbox"))["items"]
    assert await world.good("DELETE", "/endpoints/team") == {"id": "team", "removed": True}
    assert (404, "unknown-endpoint") == await world.refusal("DELETE", "/endpoints/team")
    assert (404, "unknown-endpoint") == await world.refusal("GET", "/endpoints/team")
    found = await world.good("GET", f"/outbox/{item['id']}")
    assert found["status"] in ("cancelled", "waiting", "dead")
