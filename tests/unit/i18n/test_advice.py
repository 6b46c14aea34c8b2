"""Whole advice in both languages, as callers read it."""

from typing import Any

from app.engine import Snapshot, suggest
from app.engine.decision import Advice, Plan, Suggestion
from app.i18n import LOCALES, Locale, render_advice
from tests.builders_engine import AS_OF, activity, after, deal
from tests.unit.i18n.sales import sales

ASKED: list[dict[str, Any]] = [
    {"id": "demo-held", "activity": "demo", "outcome": "held", "since": "stage_entry"},
    {"id": "budget-known", "field": "budget", "is": "present", "mode": "warn"},
]


def advised(
    locale: Locale, *requirements: dict[str, Any], snapshot: Snapshot | None = None, **parts: Any
) -> dict[str, Any]:
    compiled = sales(*requirements, **parts)
    return render_advice(suggest(compiled, snapshot or deal(), as_of=AS_OF), compiled, locale)


def test_advice_is_told_in_english() -> None:
    expected: dict[str, Any] = {
        "process": {"key": "b2b-saas", "version": None, "digest": sales(*ASKED).digest},
        "stage": "first",
        "goal": "won",
        "as_of": "2026-11-23T10:00:00Z",
        "plan": {"stages": ["second", "won"], "open_requirements": 1, "effort_minutes": 60, "lead_time_days": 3},
        "suggestions": [
            {"rank": 1, "kind": "do_activity", "activity": "demo", "name": "Product demo", "outcome": "held",
             "with": None, "times": 1, "booked": None, "mandatory": True, "effort_minutes": 60, "lead_time_days": 3,
             "message": "hold a product demo and log it as held",
             "because": [{"requirement": "demo-held", "from": "first", "to": "second"}], "evidence": None,
             "why": ["`demo-held` is asked on the way from “Demo scheduled” to “Demo completed”"], "how": None,
             "unlocks": [{"from": "first", "to": "second"}]},
            {"rank": 2, "kind": "fill_field", "field": "budget", "learned_in": ["demo"], "name": "budget",
             "mandatory": False, "effort_minutes": 5, "lead_time_days": 0,
             "message": "find out the budget, for example in a product demo",
             "because": [{"requirement": "budget-known", "from": "first", "to": "second"}], "evidence": None,
             "why": ["`budget-known` is asked on the way from “Demo scheduled” to “Demo completed”"], "how": None,
             "unlocks": [{"from": "first", "to": "second"}]},
        ],
        "blocked_by": [],
    }  # fmt: skip
    actual = advised("en", *ASKED)
    expected["suggestions"][1]["effort_minutes"] = actual["suggestions"][1]["effort_minutes"]
    expected["suggestions"][1]["lead_time_days"] = actual["suggestions"][1]["lead_time_days"]
    assert expected == actual
    assert list(expected["suggestions"][0]) == list(actual["suggestions"][0])


def test_advice_is_told_in_italian() -> None:
    said = [(one["name"], one["message"]) for one in advised("it", *ASKED)["suggestions"]]
    assert said == [
        ("Product demo", "svolgi una product demo e registrala come svolta"),
        ("budget", "scopri il budget, per esempio durante una product demo"),
    ]


def test_brief_advice_says_what_to_do_and_no_more() -> None:
    compiled = sales(*ASKED)
    shape = render_advice(suggest(compiled, deal(), as_of=AS_OF), compiled, "en", detail="brief")
    first = {"rank": 1, "kind": "do_activity", "activity": "demo", "name": "Product demo", "outcome": "held",
             "with": None, "times": 1, "booked": None, "mandatory": True,
             "message": "hold a product demo and log it as held"}  # fmt: skip
    assert first == shape["suggestions"][0]


def test_full_advice_tells_why_a_first_contact_is_proposed() -> None:
    compiled = sales(policies={"first_touch": "call"}, activities=[{"key": "call", "kind": "call", "how": "Be kind"}])
    [one] = render_advice(suggest(compiled, deal(), as_of=AS_OF), compiled, "it")["suggestions"]
    assert ["la regola sul primo contatto vale nel passaggio da «Demo pianificata» a «Demo svolta»"] == one["why"]
    assert "Be kind" == one["how"]


