"""A deliberately poor process for each quality check: found at the exact place, and nothing else with it."""

from typing import get_args

import pytest

from app.engine.check.quality import CHECKS
from app.engine.silence import QualityCheck
from app.i18n import LOCALES, render_file_problem
from tests.builders_quality import GOOD, found, in_short, marked, spoilt

SECOND = "  - {key: solution_evaluated,"
MEET = "  - {key: meet, kind: meeting}\n"
AMOUNT = "  - {key: amount, type: number}\n"
REASON = "  - {key: lost_reason, type: choice, choices: [price, timing]}\n"
LOST = "  - {key: lost, kind: lost}\n"
TO_LOST = "  - {from: open, to: lost, requires: [{id: why, field: lost_reason, is: present}]}\n"
MET = "{id: met, activity: meet}"
WHO = "{id: who, contact: champion}"
WHY = "{id: why, field: lost_reason, is: present}"
FAST = "{id: fast, approval: boss}"
NO_TOUCH = "silence: [{check: no_first_touch_rule, because: Inbound only}]"
RULES = "policies: {reopen_lost: new_deal, first_touch: call}"


def at(key: str, more: str = "") -> tuple[str, str]:
    """The edit that marks a stage, and says more of it."""
    return f"  - {{key: {key},", f"  - ▶{{key: {key},{more}"


def named(key: str, name: str) -> tuple[str, str]:
    """The edit that gives a stage a name."""
    return f"  - {{key: {key},", f"  - {{key: {key}, name: {name},"


def drawn(*moves: str) -> tuple[str, str]:
    """The edit that draws more moves."""
    return "transitions:\n", "transitions:\n" + "".join(f"  - {{{move}}}\n" for move in moves)


def also(requirement: str) -> tuple[str, str]:
    """The edit that asks more of the first move."""
    return MET, f"{MET}, {requirement}"


def activity(entry: str) -> str:
    """The good process with one activity more, which is asked for."""
    key = entry.replace("▶", "").removeprefix("{key: ").partition(",")[0].rstrip("}")
    return spoilt((MEET, f"{MEET}  - {entry}\n"), also(f"{{id: more, activity: {key}}}"))


def field(entry: str, *requirements: str) -> str:
    """The good process with one field more, and what is asked of it."""
    return spoilt((AMOUNT, f"{AMOUNT}  - {entry}\n"), (MET, ", ".join((MET, *requirements))))


def asked(requirement: str) -> str:
    """The good process with one requirement more."""
    return spoilt(also(requirement))


