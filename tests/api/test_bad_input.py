"""Whatever comes in: a clear refusal, nothing written, never a failure of ours."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.world import YAML, World
from tests.builders import PROCESS, activity, deal, question, stored

JSON = {"content-type": "application/json"}
NUMBERS = ("1e400", "-1e400", "NaN", "Infinity", str(2**70), str(-(2**70)), "1" + "0" * 5000)
UNREADABLE = {
    "nested 900 deep": b'{"process": "b2b-saas", "stage": "won", "fields": {"x": ' + b"[" * 900 + b"]" * 900 + b"}}",
    "100,000 brackets": b"[" * 100_000,
    "a lone surrogate": b'{"process": "b2b-saas", "stage": "won", "fields": {"x": "\\ud800"}}',
    "a lone surrogate as a key": b'{"process": "b2b-saas", "stage": "won", "fields": {"\\udfff": 1}}',
    "NUL": b'{"process": "b2b-saas", "stage": "won", "fields": {"x": "a\\u0000b"}}',
    "NUL as a key": b'{"process": "b2b-saas", "stage": "won", "fields": {"\\u0000": 1}}',
    "a key twice": b'{"process": "b2b-saas", "stage": "won", "stage": "lost"}',
    "a key twice, deep down": b'{"process": "b2b-saas", "stage": "won", "fields": {"x": [{"y": 1, "y": 2}]}}',
    "not UTF-8": b'{"process": "b2b-saas", "stage": "won", "owner": "\xe9"}',
    "UTF-16": '{"process": "b2b-saas", "stage": "won"}'.encode("utf-16"),
    "nothing": b"",
    "half": b'{"process": "b2b-saas", "stage": "w',
    "two": b"{} {}",
    **{
        f"the number {number[:12]}": b'{"process": "b2b-saas", "stage": "won", "fields": {"x": %s}}' % number.encode()
        for number in NUMBERS
    },
}
WRITES = (
    ("PUT", "/deals/D-1"),
    ("POST", "/deals/D-1/activities"),
    ("POST", "/deals/D-1/moves"),
    ("POST", "/validate-transition"),
)


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_is_refused_and_nothing_is_written(world: World, name: str) -> None:
    before = await world.written()
    told = {await world.refusal(method, path, content=UNREADABLE[name], headers=JSON) for method, path in WRITES}
    assert {status for status, _ in told} <= {400, 422}
    assert {kind for _, kind in told} <= {"malformed-json", "invalid-request"}
    assert before == await world.written()


async def test_every_wrong_value_is_told_with_its_place(world: World) -> None:
    wrong = question(
        to=7,
        as_of="2026-11-23T10:00:00",
        deal=deal(
            stage_entered_at="2026-02-30T09:00:00Z",
            colour="red",
            activities=[activity(at="yesterday", status="maybe"), activity(id="a-2", at=1_700_000_000)],
        ),
    )
    answer = await world.ask("POST", "/validate-transition", wrong)
    content = answer.json()
    places = {error["place"] for error in content["errors"]}
    expected = {
        "to",
        "as_of",
        "deal.stage_entered_at",
        "deal.colour",
        "deal.activities[0].at",
        "deal.activities[0].status",
        "deal.activities[1].at",
    }
    assert (422, "/problems/invalid-request", expected) == (answer.status_code, content["type"], places)
    assert all(error["message"] and error["code"] for error in content["errors"])


async def test_wrong_values_are_told_in_the_callers_language(world: World) -> None:
    english = (await world.ask("POST", "/validate-transition", question(to=7))).json()
    italian = (
        await world.ask("POST", "/validate-transition", question(to=7), headers={"accept-language": "it"})
    ).json()
    assert [error["code"] for error in english["errors"]] == [error["code"] for error in italian["errors"]]
    assert english["title"] != italian["title"]
    assert english["errors"][0]["message"] != italian["errors"][0]["message"]


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-23T10:00:00",
        "2026-11-23",
        "2026-02-30T10:00:00Z",
        "2026-11-23T25:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "1763892000",
        "",
        0,
        True,
        None,
    ],
)
async def test_a_time_must_exist_and_have_an_offset(world: World, at: Any) -> None:
    await world.good("PUT", "/deals/D-1", stored())
    before = await world.written()
    asked = [
        ("POST", "/deals/D-1/activities", activity(id="a-9", at=at)),
        ("PUT", "/deals/D-2", stored(activities=[activity(at=at)])),
        ("POST", "/validate-transition", question(deal=deal(activities=[activity(at=at)]), dry_run=False)),
    ]
    assert [(422, "invalid-request")] * 3 == [await world.refusal(*one) for one in asked]
    assert before == await world.written()


async def test_an_activity_id_sent_twice_with_different_content_is_refused(world: World) -> None:
    twice = [activity(), activity(outcome="no_show")]
    asked = [
        ("PUT", "/deals/D-1", stored(activities=twice)),
        ("POST", "/validate-transition", question(deal=deal(activities=twice))),
    ]
    assert [(422, "invalid-request")] * 2 == [await world.refusal(*one) for one in asked]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "", "json"]
)
async def test_only_json_is_taken(world: World, content_type: str) -> None:
    for method, path in WRITES:
        told = await world.refusal(method, path, content=b"{}", headers={"content-type": content_type})
        assert told == (415, "unsupported-media-type")


async def test_a_body_that_is_too_large_is_refused_with_and_without_a_length(world: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 64 * 1024

    for method, path in (*WRITES, ("PUT", "/processes/b2b-saas")):
        with_length = await world.refusal(method, path, content=b" " * 2_000_000, headers=JSON)
        without = await world.refusal(method, path, content=chunks(), headers=JSON)
        assert {with_length, without} == {(413, "body-too-large")}


async def test_a_body_that_does_not_come_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.bodies.PATIENCE", 0.05)

    async def drops() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    for method, path in WRITES:
        async with asyncio.timeout(4):
            assert (408, "request-timeout") == await world.refusal(method, path, content=drops(), headers=JSON)


BAD_FILES = {
    "100,000 brackets": b"[" * 100_000,
    "10 MB": b"# " + b"x" * 10_000_000,
    "aliases": b"process: &a b2b-saas\nstages: [{key: *a}]\n",
    "NUL": b"process: b2b-saas\0\n",
    "not UTF-8": b"process: \xff\n",
    "nothing": b"",
    "a list": b"- 1\n",
    "another key": PROCESS.replace("process: b2b-saas", "process: other").encode(),
    "an unknown stage": PROCESS.replace("to: demo_completed", "to: nowhere").encode(),
}


@pytest.mark.parametrize("name", BAD_FILES)
async def test_a_bad_process_file_is_refused_and_the_version_stays(world: World, name: str) -> None:
    told = await world.refusal("PUT", "/processes/b2b-saas", content=BAD_FILES[name], headers=YAML)
    assert told in {(413, "body-too-large"), (422, "invalid-process-file"), (422, "invalid-request")}
    assert (await world.good("GET", "/processes/b2b-saas"))["version"] == 1


async def test_a_process_file_is_told_everything_that_is_wrong_with_it(world: World) -> None:
    bad = PROCESS.replace("outcome: held,", "outcome: hold,").replace("field: budget,", "field: buget,")
    answer = await world.ask("PUT", "/processes/b2b-saas", content=bad, headers=YAML)
    told = [(error["code"], error["line"] > 1, error["column"] > 1) for error in answer.json()["errors"]]
    assert [("unknown_outcome", True, True), ("unknown_name", True, True)] == told


@pytest.mark.parametrize(
    "path",
    [
        "/deals?limit=0",
        "/deals?limit=201",
        "/deals?limit=x",
        "/deals?cursor=%00",
        "/deals?cursor=not-a-cursor",
        "/deals?stage=%00",
        "/decisions?outcome=maybe",
        "/decisions?cursor=AAAA",
        "/processes?limit=1.5",
        "/processes/b2b-saas/versions/0",
        "/processes/b2b-saas/versions/99999999999999999999",
        "/processes/b2b-saas/diagram?format=gif",
        "/deals/%00",
        "/deals/" + "x" * 300,
        "/deals/D-1/moves?as_of=yesterday",
    ],
)
async def test_wrong_parameters_are_refused(world: World, path: str) -> None:
    status, kind = await world.refusal("GET", path)
    assert status in {404, 422}
    assert kind in {"invalid-request", "invalid-cursor", "unknown-deal", "not-found"}
