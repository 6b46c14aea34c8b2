"""Names of stages and activities: which words are told, and which stand for facts and stay silent."""

from typing import Any

import pytest

from app.engine import Process
from app.engine.check import check_process

STAGES = [{"key": "second", "buyer": "b"}, {"key": "won", "kind": "won"}, {"key": "lost", "kind": "lost"}]


def words(code: str, **parts: Any) -> list[str]:
    """The words that a check tells in a process of these parts."""
    process = Process.model_validate({"process": "p", "stages": [{"key": "first"}, *STAGES], **parts})
    return [word for problem in check_process(process) if problem.code == code for word in problem.params["words"]]


def of_stage(code: str, name: Any, key: str = "first") -> list[str]:
    entry = {"key": key, "buyer": "b", "name": name}
    return words(code, maturity="run", stages=[entry, *STAGES])


VAGUE = {
    "Could buy": ["could"],
    "Should close this quarter": ["should"],
    "Might be interested": ["might"],
    "MAYBE": ["maybe"],
    "Perhaps later": ["perhaps"],
    "Hopefully this year": ["hopefully"],
    "Interested": ["interested"],
    "Very interested": ["interested"],
    "Interested in a trial": ["interested"],
    "The client is still interested in the demo": ["interested"],
    "Hot": ["hot"],
    "3 - Warm lead": ["warm"],
    "Hot & interested": ["hot", "interested"],
    "Promising deal": ["promising"],
    "Likely to buy": ["likely"],
    "Potential customer": ["potential"],
    "Good chance": ["good"],
    "Potrebbe comprare": ["potrebbe"],
    "Vorrei chiudere": ["vorrei"],
    "Dovrebbe firmare": ["dovrebbe"],
    "Forse": ["forse"],
    "Magari a settembre": ["magari"],
    "Interessati": ["interessati"],
    "Cliente molto interessato": ["interessato"],
    "Cliente interessato all'offerta": ["interessato"],
    "Trattativa calda": ["calda"],
    "Lead tiepido": ["tiepido"],
    "Potenziale cliente": ["potenziale"],
    "Probabile chiusura": ["probabile"],
}  # fmt: skip


@pytest.mark.parametrize("name", VAGUE)
def test_a_wish_or_a_mood_is_told(name: str) -> None:
    assert VAGUE[name] == of_stage("vague_stage_name", name)


FACTUAL = [
    "Potential customer listed", "Hot swap trial", "Hot leads called", "Warm introduction made", "Cold call made",
    "Hotjar installed", "Could not be reached", "Should-cost model agreed", "Interested parties briefed",
    "Interested users trained", "Not interested", "Good fit confirmed", "Strong authentication tested", "Mayor met",
    "Wouldham visit booked", "Likelihood of use estimated", "Warmth pump installed", "Maybelline account opened",
    "New", "Qualified", "In progress", "Negotiation", "Discovery", "Proposal made", "Demo scheduled",
    "Potenziale cliente in elenco", "Uffici interessati informati", "Acqua calda collaudata", "Prova a caldo conclusa",
    "Chiamata a freddo fatta", "Parti interessate coinvolte", "Informativa all'interessato inviata", "Potenza misurata",
    "Calda Srl visitata", "Possibilità di rinnovo discussa", "…",
]  # fmt: skip


@pytest.mark.parametrize("name", FACTUAL)
def test_a_fact_is_not_told_whatever_words_it_is_made_of(name: str) -> None:
    assert [] == of_stage("vague_stage_name", name)


def test_a_language_is_judged_by_its_own_words() -> None:
    assert [] == of_stage("vague_stage_name", {"it": "Should", "de": "Maybe forse", "en": "Forse"})
    assert ["maybe", "forse"] == of_stage("vague_stage_name", {"en": "Maybe", "it": "Forse"})


@pytest.mark.parametrize("kind", ["won", "lost"])
def test_a_closed_stage_may_be_named_for_a_mood(kind: str) -> None:
    named = {"key": "later", "name": "Maybe interested later", "kind": kind}
    assert [] == words("vague_stage_name", stages=[{"key": "first"}, *STAGES, named])


def test_a_key_is_judged_where_no_name_is_given() -> None:
    assert ["should"] == of_stage("vague_stage_name", "x", key="should-buy")
    assert ["demo", "done"] == of_stage("seller_named_stage", None, key="demo_done")
    assert [] == of_stage("seller_named_stage", "Solution evaluated", key="demo_done")


