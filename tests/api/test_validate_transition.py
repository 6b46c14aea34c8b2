"""POST /validate-transition: the whole answer, for a deal sent along and for a stored one."""

from tests.api.world import World
from tests.builders import activity, deal, question, ready_deal, stored

PATH = "/validate-transition"


async def test_a_blocked_move_is_a_right_answer_with_every_reason(world: World) -> None:
    answer = await world.ask("POST", PATH, question())
    content = answer.json()
    digest = content["process"].pop("digest")
    assert digest.startswith("sha256:")
    assert content["decision_id"]
    expected = {
        "decision_id": content["decision_id"],
        "outcome": "blocked",
        "process": {"key": "b2b-saas", "version": 1},
        "from": "demo_scheduled",
        "to": "demo_completed",
        "as_of": "2026-11-23T10:00:00Z",
        "findings": [
            {
                "code": "field_missing",
                "severity": "block",
                "requirement": "next-step",
                "at": "exit",
                "message": content["findings"][0]["message"],
                "detail": content["findings"][0]["detail"],
                "expected": {"is": "present"},
                "actual": {"value": None},
                "remediation": [{"kind": "fill_field", "field": "next_step"}],
            },
            {
                "code": "activity_missing",
                "severity": "block",
                "requirement": "demo-held",
                "at": "transition",
                "message": "Hold the demo and log it as held",
                "detail": "no demo held since 10 November 2026; 1 needed",
                "expected": {"activity": "demo", "outcome": "held", "at_least": 1},
                "actual": {"count": 0, "ignored": [{"id": "a-1", "because": "outcome"}]},
                "remediation": [{"kind": "do_activity", "activity": "demo", "outcome": "held", "times": 1}],
            },
            {
                "code": "field_mismatch",
                "severity": "warn",
                "requirement": "budget-known",
                "at": "transition",
                "message": content["findings"][2]["message"],
                "detail": content["findings"][2]["detail"],
                "expected": {"in": ["requested", "approved"]},
                "actual": {"value": "unknown"},
                "remediation": [{"kind": "fill_field", "field": "budget", "learned_in": ["demo"]}],
            },
        ],
        "satisfied": [],
        "not_applicable": [],
        "waived": [],
        "facts": {"complete": True, "missing": []},
    }
    assert expected == content
    assert (200, "application/json", "en") == (
        answer.status_code,
        answer.headers["content-type"],
        answer.headers["content-language"],
    )


async def test_the_texts_are_in_the_callers_language_and_nothing_else_changes(world: World) -> None:
    english = await world.ask("POST", PATH, question())
    italian = await world.ask("POST", PATH, question(), headers={"accept-language": "it-IT, en;q=0.5"})
    assert italian.headers["content-language"] == "it"
    assert "accept-language" in italian.headers["vary"].lower()
    finding = italian.json()["findings"][1]
    expected = ("Svolgi la demo e registrala come svolta", "nessuna demo svolta dal 10 novembre 2026; ne serve 1")
    assert expected == (finding["message"], finding["detail"])
    codes = [[one["code"] for one in answer.json()["findings"]] for answer in (english, italian)]
    assert codes[0] == codes[1]


async def test_a_decision_is_logged_unless_it_is_only_asked(world: World) -> None:
    await world.good("POST", PATH, question())
    logged = await world.good("POST", PATH, question(dry_run=False))
    listed = (await world.good("GET", "/decisions"))["items"]
    assert [(logged["decision_id"], "D-17", "api", "blocked")] == [
        (one["decision_id"], one["deal_id"], one["source"], one["outcome"]) for one in listed
    ]
    read = await world.good("GET", f"/decisions/{logged['decision_id']}")
    assert logged == {name: read[name] for name in logged}


async def test_a_logged_decision_is_read_in_the_readers_language(world: World) -> None:
    logged = await world.good("POST", PATH, question(dry_run=False))
    read = await world.good("GET", f"/decisions/{logged['decision_id']}", headers={"accept-language": "it"})
    assert read["findings"][1]["detail"] == "nessuna demo svolta dal 10 novembre 2026; ne serve 1"


async def test_a_stored_deal_is_judged_with_what_the_user_is_about_to_enter(world: World) -> None:
    await world.good("PUT", "/deals/D-1", stored())
    proposed = {
        "fields": {"next_step": "Call Rita after the board meeting", "budget": None},
        "activities": [activity()],
    }
    asked = {"deal_id": "D-1", "to": "demo_completed", "dry_run": True, "proposed": proposed}
    decision = await world.good("POST", PATH, asked)
    assert ("allowed", ["budget-known"]) == (
        decision["outcome"],
        [finding["requirement"] for finding in decision["findings"]],
    )
    assert (await world.good("GET", "/deals/D-1"))["fields"] == deal()["fields"]


async def test_an_allowed_move_says_so(world: World) -> None:
    decision = await world.good("POST", PATH, question(deal=ready_deal()))
    assert ("allowed", [], ["next-step", "demo-held", "budget-known"]) == (
        decision["outcome"],
        decision["findings"],
        [one["requirement"] for one in decision["satisfied"]],
    )


async def test_what_is_not_there_is_told_apart(world: World) -> None:
    asked = [
        question(process="nowhere"),
        question(version=9),
        question(process=..., deal=..., deal_id="D-404"),
        question(to="nowhere"),
        question(deal=deal(stage="nowhere")),
        question(deal_id="D-1"),
        question(deal=...),
        question(process=...),
        question(proposed={}),
    ]
    told = [await world.refusal("POST", PATH, one) for one in asked]
    assert told == [
        (404, "unknown-process"),
        (404, "unknown-version"),
        (404, "unknown-deal"),
        (422, "unknown-stage"),
        (422, "unknown-stage"),
        (422, "both-deal-forms"),
        (422, "invalid-request"),
        (422, "invalid-request"),
        (422, "invalid-request"),
    ]


async def test_an_unknown_stage_comes_with_its_place_and_the_known_ones(world: World) -> None:
    content = (await world.ask("POST", PATH, question(to="nowhere"))).json()
    expected = ("to", ["demo_scheduled", "demo_completed", "won", "lost"])
    assert expected == (content["place"], content["known"])


async def test_the_next_activities_lead_to_the_goal(world: World) -> None:
    advice = await world.good(
        "POST", "/next-activities", {"process": "b2b-saas", "deal": deal(), "as_of": question()["as_of"]}
    )
    assert ("demo_scheduled", "won", ["demo_completed", "won"]) == (
        advice["stage"],
        advice["goal"],
        advice["plan"]["stages"],
    )
    assert [("do_activity", "demo", True), ("fill_field", "next_step", True)] == [
        (one["kind"], one.get("activity") or one.get("field"), one["mandatory"]) for one in advice["suggestions"][:2]
    ]


async def test_the_next_activities_of_a_stored_deal_are_those_of_the_same_deal_sent_along(world: World) -> None:
    await world.good("PUT", "/deals/D-1", stored())
    by_get = await world.good("GET", "/deals/D-1/next-activities", params={"limit": 2})
    by_post = await world.good("POST", "/next-activities", {"deal_id": "D-1", "limit": 2})
    assert by_get["suggestions"] == by_post["suggestions"]
