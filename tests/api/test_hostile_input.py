"""Input that would give a 500, or would be written half: a clear problem each, and nothing written."""

import json
from typing import Any

import pytest

from tests.api.world import YAML, World, problem_of
from tests.builders import PROCESS, activity, deal, question, stored

PATH = "/validate-transition"
JSON = {"content-type": "application/json"}


def with_field(text: str) -> str:
    """A question whose one free-form field is this JSON text."""
    return json.dumps(question(deal=deal(fields={"x": "HERE"}), dry_run=False)).replace('"HERE"', text)


HOSTILE: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "json_invalid"),
    "half a body": ('{"process": "b2b', "json_invalid"),
    "no UTF-8": (b'{"process": "\xff\xfe"}', "json_invalid"),
    "UTF-16": ('{"process": "b2b-saas"}'.encode("utf-16"), "json_invalid"),
    "900 deep": (with_field("[" * 900 + "]" * 900), "json_too_deep"),
    "900 objects deep": (with_field('{"a":' * 900 + "1" + "}" * 900), "json_too_deep"),
    "100,000 brackets": ("[" * 100_000, "json_too_deep"),
    "a lone surrogate": (with_field('"\\ud800"'), "json_invalid"),
    "a NUL": (with_field('"a\\u0000b"'), "json_nul"),
    "a NUL in a name": (with_field('{"a\\u0000b": 1}'), "json_nul"),
    "NaN": (with_field("NaN"), "json_invalid"),
    "infinity": (with_field("1e999"), "json_number_too_large"),
    "2^70": (with_field(str(2**70)), "json_number_too_large"),
    "a key twice": ('{"process": "b2b-saas", "process": "other"}', "json_invalid"),
    "a key twice, deep inside": (with_field('{"a": 1, "a": 2}'), "json_invalid"),
    "a comment": ('{"process": "b2b-saas"} // mine', "json_invalid"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_bytes_that_are_no_safe_json_are_refused_in_both_languages(world: World, name: str) -> None:
    content, code = HOSTILE[name]
    before = await world.written()
    told = []
    for language in ("en", "it"):
        answer = await world.ask("POST", PATH, content=content, headers=JSON | {"accept-language": language})
        assert (422, "malformed-json", language) == (
            answer.status_code,
            problem_of(answer),
            answer.headers["content-language"],
        )
        assert [code] == [error["code"] for error in answer.json()["errors"]]
        told.append(answer.json()["detail"])
    assert told[0] != told[1]
    for method, path in (("PUT", "/deals/D-1"), ("POST", "/deals/D-1/moves"), ("POST", "/next-activities")):
        assert (422, "malformed-json") == await world.refusal(method, path, content=content, headers=JSON)
    assert before == await world.written()


WRONG: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "unknown fields": (
        {"deal": deal(colour="red", activities=[activity(mood="good")]), "colour": "red"},
        [
            ("colour", "extra_forbidden"),
            ("deal.activities[0].mood", "extra_forbidden"),
            ("deal.colour", "extra_forbidden"),
        ],
    ),
    "no offset": ({"as_of": "2026-11-23T10:00:00"}, [("as_of", "timezone_aware")]),
    "a day alone": ({"as_of": "2026-11-23"}, [("as_of", "datetime_parsing")]),
    "year 9999": ({"as_of": "9999-12-31T23:59:59Z"}, [("as_of", "less_than_equal")]),
    "year 1": ({"deal": deal(created_at="0001-01-01T00:00:00+14:00")}, [("deal.created_at", "greater_than_equal")]),
    "29 February 2027": ({"as_of": "2027-02-29T10:00:00Z"}, [("as_of", "datetime_parsing")]),
    "seconds since 1970": ({"as_of": 1_700_000_000}, [("as_of", "datetime_type")]),
    "seconds as text": (
        {"as_of": "1700000000", "deal": deal(activities=[activity(at="-5.5")], fields={"at": "12"})},
        [("as_of", "datetime_parsing"), ("deal.activities[0].at", "datetime_parsing")],
    ),
    "a number as text": ({"version": "3"}, [("version", "int_type")]),
    "a version below one": ({"version": 0}, [("version", "greater_than_equal")]),
    "a text where a truth is asked": ({"dry_run": "yes"}, [("dry_run", "bool_type")]),
    "an activity that is neither done nor planned": (
        {"deal": deal(activities=[activity(status="maybe")])},
        [("deal.activities[0].status", "literal_error")],
    ),
    "one activity twice": (
        {"deal": deal(activities=[activity(), activity(outcome="no_show")])},
        [("deal", "activity_repeated")],
    ),
    "one proposed activity twice": (
        {"deal": ..., "process": ..., "deal_id": "D-1", "proposed": {"activities": [activity(), activity(by="x")]}},
        [("proposed", "activity_repeated")],
    ),
    "an empty name": ({"to": ""}, [("to", "string_too_short")]),
    "a name of 201 characters": ({"to": "x" * 201}, [("to", "string_too_long")]),
    "a list where an object is asked": ({"deal": []}, [("deal", "model_type")]),
    "nothing where a stage is asked": ({"deal": {"fields": {}}}, [("deal.stage", "missing")]),
}