def activity(name: str) -> list[str]:
    return words("trifling_activity", contacts=["technical_buyer"], activities=[{"key": "a", "name": name}])


TRIFLES = {
    "Lunch": ["lunch"],
    "Business lunch with the client": ["lunch"],
    "Lunch meeting": ["lunch"],
    "Dinner with technical buyer": ["dinner"],
    "Coffee chat": ["coffee"],
    "Golf day": ["golf"],
    "Offsite meeting": ["offsite"],
    "Off-site": ["off site"],
    "Happy hour": ["happy hour"],
    "Dinner & drinks": ["dinner", "drinks"],
    "Riunione a pranzo": ["pranzo"],
    "Cena con il cliente": ["cena"],
    "Pausa caffè": ["caffè"],
    "Aperitivo": ["aperitivo"],
    "Riunione fuori sede": ["fuori sede"],
}


@pytest.mark.parametrize("name", TRIFLES)
def test_a_social_occasion_is_told(name: str) -> None:
    assert TRIFLES[name] == activity(name)


@pytest.mark.parametrize(
    "name",
    [
        "Coffee machine demo", "Lunch and learn session", "Golf cart test drive", "Dinner menu tasting", "Site visit",
        "Off-site backup review", "Sopralluogo fuori sede", "Prova della macchina del caffè", "Scena del crimine",
        "Launch meeting", "Golfo Aranci visita", "Sede visitata", "Meeting", "Riunione con il cliente",
    ],
)  # fmt: skip
def test_work_that_only_sounds_social_is_not_told(name: str) -> None:
    assert [] == activity(name)


SELLERS = {
    "Demo": ["demo"],
    "First product demo": ["demo"],
    "Demo completed": ["demo", "completed"],
    "Proposal sent": ["proposal", "sent"],
    "Contract sent": ["contract", "sent"],
    "Call held": ["call", "held"],
    "Quote issued": ["quote", "issued"],
    "Trial": ["trial"],
    "Offerta inviata": ["offerta", "inviata"],
    "Demo svolta": ["demo", "svolta"],
    "Preventivo inviato": ["preventivo", "inviato"],
    "Contratto spedito": ["contratto", "spedito"],
    "Telefonata": ["telefonata"],
}


@pytest.mark.parametrize("name", SELLERS)
def test_the_sellers_act_is_told_at_run(name: str) -> None:
    assert SELLERS[name] == of_stage("seller_named_stage", name)


@pytest.mark.parametrize(
    "name",
    [
        "Solution evaluation", "Technical fit evaluation", "Contract signed", "Contract", "Proposal accepted",
        "Proposal presented to their board", "Demo requested", "Trial evaluated by the client", "Agreement on terms",
        "Problem recognition", "Investment decision", "Valutazione della soluzione", "Contratto firmato",
        "Offerta valutata dal cliente", "Accordo sulle condizioni", "Riconoscimento del problema", "Demonstrable value",
        "Callback requested", "Completed evaluation", "Offerings compared",
    ],
)  # fmt: skip
def test_the_buyers_step_is_not_told(name: str) -> None:
    assert [] == of_stage("seller_named_stage", name)


def test_below_run_stages_may_be_the_sellers() -> None:
    stages = [{"key": "first", "name": "Demo completed"}, *STAGES]
    assert [] == words("seller_named_stage", maturity="walk", stages=stages)


def alike(one: str, other: str) -> bool:
    stages = [{"key": "first", "name": one}, {"key": "other", "name": other}, *STAGES]
    process = Process.model_validate({"process": "p", "stages": stages})
    return any(problem.code == "look_alike_stages" for problem in check_process(process))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Demo held", "Demo completed", True),
        ("Demo held", "The demo: held!", True),
        ("1. Negotiation", "2. Negotiations", True),
        ("Verifica", "Verificà", True),
        ("Offerta inviata", "Offerta spedita", True),
        ("Demo booked", "Demo scheduled", True),
        ("Demo scheduled", "Demo completed", False),
        ("Negotiation 1", "Negotiation 2", False),
        ("First meeting held", "Second meeting held", False),
        ("Qualified", "Unqualified", False),
        ("Closed Lost", "Closed-Lost to Competition", False),
        ("Contract sent", "Contract signed", False),
        ("…", "!", False),
        ("The", "An", False),
        ("Process", "Proces", False),
        ("Offerta", "Offerte", False),
    ],
)
def test_names_that_say_the_same_look_alike(one: str, other: str, expected: bool) -> None:
    assert expected == alike(one, other)
