"""`relaxed_for`: what blocks others only advises those who have earned it."""

from app.engine import Actor, compile_process, decide, suggest
from app.engine.process import Process
from app.i18n import render_decision
from tests.builders_engine import AS_OF, BASE, Parts, asking, blocking, deal, finding, judged

ASKED: Parts = {"id": "asked", "contact": "buyer", "relaxed_for": ["senior", "boss"]}
SENIOR = Actor(id="sue", roles=("rep", "senior"))
NAME_BUYER: Parts = {"kind": "name_contact", "role": "buyer", "times": 1}
EXPECTED: Parts = {"contact": "buyer", "at_least": 1}


def test_a_mover_with_the_role_is_only_advised_and_the_finding_says_so() -> None:
    found = finding(asking(ASKED), actor=SENIOR)
    advice = blocking("contact_missing", EXPECTED, {"count": 0}, NAME_BUYER, severity="warn", relaxed_for="senior")
    assert (advice, "allowed") == (found, judged(asking(ASKED), actor=SENIOR).outcome)


def test_anybody_else_is_blocked_and_so_is_nobody() -> None:
    blocked = blocking("contact_missing", EXPECTED, {"count": 0}, NAME_BUYER)
    for actor in (Actor(id="rep-7", roles=("rep",)), Actor(id="x"), None):
        assert blocked == finding(asking(ASKED), actor=actor)


def test_what_cannot_be_told_is_relaxed_as_well() -> None:
    found = finding(asking(ASKED), actor=SENIOR, missing=frozenset({"contacts"}))
    assert found is not None
    assert ("cannot_evaluate", "warn", "senior") == (found.code, found.severity, found.relaxed_for)


def test_what_does_not_block_now_is_left_as_it_is() -> None:
    for mode, severity in (("warn", "warn"), ("observe", "info"), ({"enforce": "2027-01-01"}, "info")):
        found = finding(asking({**ASKED, "mode": mode}), actor=SENIOR)
        assert found is not None
        assert (severity, None) == (found.severity, found.relaxed_for)


def test_suggestions_are_not_mandatory_for_those_who_are_only_advised() -> None:
    def mandatory(actor: Actor | None) -> list[bool]:
        return [one.mandatory for one in suggest(asking(ASKED), deal(), as_of=AS_OF, actor=actor).suggestions]

    assert ([False], [True], [True]) == (mandatory(SENIOR), mandatory(Actor(id="x", roles=("rep",))), mandatory(None))


def test_the_finding_reads_as_advice_in_both_languages() -> None:
    compiled = asking(ASKED)
    decision = decide(compiled, deal(), "second", as_of=AS_OF, actor=SENIOR)
    said = [render_decision(decision, compiled, locale)["findings"][0] for locale in ("en", "it")]
    assert ["no buyer named; 1 needed; advice only for a senior", "senior"] == [
        said[0]["detail"],
        said[0]["relaxed_for"],
    ]
    assert said[1]["detail"].endswith("; solo un consiglio per un senior")


def test_a_requirement_that_relaxes_nobody_reads_as_ever() -> None:
    plain = {key: value for key, value in ASKED.items() if key != "relaxed_for"}
    compiled = asking(plain)
    rendered = render_decision(judged(compiled), compiled, "en")["findings"][0]
    assert ("no buyer named; 1 needed", False) == (rendered["detail"], "relaxed_for" in rendered)
    same = [compile_process(Process.model_validate({**BASE, "transitions": [edge(one)]})) for one in (plain, plain)]
    assert same[0].digest == same[1].digest != asking(ASKED).digest


def edge(asked: Parts) -> Parts:
    return {"from": "first", "to": "second", "requires": [asked]}
