"""House rules in words: message and detail in both languages."""

from typing import Any

import pytest

from app.i18n import LOCALES, render_decision
from tests.builders_engine import Parts, activity, before, deal, judged, process

NEVER: Parts = {"policies": {"reopen_lost": "new_deal"}}
WITHIN: Parts = {"policies": {"reopen_lost": {"reopen_within": "30d"}}}
TOUCH: Parts = {"policies": {"first_touch": "call"}, "activities": [{"key": "mail", "kind": "email"}], "fields": []}
LATE = deal("lost", stage_entered_at="2026-10-01T10:00:00Z")
WRITTEN = deal(activities=[activity(1, "mail", before(days=2))])
LINKED = {"en": "make a new deal, linked to this one", "it": "crea una nuova trattativa, collegata a questa"}
TOUCHED = {"en": "the first contact did not keep the house rule", "it": "il primo contatto non ha seguito la regola"}
LATE_EN = "it could be taken up again within 30 days, until 31 October 2026 at 11:00"
LATE_IT = "si poteva riaprire entro 30 giorni, fino al 31 ottobre 2026 alle 11:00"
SAID = [
    (NEVER, LATE, "first", LINKED, {
        "en": "deals in “lost” are not taken up again; a new deal is made",
        "it": "le trattative in «lost» non si riaprono; se ne crea una nuova",
    }),
    (WITHIN, LATE, "first", LINKED, {
        "en": f"lost 53 days ago, on 1 October 2026; {LATE_EN}",
        "it": f"persa da 53 giorni, dal 1º ottobre 2026; {LATE_IT}",
    }),
    (TOUCH, WRITTEN, "second", TOUCHED, {
        "en": "first contact: mail, on 21 November 2026; a call should come first",
        "it": "primo contatto: mail, il 21 novembre 2026; prima serve una telefonata",
    }),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "snapshot", "to", "message", "detail"), SAID)
def test_house_rules_say_what_is_wrong(
    parts: Parts, snapshot: Any, to: str, message: dict[str, str], detail: dict[str, str]
) -> None:
    compiled = process(**parts)
    decision = judged(compiled, snapshot, to)
    for locale in LOCALES:
        [found] = render_decision(decision, compiled, locale)["findings"]
        assert (message[locale], detail[locale]) == (found["message"], found["detail"])
