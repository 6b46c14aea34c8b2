"""The decision log: newest first, refusals included, in the reader's language."""

from tests.api.world import World, pages
from tests.builders import question, ready_deal, stored


async def test_the_log_is_read_in_pages_newest_first(world: World) -> None:
    ids = [(await world.good("POST", "/validate-transition", question(dry_run=False)))["decision_id"] for _ in range(5)]
    newest = ids[::-1]
    assert [newest[:2], newest[2:4], newest[4:]] == await pages(world, "/decisions", "decision_id", limit=2)


async def test_the_log_is_asked_by_deal_process_outcome_and_source(world: World) -> None:
    await world.good("POST", "/validate-transition", question(dry_run=False))
    await world.good("POST", "/validate-transition", question(dry_run=False, deal=ready_deal(id="D-18")))
    await world.good("PUT", "/deals/D-19", stored())
    await world.good("POST", "/deals/D-19/moves", {"to": "demo_completed"})
    for params, deals in (
        ({"deal": "D-18"}, ["D-18"]),
        ({"outcome": "blocked"}, ["D-19", "D-17"]),
        ({"outcome": "not_judged"}, []),
        ({"source": "move"}, ["D-19"]),
        ({"process": "b2b-saas"}, ["D-19", "D-18", "D-17"]),
        ({"process": "b2b-saas", "source": "api", "outcome": "blocked", "deal": "D-17"}, ["D-17"]),
    ):
        assert [deals] == await pages(world, "/decisions", "deal_id", **params)
    assert (422, "invalid-request") == await world.refusal("GET", "/decisions", params={"outcome": "denied"})


async def test_the_log_speaks_italian_with_the_authors_words(world: World) -> None:
    await world.good("POST", "/validate-transition", question(dry_run=False))
    told = {}
    for language in ("en", "it"):
        answer = await world.ask("GET", "/decisions", headers={"accept-language": language})
        assert language == answer.headers["content-language"]
        told[language] = [(one["code"], one["message"]) for one in answer.json()["items"][0]["findings"]]
    assert [
        ("activity_missing", "Hold the demo and log it as held"),
        ("activity_missing", "Svolgi la demo e registrala come svolta"),
    ] == [told["en"][1], told["it"][1]]
    assert [code for code, _ in told["en"]] == [code for code, _ in told["it"]]
    assert not {message for _, message in told["en"]} & {message for _, message in told["it"]}


async def test_an_unknown_decision_is_not_found(world: World) -> None:
    assert (404, "unknown-decision") == await world.refusal("GET", "/decisions/0199")
