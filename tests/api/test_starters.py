"""Starters over HTTP: listed, taken, published, and walked to won by following the first suggestion alone."""

from typing import Any

import pytest

from app import clock
from app.services.starters import starter_process
from app.starters import KEYS, read_starter
from tests.api.world import YAML, World

MOST_STEPS = 60
NOT_A_STARTER = "sprint"


async def test_they_are_listed_for_any_key_in_the_callers_language(world: World) -> None:
    key = await world.new_key()
    listed = await world.good("GET", "/starters", key=key, headers={"accept-language": "it"})
    assert [one["key"] for one in listed["items"]] == list(KEYS)
    assert listed["items"][1] == {
        "key": "walk",
        "name": "Fasi concrete",
        "maturity": "walk",
        "for": "una squadra che rispetta le sue regole: ogni fase è un fatto avvenuto, con cinque attività chiave",
    }


async def test_one_is_read_as_its_file_or_as_data(world: World) -> None:
    file = await world.ask("GET", "/starters/run", headers={"accept": "application/yaml"})
    assert (file.headers["content-type"], file.content) == ("application/yaml; charset=utf-8", read_starter("run"))
    data = await world.good("GET", "/starters/run")
    definition = starter_process("run").model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert (data["key"], data["maturity"], data["definition"]) == ("run", "run", definition)
    assert await world.refusal("GET", "/starters/run", headers={"accept": "image/png"}) == (406, "not-acceptable")


async def test_an_unknown_one_is_refused_with_those_that_exist(world: World) -> None:
    answer = await world.ask("GET", f"/starters/{NOT_A_STARTER}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-starter")
    assert answer.json()["known"] == list(KEYS)
    assert await world.refusal("GET", "/starters", key=None) == (401, "unauthorized")
    assert await world.refusal("GET", "/starters?maturity=run") == (422, "invalid-request")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", ["yaml", "json"])
async def test_it_is_published_as_it_is_taken_without_a_warning(world: World, key: str, form: str) -> None:
    if form == "yaml":
        file = await world.ask("GET", f"/starters/{key}", headers={"accept": "application/yaml"})
        published = await world.good("PUT", f"/processes/{key}", content=file.content, headers=YAML)
    else:
        data = await world.good("GET", f"/starters/{key}")
        published = await world.good("PUT", f"/processes/{key}", data["definition"])
    assert (published["created"], published["warnings"]) == (True, [])


@pytest.mark.parametrize("key", KEYS)
async def test_the_first_suggestion_each_time_walks_a_deal_to_won(world: World, key: str) -> None:
    await world.good("PUT", f"/processes/{key}", content=read_starter(key), headers=YAML)
    process = starter_process(key)
    deal: dict[str, Any] = {"process": key, "stage": process.stages[0].key, "owner": "ana", "fields": {}}
    visited = [deal["stage"]]
    await world.good("PUT", f"/deals/{key}-1", deal)
    for step in range(MOST_STEPS):
        advice = await world.good("GET", f"/deals/{key}-1/next-activities")
        mandatory = [one for one in advice["suggestions"] if one["mandatory"]]
        if mandatory:
            deal = _followed(await world.good("GET", f"/deals/{key}-1"), mandatory[0], key, step)
            await world.good("PUT", f"/deals/{key}-1", deal)
            continue
        moved = await world.good("POST", f"/deals/{key}-1/moves", {"to": advice["plan"]["stages"][0]})
        assert (moved["outcome"], moved["applied"]) == ("allowed", True), moved
        visited.append(moved["to"])
        if moved["to"] == "won":
            break
    assert visited == process.path


def _followed(deal: dict[str, Any], step: dict[str, Any], key: str, number: int) -> dict[str, Any]:
    """The deal after a user has done what a suggestion says."""
    stored = {name: value for name, value in deal.items() if name not in ("revision", "connection", "updated_at", "id")}
    if step["kind"] == "fill_field":
        field = next(one for one in starter_process(key).fields if one.key == step["field"])
        return stored | {"fields": {**stored.get("fields", {}), field.key: _VALUES[field.type](field)}}
    if step["kind"] == "name_contact":
        return stored | {"contacts": [*stored.get("contacts", []), {"id": f"c-{number}", "role": step["role"]}]}
    people = [one["id"] for one in stored.get("contacts", []) if one["role"] == step.get("with")]
    planned = step["kind"] == "book_activity"
    now = {
        "id": f"a-{number}",
        "activity": step["activity"],
        "at": "2999-01-01T09:00:00Z" if planned else clock.now().isoformat(),
        "status": "planned" if planned else "done",
        "contacts": people,
        **{name: step[name] for name in ("outcome", "direction") if step.get(name)},
    }
    return stored | {"activities": [*stored.get("activities", []), now]}


_VALUES: dict[str, Any] = {
    "number": lambda _field: 1000,
    "text": lambda _field: "a sentence that is long enough",
    "boolean": lambda _field: True,
    "date": lambda _field: "2999-01-01",
    "choice": lambda field: field.choices[0].key,
}
