"""PUT /processes/{key}: what is refused, what is kept, and who publishes when many do."""

import asyncio
import json
from typing import Any

import pytest

from tests.api.world import YAML, World, pages, problem_of
from tests.builders import PROCESS, question

PATH = "/processes/b2b-saas"
JSON = {"content-type": "application/json"}
CHANGED = PROCESS.replace("effort: 60m", "effort: 90m")
WRONG = PROCESS.replace("activity: demo,", "activity: dmeo,").replace("is: present}]}", "is: presnt}]}", 1)
DATA: dict[str, Any] = {
    "process": "small",
    "stages": [{"key": "new", "exit": [{"id": "why", "field": "why", "is": "present"}]}, {"key": "won", "kind": "won"}],
    "fields": [{"key": "why", "type": "text"}],
    "path": ["new", "won"],
}


async def versions(world: World) -> dict[str, int]:
    return {one["key"]: one["version"] for one in (await world.good("GET", "/processes"))["items"]}


async def test_the_same_content_again_is_no_new_version_but_an_older_one_is(world: World) -> None:
    sent = (PROCESS + "# a comment\n", CHANGED, PROCESS)
    answers = [await world.ask("PUT", PATH, content=one, headers=YAML) for one in sent]
    told = [(one.status_code, one.json()["created"], one.json()["process"]["version"]) for one in answers]
    assert [(200, False, 1), (201, True, 2), (201, True, 3)] == told
    assert answers[0].json()["process"]["digest"] == answers[2].json()["process"]["digest"]


async def test_a_check_publishes_nothing(world: World) -> None:
    good = await world.good("PUT", f"{PATH}?check=true", content=CHANGED, headers=YAML)
    assert (None, False) == (good["process"]["version"], good["created"])
    assert (422, "invalid-process-file") == await world.refusal("PUT", f"{PATH}?check=1", content=WRONG, headers=YAML)
    assert {"b2b-saas": 1} == await versions(world)


async def test_every_error_of_a_file_is_told_with_its_place_in_the_callers_language(world: World) -> None:
    told = {}
    for language in ("en", "it"):
        answer = await world.ask("PUT", PATH, content=WRONG, headers=YAML | {"accept-language": language})
        assert (422, "invalid-process-file") == (answer.status_code, problem_of(answer))
        told[language] = [one for one in answer.json()["errors"] if one["severity"] == "error"]
    lines = [number for number, line in enumerate(WRONG.splitlines(), 1) if "dmeo" in line or "presnt" in line]
    assert lines == sorted(one["line"] for one in told["en"])
    assert all(one["column"] > 1 and one["path"] and one["message"] for one in told["en"])
    without = [[one | {"message": ""} for one in errors] for errors in told.values()]
    assert without[0] == without[1]
    assert not {one["message"] for one in told["en"]} & {one["message"] for one in told["it"]}
    assert {"b2b-saas": 1} == await versions(world)


async def test_a_process_sent_as_json_is_the_same_process_as_yaml_and_as_read(world: World) -> None:
    await world.good("PUT", "/processes/small", content=json.dumps(DATA), headers=JSON)
    as_yaml = await world.ask("GET", "/processes/small", headers={"accept": "application/yaml"})
    again = await world.ask("PUT", "/processes/small", content=as_yaml.content, headers=YAML)
    read = await world.good("GET", "/processes/small")
    by_data = await world.ask("PUT", "/processes/small", content=json.dumps(read["definition"]), headers=JSON)
    assert [(200, 1), (200, 1)] == [(one.status_code, one.json()["process"]["version"]) for one in (again, by_data)]


async def test_yaml_that_is_announced_as_json_is_refused(world: World) -> None:
    assert (422, "malformed-json") == await world.refusal("PUT", PATH, content=CHANGED, headers=JSON)
    assert {"b2b-saas": 1} == await versions(world)


async def test_an_address_and_a_file_must_agree(world: World) -> None:
    told = await world.ask("PUT", "/processes/other", content=PROCESS, headers=YAML)
    assert (422, [("process", "process_key_differs")]) == (
        told.status_code,
        [(one["place"], one["code"]) for one in told.json()["errors"]],
    )


@pytest.mark.parametrize("content", [b"[" * 100_000, b"a: " + b"[" * 100_000, b"\xff\xfe", b"a: \x00", b"a: &x [*x]"])
async def test_a_hostile_file_is_refused_and_not_stored(world: World, content: bytes) -> None:
    status, kind = await world.refusal("PUT", PATH, content=content, headers=YAML)
    assert (422, True) == (status, kind in {"invalid-process-file", "malformed-json"})
    assert {"b2b-saas": 1} == await versions(world)


async def test_processes_are_listed_in_pages(world: World) -> None:
    for key in ("aa", "zz"):
        await world.good("PUT", f"/processes/{key}", content=json.dumps(DATA | {"process": key}), headers=JSON)
    assert [["aa", "b2b-saas"], ["zz"]] == await pages(world, "/processes", "key", limit=2)


async def test_a_new_version_judges_at_once(world: World) -> None:
    for minutes in range(10, 14):
        content = PROCESS.replace("effort: 60m", f"effort: {minutes}m")
        published = (await world.good("PUT", PATH, content=content, headers=YAML))["process"]
        assert published == (await world.good("POST", "/validate-transition", question()))["process"]


async def test_many_who_publish_at_once_get_versions_in_a_row(world: World) -> None:
    contents = [PROCESS.replace("effort: 60m", f"effort: {minutes}m") for minutes in range(10, 16)]
    answers = await asyncio.gather(*(world.ask("PUT", PATH, content=one, headers=YAML) for one in contents))
    published = [one.json()["process"] for one in answers]
    assert [*range(2, 8)] == sorted(one["version"] for one in published)
    for one in published:
        assert one["digest"] == (await world.good("GET", f"{PATH}/versions/{one['version']}"))["digest"]