POOR: dict[str, list[str]] = {
    "vague_stage_name": [
        spoilt(("problem_voiced", "could_buy"), ("{key: could_buy", "{key: ▶could_buy")),
        spoilt(named("problem_voiced", "▶Very hot lead")),
        spoilt(named("problem_voiced", "{it: Problema emerso, en: ▶Maybe}")),
        spoilt(named("problem_voiced", "{en: Problem voiced, it: ▶Forse compra}")),
        spoilt(("problem_voiced", "caldo"), named("caldo", "{en: Hot, it: Caldo}"), ("{key: caldo,", "{key: ▶caldo,")),
        spoilt(named("problem_voiced", "▶Likely to close"), named("terms_agreed", "▶Cliente interessato")),
    ],
    "trifling_activity": [
        activity("{key: ▶client_lunch}"),
        activity("{key: social, name: {en: ▶Golf with the CEO, it: Uscita}}"),
        activity("{key: social, name: {en: Meeting, it: ▶Riunione a pranzo}}"),
        activity("{key: social, name: ▶Riunione fuori sede}"),
        activity("{key: ▶coffee_with_champion, name: Coffee}"),
    ],
    "no_lost_stage": [
        spoilt((LOST, ""), (TO_LOST, ""), (REASON, ""), ("stages:\n", "▶stages:\n"), ("reopen_lost: new_deal, ", "")),
    ],
    "no_lost_reason": [
        spoilt((f", requires: [{WHY}]", ""), (REASON, ""), at("lost")),
        spoilt((WHY, "{id: why, mover: [boss]}"), (REASON, ""), at("lost")),
        spoilt((TO_LOST, ""), (REASON, ""), ("{reopen_lost", "{undrawn: warn, reopen_lost"), at("lost")),
        spoilt(("{from: open", "{from: problem_voiced"), drawn("from: [solution_evaluated, terms_agreed], to: lost"),
               at("lost")),
        spoilt((WHY, "{id: why, field: lost_reason, is: absent}"), at("lost")),
    ],
    "no_reopen_rule": [
        spoilt((RULES, "▶policies: {first_touch: call}")),
        spoilt((RULES, "policies: {first_touch: call}"), ("process: p\n", ""), ("policies:", "process: p\n▶policies:")),
    ],
    "no_first_touch_rule": [
        spoilt((RULES, "▶policies: {reopen_lost: {reopen_within: 90d}}"), also("{id: called, activity: call}")),
        spoilt((RULES, ""), ("process: p", "▶process: p"), also("{id: called, activity: call}"),
               drawn("from: lost, to: problem_voiced")),
    ],
    "unobservable_stage": [
        spoilt((f", requires: [{MET}]", ""), (MEET, ""), at("problem_voiced")),
        spoilt((MET, "{id: waited, stage_age: {at_least: 1d}}"), (MEET, ""), at("problem_voiced")),
        spoilt((MET, "{id: mine, not: {mover: [boss]}}"), (MEET, ""), at("problem_voiced")),
    ],
    "look_alike_stages": [
        spoilt(("maturity: run", "maturity: walk"), named("problem_voiced", "Demo held"),
               at("solution_evaluated", " name: The demos completed,")),
        spoilt(("maturity: run", "maturity: walk"), named("problem_voiced", "Offerta spedita"),
               at("solution_evaluated", " name: Offerta inviata,")),
        spoilt(named("problem_voiced", "{en: Need, it: Bisogno espresso}"),
               at("terms_agreed", " name: {en: Terms, it: '3. Bisogno espresso'},")),
        spoilt(named("problem_voiced", "Voiced  Problem"), at("won", " name: Voiced problem,")),
        spoilt((f", requires: [{WHO}]", ""), ("contacts: [champion]\n", ""), at("terms_agreed")),
        spoilt((WHO, "{id: again, activity: meet, say: Meet them}"), at("terms_agreed")),
        spoilt((WHO, "{id: again, activity: meet}"), named("solution_evaluated", "Same"),
               at("terms_agreed", " name: Same,")),
    ],
    "skippable_stage": [
        spoilt(drawn("from: problem_voiced, to: terms_agreed"), at("solution_evaluated")),
        spoilt(drawn("from: problem_voiced, to: won"), at("solution_evaluated"), at("terms_agreed")),
        spoilt((LOST, f"{LOST}  - {{key: fast_lane_agreed, buyer: b}}\n"), at("terms_agreed"),
               drawn(f"from: solution_evaluated, to: fast_lane_agreed, requires: [{FAST}]",
                     "from: fast_lane_agreed, to: won", "from: fast_lane_agreed, to: solution_evaluated",
                     "from: terms_agreed, to: problem_voiced")),
        spoilt(drawn("from: problem_voiced, to: terms_agreed"), at("solution_evaluated"),
               ("path: [", "start: [problem_voiced, terms_agreed]\npath: [")),
    ],
    "too_many_activities": [
        spoilt(("activities:\n", "▶activities:\n"), (MEET, MEET + "".join(f"  - {{key: {key}}}\n" for key in "abcd")),
               (MET, "{id: met, activity: [meet, a, b, c, d]}")),
    ],
    "unused_activity": [
        spoilt((MEET, f"{MEET}  - ▶{{key: review}}\n")),
        spoilt((MEET, f"{MEET}  - ▶{{key: mailing, kind: email}}\n"), also("{id: called, activity: call}"),
               (", first_touch: call", ""), ("maturity: run", f"maturity: run\n{NO_TOUCH}")),
    ],
    "unused_field": [
        field("▶{key: birthday, type: date, learned_in: [meet]}"),
    ],
    "free_text_for_choice": [
        field("{key: plan, type: ▶text}", "{id: big, field: plan, in: [gold, silver]}"),
        field("{key: plan, type: ▶text}", "{id: big, contact: champion, when: {field: plan, equals: gold}}"),
        field("{key: loss_reason, type: ▶text}", "{id: why-else, field: loss_reason, is: present}"),
        field("{key: x, type: ▶text, name: Lead source}", "{id: from-where, field: x, is: present}"),
        field("{type: ▶text, key: settore}", "{id: in-what, field: settore, is: present}"),
        spoilt((REASON, "  - {key: lost_reason, type: ▶text}\n")),
        spoilt((REASON, "  - {key: why_not, type: ▶text, min_length: 20}\n"), ("field: lost_reason", "field: why_not")),
        field("{key: motivo_della_perdita, type: ▶text}", "{id: perche, field: motivo_della_perdita, is: present}"),
    ],
    "no_way_out_requirement": [
        asked("▶{id: young, deal_age: {at_most: 30d}}"),
        asked("▶{id: brisk, stage_age: {at_least: 1d, at_most: 30d}, mode: {warn: 2027-01-01, enforce: 2027-02-01}}"),
        asked("▶{id: brisk, not: {stage_age: {at_least: 30d}}}"),
        asked("▶{id: never-called, not: {activity: call}}"),
        asked("▶{id: never, not: {any: [{activity: call}, {contact: champion}]}}"),
        asked("▶{id: unapproved, not: {approval: boss}}"),
        asked("▶{id: both, all: [{contact: champion}, {deal_age: {at_most: 30d}}]}"),
        spoilt(("{key: terms_agreed,", "{key: terms_agreed, exit: [▶{id: brisk, stage_age: {at_most: 30d}}],")),
        asked("▶{id: either, any: [{stage_age: {at_most: 3d}}, {deal_age: {at_most: 30d}}]}"),
    ],
    "convenient_any": [
        asked("{id: safe, any: [{activity: meet}, ▶{field: amount, less_than: 5}]}"),
        asked("{id: safe, any: [▶{all: [{field: amount, less_than: 5}]}, {approval: boss}]}"),
        asked("{id: safe, all: [{contact: champion}, {any: [▶{field: amount, is: present}, {activity: call}]}]}"),
    ],
    "seller_named_stage": [
        spoilt(("problem_voiced", "demo_scheduled"), ("{key: demo_scheduled", "{key: ▶demo_scheduled")),
        spoilt(named("problem_voiced", "▶Product demo")),
        spoilt(named("problem_voiced", "{en: ▶Proposal sent, it: Offerta valutata dal cliente}")),
        spoilt(named("problem_voiced", "{en: Terms read, it: ▶Contratto inviato}")),
        spoilt(named("problem_voiced", "{en: ▶Trial, it: Prova}")),
        spoilt(named("problem_voiced", "▶Demo svolta"), named("terms_agreed", "▶First call held")),
    ],
    "no_buyer_step": [
        spoilt(("{key: solution_evaluated, buyer: evaluation}", "▶{key: solution_evaluated}")),
    ],
}  # fmt: skip
"""Code -> good processes spoilt in one place each."""