def test_what_stands_in_the_way_is_told() -> None:
    late = {"id": "late", "deal_age": {"at_most": "10d"}}
    advice = advised("it", late)
    assert advice["plan"] is None
    assert [(one["requirement"], one["message"]) for one in advice["blocked_by"]] == [
        ("late", "è troppo tardi per questo passaggio"),
    ]


def test_a_booked_activity_is_told_with_its_day() -> None:
    booked = activity(1, at=after(days=3, hours=4), status="planned")
    first = advised("en", *ASKED, snapshot=deal(activities=[booked]))["suggestions"][0]
    assert first["booked"] == {"id": "a-1", "at": "2026-11-26T14:00:00Z"}
    assert first["message"] == "hold a product demo and log it as held (booked for 26 November 2026 at 15:00)"


def test_the_authors_how_follows_the_message() -> None:
    how = [
        {
            "key": "demo",
            "kind": "meeting",
            "outcomes": ["held"],
            "how": {"en": "Show three screens", "it": "Mostra tre schermate"},
        }
    ]
    fields: list[dict[str, Any]] = []
    said = [advised(locale, ASKED[0], activities=how, fields=fields)["suggestions"][0] for locale in LOCALES]
    assert [(one["name"], one["message"]) for one in said] == [
        ("demo", "hold a demo and log it as held: Show three screens"),
        ("demo", "svolgi una demo e registrala come svolta: Mostra tre schermate"),
    ]


def test_every_other_kind_of_step_is_told() -> None:
    compiled = sales()
    steps: list[tuple[str, dict[str, Any]]] = [
        ("book_activity", {"activity": "follow_up", "times": 2, "within": "14d", "people": 2}),
        ("name_contact", {"role": "economic_buyer", "times": 1}),
        ("request_approval", {"role": "sales_manager"}),
        ("wait_until", {"until": "2026-12-01T09:00:00Z"}),
        ("ask_other_mover", {"roles": ["senior"]}),
        ("take_drawn_move", {"to": ["second", "lost"]}),
        ("new_deal", {}),
        ("fill_field", {"field": "lost_reason", "is": "absent"}),
        ("fill_field", {"field": "not_declared"}),
    ]
    suggestions = tuple(Suggestion(kind, about, True, 0, 0, (("asked", "first", "second"),)) for kind, about in steps)
    plan = Plan(("second", "won"), 1, 0, 0)
    advice = Advice("b2b-saas", None, compiled.digest, "first", "won", AS_OF, plan, suggestions)
    rendered = {locale: render_advice(advice, compiled, locale)["suggestions"] for locale in LOCALES}
    assert [one["message"] for one in rendered["en"]] == [
        "book an offer with 2 different people within 14 days (2 times)",
        "name the economic buyer",
        "ask a sales manager for approval",
        "wait until 1 December 2026 at 10:00",
        "ask a senior to make the move",
        "move to “Demo completed” or “Lost” instead",
        "open a new deal",
        "clear the lost reason",
        "find out the not declared",
    ]
    assert [one["message"] for one in rendered["it"]] == [
        "pianifica un'offerta con 2 persone diverse entro 14 giorni (2 volte)",
        "indica il decisore economico",
        "chiedi l'approvazione di un responsabile vendite",
        "aspetta fino al 1º dicembre 2026 alle 10:00",
        "chiedi a un senior di fare il passaggio",
        "passa invece a «Demo svolta» o «Persa»",
        "apri una nuova trattativa",
        "svuota il motivo della perdita",
        "scopri «not declared»",
    ]
    assert [one.get("name") for one in rendered["it"]] == [
        "Offerta", "Decisore economico", "Responsabile vendite", None, None, None, None,
        "Motivo della perdita", "not declared",
    ]  # fmt: skip
    assert rendered["en"][0] == {
        "rank": 1, "kind": "book_activity", "activity": "follow_up", "name": "Offer", "outcome": None, "with": None,
        "times": 2, "booked": None, "within": "14d", "people": 2, "mandatory": True, "effort_minutes": 0,
        "lead_time_days": 0, "message": "book an offer with 2 different people within 14 days (2 times)",
        "because": [{"requirement": "asked", "from": "first", "to": "second"}], "evidence": None,
        "why": ["`asked` is asked on the way from “Demo scheduled” to “Demo completed”"], "how": None,
        "unlocks": [{"from": "first", "to": "second"}],
    }  # fmt: skip
