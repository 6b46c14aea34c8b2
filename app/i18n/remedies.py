"""Ways out as short imperatives: `hold a product demo and log it as held`, `find out the budget`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from app.i18n.figures import span, timed
from app.i18n.labels import Labels
from app.i18n.texts import Catalogue
from app.i18n.words import Word, noun

Step = dict[str, Any]


def way_out(steps: Sequence[Step], labels: Labels) -> str:
    """All the steps of a finding in one phrase; empty when nothing can help."""
    if len(steps) == 1:
        return step_text(steps[0], labels)
    return labels.catalogue.both(text for text in (step_text(step, labels) for step in steps) if text)


def step_text(step: Step, labels: Labels) -> str:
    """One step, or a choice between several."""
    kind = step.get("kind")
    if kind is not None:
        return _STEPS[kind](step, labels)
    if "one_of" in step:
        ways = [text for text in (step_text(one, labels) for one in step["one_of"]) if text]
        return one_of(ways, labels.catalogue)
    return way_out(step.get("all_of", ()), labels)


def one_of(ways: list[str], catalogue: Catalogue) -> str:
    """`either … or …`."""
    if len(ways) < 2:  # noqa: PLR2004 (one is no choice)
        return "".join(ways)
    return catalogue.text("remedy.one_of", first=", ".join(ways[:-1]), last=ways[-1])


def activity_noun(step: Step, word: Word, catalogue: Catalogue) -> Word:
    """The activity with its direction: `an inbound call`."""
    direction = step.get("direction")
    if direction is None:
        return word
    code = f"noun.{direction}"
    text = catalogue.text(code, activity=str(word))
    if catalogue.locale == "en":
        return noun(text, "en")
    articles = {form: catalogue.text(code, activity=said) for form, said in word.forms.items() if "|" not in form}
    return Word(text, word.gender, articles)


def people(step: Step, count: int, labels: Labels) -> str:
    """With whom, and with how many of them."""
    text = labels.catalogue.text
    if count > 1 and "with" in step:
        return text("option.people_as", count=count, role=labels.person(step["with"]))
    if "with" in step:
        return text("option.with", role=labels.person(step["with"]))
    return text("option.people", count=count) if count > 1 else ""


def _soon(step: Step, labels: Labels) -> str:
    if "within" not in step:
        return ""
    return labels.catalogue.text("option.soon", span=span(step["within"], labels.locale))


def _times(step: Step, labels: Labels) -> str:
    times = step.get("times", 1)
    return labels.catalogue.text("option.times", count=times) if times > 1 else ""


def _do_activity(step: Step, labels: Labels) -> str:
    key = step["activity"]
    word = activity_noun(step, labels.activity(key), labels.catalogue)
    manner = "inbound" if step.get("direction") == "inbound" else labels.kinds.get(key, "other")
    said = labels.catalogue.text(f"remedy.do_activity.{manner}", activity=word)
    said += people(step, step.get("people", 1), labels)
    if "outcome" in step:
        name = labels.outcome(key, step["outcome"], word)
        said += labels.catalogue.text("remedy.do_activity.outcome", activity=word, outcome=name)
    return said + _times(step, labels)


def _book_activity(step: Step, labels: Labels) -> str:
    word = activity_noun(step, labels.activity(step["activity"]), labels.catalogue)
    said = labels.catalogue.text("remedy.book_activity", activity=word) + people(step, step.get("people", 1), labels)
    return said + _soon(step, labels) + _times(step, labels)


def _fill_field(step: Step, labels: Labels) -> str:
    code = "remedy.clear_field" if step.get("is") == "absent" else "remedy.fill_field"
    return labels.catalogue.text(code, field=labels.field(step["field"]))


def _name_contact(step: Step, labels: Labels) -> str:
    return labels.catalogue.text("remedy.name_contact", count=step.get("times", 1), role=labels.person(step["role"]))


def _request_approval(step: Step, labels: Labels) -> str:
    return labels.catalogue.text("remedy.request_approval", role=labels.person(step["role"]))


def _wait_until(step: Step, labels: Labels) -> str:
    until = timed(datetime.fromisoformat(step["until"]), labels.zone, labels.locale)
    return labels.catalogue.text("remedy.wait_until", until=until)


def _ask_other_mover(step: Step, labels: Labels) -> str:
    return labels.catalogue.text("remedy.ask_other_mover", roles=people_choice(step["roles"], labels))


def _take_drawn_move(step: Step, labels: Labels) -> str:
    stages = labels.catalogue.either(labels.stage(key) for key in step["to"])
    if "until" in step:
        until = timed(datetime.fromisoformat(step["until"]), labels.zone, labels.locale)
        return labels.catalogue.text("remedy.reopen_until", stages=stages, until=until)
    return labels.catalogue.text("remedy.take_drawn_move", stages=stages)


def _new_deal(step: Step, labels: Labels) -> str:
    return labels.catalogue.text("remedy.new_deal_linked" if "linked_to" in step else "remedy.new_deal")


def people_choice(roles: Sequence[str], labels: Labels, form: str = "a") -> str:
    """`a rep or a sales manager`."""
    return labels.catalogue.either(format(labels.person(role), form) for role in roles)


_STEPS: dict[str, Callable[[Step, Labels], str]] = {
    "do_activity": _do_activity,
    "book_activity": _book_activity,
    "fill_field": _fill_field,
    "name_contact": _name_contact,
    "request_approval": _request_approval,
    "wait_until": _wait_until,
    "ask_other_mover": _ask_other_mover,
    "take_drawn_move": _take_drawn_move,
    "new_deal": _new_deal,
}
"""Remediation kind -> the phrase for it."""

REMEDY_KINDS = tuple(_STEPS)
