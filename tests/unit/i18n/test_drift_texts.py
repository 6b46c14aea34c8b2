"""What a sales person reads on a deal that was moved against its process, word for word."""

from datetime import UTC, datetime

import pytest

from app.engine import Decision, compile_process, decide, load_process, suggest
from app.engine.snapshot import Snapshot
from app.i18n import Locale
from app.i18n.drift_texts import drift_note, drift_task

PROCESS = compile_process(
    load_process(b"""
process: sales
activities: [{key: demo, outcomes: [held]}]
fields: [{key: next_step, type: text, name: {en: Next step, it: Prossimo passo}}]
stages:
  - {key: planned, name: {en: Demo planned, it: Demo pianificata}, exit: [{id: next, field: next_step, is: present}]}
  - {key: done, name: {en: Demo done, it: Demo svolta}}
  - {key: won, kind: won, name: {en: Won, it: Vinta}}
path: [planned, done, won]
transitions:
  - from: planned
    to: done
    requires:
      - {id: held, activity: demo, outcome: held, say: {en: Log the demo as held, it: Registra la demo come svolta}}
""")
)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DEAL = Snapshot(id="D-1", stage="planned", stage_entered_at=NOON, created_at=NOON)


def _refused(stage: str, to: str) -> Decision:
    return decide(PROCESS, DEAL.model_copy(update={"stage": stage}), to, as_of=NOON)


NOTES: dict[Locale, str] = {
    "en": """\
This deal was moved from “Demo planned” to “Demo done”, which its process does not allow, so it was put back to \
“Demo planned”. Here is why:
- Find out the next step (the next step is missing)
- Log the demo as held (no demo held; 1 needed)
  What to do: do the demo and log it as held""",
    "it": """\
Questa trattativa è stata spostata da «Demo pianificata» a «Demo svolta», ma il processo non lo consente, perciò è \
stata riportata a «Demo pianificata». Ecco perché:
- Scopri il prossimo passo (manca il prossimo passo)
- Registra la demo come svolta (nessuna demo svolta; ne serve 1)
  Che cosa fare: svolgi la demo e registrala come svolta""",
}


@pytest.mark.parametrize("locale", NOTES)
def test_a_note_tells_the_move_where_the_deal_is_now_and_every_reason_with_its_way_out(locale: Locale) -> None:
    assert drift_note(_refused("planned", "done"), PROCESS, locale, put_back="planned") == NOTES[locale]


def test_a_note_promises_nothing_where_the_move_will_never_be_allowed() -> None:
    assert drift_note(_refused("done", "planned"), PROCESS, "en", put_back=None) == (
        "This deal was moved from “Demo done” to “Demo planned”, which its process does not allow. Here is why:\n"
        "- Move to “Won” instead (“Demo planned” comes before “Demo done”; possible moves lead to “Won”)"
    )


def test_a_task_is_the_first_suggestion_else_the_first_reason() -> None:
    advice = suggest(PROCESS, DEAL, as_of=NOON, goal="done", limit=1)
    assert drift_task(advice, _refused("planned", "done"), PROCESS, "it") == "Scopri il prossimo passo"
    assert drift_task(None, _refused("done", "planned"), PROCESS, "it") == "Passa invece a «Vinta»"
