"""What is the case, in words: `demo held once since 10 November 2026`, `the budget is “unknown”`."""

from datetime import datetime
from typing import Any, NamedTuple

from app.engine.decision import Nested
from app.i18n.figures import age, moment, percent, quoted, span, timed, value
from app.i18n.labels import Labels
from app.i18n.remedies import activity_noun, people, people_choice
from app.i18n.words import Word


class Case(NamedTuple):
    """What was asked, and what was there."""

    expected: dict[str, Any]
    actual: dict[str, Any]
    params: dict[str, Any]
    nested: tuple[Nested, ...]


class ActivityParts(NamedTuple):
    """The pieces of a sentence about an activity."""

    word: Word
    done: str
    options: str


def fact(case: Case, labels: Labels) -> str:
    """What a requirement asks about, as it stands."""
    kind = next((kind for kind in _FACTS if kind in case.expected), "field")
    return _FACTS[kind](case, labels)


def field_value(key: str, raw: Any, labels: Labels) -> str:
    """A field's value by its declared type: a choice by its name, a number with its unit."""
    declared = labels.declared.get(key)
    if declared is None:
        return value(raw, "", None, labels.catalogue)
    if declared.type == "choice" and isinstance(raw, str):
        return quoted(labels.choice(key, raw), labels.catalogue)
    return value(raw, declared.type, declared.unit, labels.catalogue)


def activity_parts(case: Case, labels: Labels) -> ActivityParts:
    """The noun, how it counts, and the conditions on it."""
    asked = case.expected["activity"]
    keys: list[str] = [asked] if isinstance(asked, str) else asked
    word = _any_activity(labels) if keys == ["any"] else _one_of(keys, labels)
    kinds = {labels.kinds.get(key) for key in keys}
    done = labels.done(
        keys[0] if len(kinds) == 1 else "",
        case.expected.get("outcome"),
        planned=case.expected.get("status") == "planned",
        agree=word,
        inbound=case.expected.get("direction") == "inbound",
    )
    return ActivityParts(activity_noun(case.expected, word, labels.catalogue), done, _activity_options(case, labels))


def _any_activity(labels: Labels) -> Word:
    return labels.short(labels.catalogue.text("noun.activity"))


def _one_of(keys: list[str], labels: Labels) -> Word:
    """`demo or trial`: the articles of the first one lead the list."""
    word = labels.short(keys[0])
    if len(keys) == 1:
        return word
    others = [str(labels.short(key)) for key in keys[1:]]
    text = labels.catalogue.either([str(word), *others])
    return Word(text, word.gender, {"no": labels.catalogue.either([format(word, "no"), *others])})


def _activity_options(case: Case, labels: Labels) -> str:
    text = labels.catalogue.text
    said = ""
    met = case.actual.get("people", 0)
    if met == 1 and "with" not in case.expected:
        said += text("option.people", count=1)
    else:
        said += people(case.expected, met, labels)
    if case.expected.get("status") == "planned" and "within" in case.expected:
        said += text("option.soon", span=span(case.expected["within"], labels.locale))
    since = case.params.get("since")
    if since is not None:
        said += text("option.since", since=moment(since, labels.zone, labels.locale))
    return said


def _activity(case: Case, labels: Labels) -> str:
    parts = activity_parts(case, labels)
    count = case.actual.get("count", 0)
    return labels.catalogue.text(
        "fact.activity", count=count, activity=parts.word, done=parts.done, options=parts.options
    )


def _field(case: Case, labels: Labels) -> str:
    key, raw = case.params["field"], case.actual.get("value")
    if raw is None:
        return labels.catalogue.text("finding.field_missing.detail", field=labels.field(key))
    return labels.catalogue.text("fact.field", field=labels.field(key), value=field_value(key, raw, labels))


def _contact(case: Case, labels: Labels) -> str:
    role = labels.person(case.expected["contact"])
    return labels.catalogue.text("fact.contact", count=case.actual["count"], role=role)


def age_figures(case: Case, labels: Labels) -> dict[str, Any]:
    """Since when, for how long, until when."""
    since, minutes = case.actual.get("since"), case.actual.get("age_minutes")
    until = case.params.get("until")
    return {
        "since": "" if since is None else moment(datetime.fromisoformat(since), labels.zone, labels.locale),
        "age": age(minutes or 0, labels.locale),
        "until": "" if until is None else timed(until, labels.zone, labels.locale),
    }


def _age(case: Case, labels: Labels) -> str:
    figures = age_figures(case, labels)
    code = "fact.stage_age" if "stage_age" in case.expected else "fact.deal_age"
    return labels.catalogue.text(code, since=figures["since"], age=figures["age"])


def _approval(case: Case, labels: Labels) -> str:
    return labels.catalogue.text("fact.approval", role=labels.person(case.expected["approval"]))


def _mover(case: Case, labels: Labels) -> str:
    roles = case.actual.get("roles") or []
    if not roles:
        return labels.catalogue.text("fact.mover.none")
    return labels.catalogue.text("fact.mover", roles=people_choice(roles, labels))


def _data_quality(case: Case, labels: Labels) -> str:
    return labels.catalogue.text("fact.data_quality", score=percent(case.actual["score"], labels.locale))


_FACTS = {
    "activity": _activity,
    "field": _field,
    "contact": _contact,
    "stage_age": _age,
    "deal_age": _age,
    "approval": _approval,
    "mover": _mover,
    "data_quality": _data_quality,
}