ROWS = [(code, text) for code, texts in POOR.items() for text in texts]
IDS = [f"{code}-{number}" for number, (code, _) in enumerate(ROWS)]


@pytest.mark.parametrize(("code", "text"), ROWS, ids=IDS)
def test_what_is_poor_is_found_at_its_place_and_nothing_else_with_it(code: str, text: str) -> None:
    expected, plain = marked(code, text)
    assert expected
    assert expected == in_short(found(plain))


@pytest.mark.parametrize(("code", "text"), ROWS, ids=IDS)
def test_both_languages_name_what_is_poor(code: str, text: str) -> None:
    [problem, *_] = found(marked(code, text)[1])
    english, italian = (render_file_problem(problem, locale)["message"] for locale in LOCALES)
    subjects = [
        value for name, value in problem.params.items() if name in ("stage", "activity", "field", "requirement")
    ]
    assert english != italian
    assert all(f"`{subject}`" in english and f"`{subject}`" in italian for subject in subjects)


def stages(maturity: str, count: int) -> str:
    """A good process with so many open stages."""
    more = count - 3
    asks = [f"[{{id: r{one}, field: amount, more_than: {one}}}]" for one in range(more)]
    steps = [f"  - {{key: step_{one}, buyer: b, enter: {asks[one]}}}\n" for one in range(more)]
    names = "".join(f"step_{at}, " for at in range(more))
    last = f"step_{more - 1}"
    return spoilt(
        ("maturity: run", f"maturity: {maturity}"),
        ("stages:\n", "▶stages:\n"),
        (SECOND, "".join(steps) + SECOND),
        ("path: [problem_voiced, ", f"path: [problem_voiced, {names}"),
        ("{from: problem_voiced, to: solution_evaluated", f"{{from: {last}, to: solution_evaluated"),
    )


@pytest.mark.parametrize(("maturity", "most"), [("crawl", 5), ("walk", 8), ("run", 9)])
def test_each_maturity_bears_so_many_open_stages(maturity: str, most: int) -> None:
    expected, plain = marked("too_many_stages", stages(maturity, most + 1))
    assert expected == in_short(found(plain))
    assert () == found(marked("too_many_stages", stages(maturity, most))[1])


def test_every_check_has_a_poor_process() -> None:
    assert set(get_args(QualityCheck)) == set(CHECKS) == {*POOR, "too_many_stages"}


def test_the_good_process_is_good() -> None:
    assert () == found(GOOD)


def test_a_move_by_name_that_drops_the_reason_is_told_once() -> None:
    text = spoilt(("transitions:\n", "transitions:\n  - {from: terms_agreed, to: lost}\n"))
    assert ["edge_drops"] == [problem.code for problem in found(text)]


def test_neighbours_that_nothing_marks_are_told_apart_by_nothing() -> None:
    text = spoilt((f", requires: [{MET}]", ""), (f", requires: [{WHO}]", ""), (MEET, ""))
    assert [
        ("unobservable_stage", "problem_voiced"),
        ("look_alike_stages", "solution_evaluated"),
        ("unobservable_stage", "solution_evaluated"),
    ] == sorted(((one.code, one.params["stage"]) for one in found(text)), key=lambda one: (one[1], one[0]))


@pytest.mark.parametrize(
    "name", ["compelling_reason", "source_system", "reason_details", "industry_notes", "ragione_sociale"]
)
def test_a_text_that_is_no_list_of_answers_may_be_free(name: str) -> None:
    assert () == found(field(f"{{key: {name}, type: text}}", f"{{id: told, field: {name}, is: present}}"))


def test_a_free_text_beside_the_reason_may_say_more() -> None:
    more = f"{WHY}, {{id: why-more, field: reason_in_words, is: present}}"
    assert () == found(spoilt((WHY, more), (REASON, f"{REASON}  - {{key: reason_in_words, type: text}}\n")))
