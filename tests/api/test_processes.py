"""Processes over HTTP: checked, published as versions, read in either language of files, drawn."""

import asyncio
import json

import pytest
import yaml

from app.engine import compile_process
from app.engine.load import load_process
from app.services.processes import Processes
from tests.api.world import YAML, World
from tests.builders import PROCESS, question

PATH = "/processes/b2b-saas"
CHANGED = PROCESS.replace("at_least: 1}", "at_least: 2}")
AS_YAML = {"accept": "application/yaml"}


async def test_other_content_is_the_next_version_and_the_same_again_is_none(world: World) -> None:
    told = []
    for content in (PROCESS, CHANGED, CHANGED, "# a comment\n" + CHANGED, PROCESS):
        answer = await world.ask("PUT", PATH, content=content, headers=YAML)
        told.append((answer.status_code, answer.json()["process"]["version"], answer.json()["created"]))
    assert [(200, 1, False), (201, 2, True), (200, 2, False), (200, 2, False), (201, 3, True)] == told


async def test_the_same_process_in_json_is_the_same_content(world: World) -> None:
    answer = await world.ask("PUT", PATH, yaml.safe_load(PROCESS))
    assert (200, 1) == (answer.status_code, answer.json()["process"]["version"]), answer.text


async def test_a_check_publishes_nothing(world: World) -> None:
    checked = await world.good("PUT", PATH, content=CHANGED, headers=YAML, params={"check": "true"})
    assert (None, False) == (checked["process"]["version"], checked["created"])
    assert (await world.good("GET", PATH))["version"] == 1
    new = {"content": PROCESS.replace("process: b2b-saas", "process: other"), "headers": YAML}
    await world.good("PUT", "/processes/other", params={"check": "true"}, **new)
    assert (404, "unknown-process") == await world.refusal("GET", "/processes/other")


async def test_the_file_is_read_as_it_was_written_or_as_data(world: World) -> None:
    text = await world.ask("GET", PATH, headers=AS_YAML)
    assert (PROCESS, True) == (text.text, text.headers["content-type"].startswith("application/yaml"))
    data = await world.good("GET", PATH)
    expected = compile_process(load_process(PROCESS.encode())).digest
    assert ("b2b-saas", 1, expected) == (data["key"], data["version"], data["digest"])
    again = compile_process(load_process(json.dumps(data["definition"]).encode())).digest
    assert expected == again


async def test_a_process_published_as_json_is_read_as_yaml_too(world: World) -> None:
    await world.good("PUT", PATH, yaml.safe_load(CHANGED))
    text = await world.ask("GET", PATH, headers=AS_YAML)
    assert yaml.safe_load(CHANGED) == yaml.safe_load(text.text)


async def test_another_representation_is_refused(world: World) -> None:
    assert (406, "not-acceptable") == await world.refusal("GET", PATH, headers={"accept": "text/html"})


async def test_an_old_version_stays_as_it_was(world: World) -> None:
    await world.good("PUT", PATH, content=CHANGED, headers=YAML)
    first = await world.ask("GET", f"{PATH}/versions/1", headers=AS_YAML)
    assert first.text == PROCESS
    assert (404, "unknown-version") == await world.refusal("GET", f"{PATH}/versions/3")
    pinned = await world.good("POST", "/validate-transition", question(version=1))
    assert pinned["process"]["version"] == 1


@pytest.mark.parametrize(
    ("format_", "content_type", "begins"),
    [
        ("mermaid", "text/vnd.mermaid", "flowchart"),
        ("svg", "image/svg+xml", "<svg"),
        ("json", "application/json", "{"),
    ],
)
async def test_a_process_is_drawn(world: World, format_: str, content_type: str, begins: str) -> None:
    answer = await world.ask("GET", f"{PATH}/diagram", params={"format": format_})
    assert answer.headers["content-type"].startswith(content_type)
    assert begins in answer.text
    assert "demo_scheduled" in answer.text


async def test_a_process_is_drawn_as_its_buyer_sees_it(world: World) -> None:
    seen = CHANGED.replace("key: demo_completed", "key: demo_completed, buyer: solution_evaluation")
    await world.good("PUT", PATH, content=seen, headers=YAML)
    data = await world.good("GET", f"{PATH}/diagram", params={"format": "json", "view": "buyer"})
    told = [(node["key"], node["name"], [stage["key"] for stage in node["stages"]]) for node in data["nodes"]]
    assert [
        ("demo_scheduled", "demo_scheduled", ["demo_scheduled"]),
        ("solution_evaluation", "Solution evaluation", ["demo_completed"]),
        ("won", "won", ["won"]),
        ("lost", "lost", ["lost"]),
    ] == told


async def test_two_publishers_at_once_make_two_versions(world: World) -> None:
    contents = [PROCESS.replace("at_least: 1}", f"at_least: {number}}}") for number in range(2, 6)]
    answers = await asyncio.gather(*(world.ask("PUT", PATH, content=one, headers=YAML) for one in contents))
    assert [2, 3, 4, 5] == sorted(answer.json()["process"]["version"] for answer in answers)


async def test_what_was_read_before_a_failed_commit_is_forgotten(world: World) -> None:
    known = Processes()
    first = await known.asked(world.database, world.tenant, "b2b-saas")
    assert await known.asked(world.database, world.tenant, "b2b-saas") is first
    known.forget(world.tenant, "b2b-saas")
    assert await known.asked(world.database, world.tenant, "b2b-saas") is not first