@pytest.mark.parametrize("name", WRONG)
async def test_every_wrong_value_is_told_with_its_place(world: World, name: str) -> None:
    changes, expected = WRONG[name]
    before = await world.written()
    answer = await world.ask("POST", PATH, question(**({"dry_run": False} | changes)))
    assert (422, "invalid-request") == (answer.status_code, problem_of(answer))
    assert expected == sorted((error["place"], error["code"]) for error in answer.json()["errors"])
    assert before == await world.written()


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json; charset=latin-1", "json"])
@pytest.mark.parametrize(("method", "path"), [("PUT", "/deals/D-1"), ("PUT", "/processes/b2b-saas")])
async def test_a_body_of_another_type_is_refused(world: World, method: str, path: str, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    told = await world.refusal(method, path, content=json.dumps(stored()), headers=headers)
    assert (415, "unsupported-media-type") == told


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON", 'application/json;charset="UTF-8"'])
async def test_json_may_name_its_charset(world: World, content_type: str) -> None:
    answer = await world.ask("POST", PATH, content=json.dumps(question()), headers={"content-type": content_type})
    assert answer.status_code == 200


QUERIES = [
    "limit=0", "limit=201", "limit=many", "limit=1.5", "limit=", "cursor=!", "cursor=%00", "cursor=AAAA%3D%3D%3D",
    "cursor=", "stage=%00", "stage=", f"stage={'x' * 201}", "colour=red", "Limit=5", "limit=%F0%9F",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_that_cannot_be_is_refused(world: World, query: str) -> None:
    status, kind = await world.refusal("GET", f"/deals?{query}")
    assert (422, True) == (status, kind in {"invalid-request", "invalid-cursor"})


TIMES = [
    "1700000000", "1700000000.5", "-1", "2026-11-23T10:00:00", "9999-12-31T00:00:00Z", "2026-02-30T00:00:00Z", "now",
]  # fmt: skip


@pytest.mark.parametrize("as_of", TIMES)
@pytest.mark.parametrize("path", ["/deals/D-1/moves", "/deals/D-1/next-activities"])
async def test_a_time_in_a_query_is_as_strict_as_one_in_a_body(world: World, path: str, as_of: str) -> None:
    await world.good("PUT", "/deals/D-1", stored())
    answer = await world.ask("GET", path, params={"as_of": as_of})
    assert (422, ["as_of"]) == (answer.status_code, [error["place"] for error in answer.json()["errors"]])


@pytest.mark.parametrize("query", ["actor=rep&role=", "actor=", "actor=%00", f"actor=rep&role={'x' * 201}"])
@pytest.mark.parametrize("path", ["/deals/D-1/moves", "/deals/D-1/next-activities"])
async def test_an_actor_in_a_query_is_as_strict_as_one_in_a_body(world: World, path: str, query: str) -> None:
    await world.good("PUT", "/deals/D-1", stored())
    assert (422, "invalid-request") == await world.refusal("GET", f"{path}?{query}")


@pytest.mark.parametrize("path", ["/deals/D-1/moves", "/deals/D-1/next-activities"])
async def test_roles_of_nobody_are_not_passed_over(world: World, path: str) -> None:
    await world.good("PUT", "/deals/D-1", stored())
    told = (await world.ask("GET", f"{path}?role=rep")).json()
    assert ("invalid-request", [("role", "role_without_actor")]) == (
        told["type"].removeprefix("/problems/"),
        [(error["place"], error["code"]) for error in told["errors"]],
    )


async def test_a_key_that_cannot_be_is_refused_even_where_nothing_is_written(world: World) -> None:
    headers = {"idempotency-key": "x" * 201}
    assert (422, "invalid-request") == await world.refusal("POST", PATH, question(), headers=headers)
    checked = await world.refusal("PUT", "/processes/b2b-saas?check=true", content=PROCESS, headers=YAML | headers)
    assert (422, "invalid-request") == checked


async def test_a_misspelt_check_does_not_publish(world: World) -> None:
    before = await world.written()
    content = PROCESS.replace("b2b-saas", "another")
    answer = await world.ask("PUT", "/processes/another?chek=true", content=content, headers=YAML)
    assert (422, [("chek", "extra_forbidden")]) == (
        answer.status_code,
        [(error["place"], error["code"]) for error in answer.json()["errors"]],
    )
    assert before == await world.written()


@pytest.mark.parametrize("strange", ["%00", "a%00b", "x" * 201, "x" * 10_000, "%E2%80" * 70], ids=lambda one: one[:6])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/deals/{}"),
        ("GET", "/deals/{}/moves"),
        ("GET", "/deals/{}/next-activities"),
        ("GET", "/decisions/{}"),
        ("GET", "/deliveries/{}"),
        ("GET", "/processes/{}"),
        ("GET", "/processes/{}/diagram"),
        ("GET", "/processes/b2b-saas/versions/{}"),
        ("GET", "/connections/{}"),
        ("POST", "/webhooks/{}"),
    ],
)
async def test_an_id_that_cannot_be_is_refused(world: World, method: str, path: str, strange: str) -> None:
    status, _ = await world.refusal(method, path.format(strange), content=b"[]" if method == "POST" else None)
    assert 400 <= status < 500


async def test_an_id_in_another_alphabet_is_an_id(world: World) -> None:
    content = await world.good("PUT", "/deals/affare-è-😀", stored())
    assert content["id"] == "affare-è-😀"
    assert content["fields"] == (await world.good("GET", "/deals/affare-è-😀"))["fields"]


GARBAGE = [
    b"\xff\xfe\x00", b"", b",,,;;;", b'"', b"W/", b"*,*", b"x" * 8000, b"\xc2\xb2", b"bearer", b"Bearer srl__",
    b"en;q=9e9",
]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["authorization", "x-api-key", "accept-language", "accept", "if-match", "if-none-match", "x-request-id"]
)
async def test_a_header_full_of_garbage_never_fails(world: World, name: str) -> None:
    await world.good("PUT", "/deals/D-1", stored())
    key = None if name in {"authorization", "x-api-key"} else world.key
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/deals/D-1", None),
        ("GET", "/processes/b2b-saas", None),
        ("PUT", "/deals/D-1", stored()),
        ("POST", PATH, question()),
    ]
    for garbage in GARBAGE:
        for method, path, body in asked:
            answer = await world.ask(method, path, body, key=key, headers={name: garbage})
            assert answer.status_code < 500
            assert key is not None or answer.status_code == 401
            if not answer.is_success:
                problem_of(answer)


@pytest.mark.parametrize(
    "wrong", ["", "srl", "srl_x_y", "srl_é_ö", "Basic abc", "srl_" + "a" * 12 + "_" + "0" * 64, "x" * 5000]
)
async def test_a_wrong_key_is_unauthorized(world: World, wrong: str) -> None:
    answer = await world.ask("GET", "/deals", key=None, headers={"authorization": f"Bearer {wrong}".encode()})
    expected = (401, "unauthorized", 'Bearer realm="stagerail"')
    assert expected == (answer.status_code, problem_of(answer), answer.headers["www-authenticate"])


async def test_the_right_id_with_another_secret_is_unauthorized(world: World) -> None:
    assert (401, "unauthorized") == await world.refusal("GET", "/deals", key=world.key[:-1] + "x")
