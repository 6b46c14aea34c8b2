"""What is wrong, with the figures: one function for each finding code."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from app.engine.decision import Finding, Nested
from app.i18n.facts import Case, activity_parts, age_figures, fact, field_value
from app.i18n.figures import moment, percent, quoted, span, value
from app.i18n.labels import Labels
from app.i18n.needs import field_need, times_needed
from app.i18n.remedies import people_choice

_MOST_FIELDS = 10


class Move(NamedTuple):
    """The move a finding is about, and as of when it is judged."""

    source: str | None
    to: str
    version: int | None
    as_of: datetime


def detail(found: Finding | Nested, labels: Labels, move: Move) -> str:
    """Our sentence about a finding, or about one nested result that does not hold."""
    code = found.code
    if code is None:
        return ""
    if code in _UNDRAWN:
        return _undrawn(found, labels, move)
    expected = found.expected
    while "not" in expected and "not" in expected["not"]:  # twice not is not not
        expected = expected["not"]["not"]
    return _DETAILS[code](Case(expected, found.actual, found.params, found.nested), labels, move)


def _field_missing(case: Case, labels: Labels, move: Move) -> str:
    said = labels.catalogue.text("finding.field_missing.detail", field=labels.field(case.params["field"]))
    return _with_need(said, _field_need(case, labels, move), labels)


def _field_need(case: Case, labels: Labels, move: Move) -> str:
    """What is asked of the field, or may not be; relative days become the days they mean."""
    refused = case.expected.get("not")
    return field_need(
        refused or case.expected, case.params["field"], labels, _today(labels, move), negate=refused is not None
    )


def _today(labels: Labels, move: Move) -> date:
    return move.as_of.astimezone(labels.zone).date()


def _field_too_short(case: Case, labels: Labels, _move: Move) -> str:
    key = case.params["field"]
    declared = labels.declared.get(key)
    least = (declared.min_length if declared else None) or 1
    length = len(str(case.actual["value"]).strip())
    return labels.catalogue.text("finding.field_too_short.detail", count=length, field=labels.field(key), least=least)


def _field_present(case: Case, labels: Labels, _move: Move) -> str:
    key = case.params["field"]
    return labels.catalogue.text(
        "finding.field_present.detail", field=labels.field(key), value=field_value(key, case.actual["value"], labels)
    )


def _field_mismatch(case: Case, labels: Labels, move: Move) -> str:
    return _with_need(fact(case, labels), _field_need(case, labels, move), labels)


def _with_need(said: str, need: str, labels: Labels) -> str:
    return labels.catalogue.text("finding.with_need", fact=said, need=need) if need else said


def _activity_missing(case: Case, labels: Labels, _move: Move) -> str:
    parts = activity_parts(case, labels)
    need = times_needed(case.expected, case.actual, labels.catalogue)
    if case.actual["count"]:
        return _with_need(fact(case, labels), need, labels)
    said = labels.catalogue.text(
        "finding.activity_missing.detail", activity=parts.word, done=parts.done, options=parts.options
    )
    return _with_need(said, need, labels)


def _contact_missing(case: Case, labels: Labels, _move: Move) -> str:
    need = times_needed(case.expected, case.actual, labels.catalogue)
    if case.actual["count"]:
        return _with_need(fact(case, labels), need, labels)
    role = labels.person(case.expected["contact"])
    return _with_need(labels.catalogue.text("finding.contact_missing.detail", role=role), need, labels)


def _too_early(case: Case, labels: Labels, _move: Move) -> str:
    return _out_of_time(case, labels, "at_least", "finding.too_early.detail")


def _too_late(case: Case, labels: Labels, _move: Move) -> str:
    return _out_of_time(case, labels, "at_most", "finding.too_late.detail")


def _out_of_time(case: Case, labels: Labels, bound: str, code: str) -> str:
    figures = age_figures(case, labels)
    kind = "stage_age" if "stage_age" in case.expected else "deal_age"
    limit = span(case.expected[kind][bound], labels.locale)
    return labels.catalogue.text(f"{code}.{kind}", limit=limit, **figures)


def _approval_missing(case: Case, labels: Labels, _move: Move) -> str:
    text = labels.catalogue.text
    said = text("finding.approval_missing.detail", role=labels.person(case.expected["approval"]))
    if "within" in case.expected:
        said += text("option.fresh", span=span(case.expected["within"], labels.locale))
    for one in case.actual["ignored"][:3]:
        said += text("finding.approval_missing.ignored", by=one["by"], because=text(f"ignored.{one['because']}"))
    return said


def _mover_not_allowed(case: Case, labels: Labels, _move: Move) -> str:
    allowed = people_choice(case.expected["mover"], labels)
    return labels.catalogue.text("finding.mover_not_allowed.detail", roles=allowed, actor=fact(case, labels))


def _data_quality_low(case: Case, labels: Labels, _move: Move) -> str:
    poor = [key for key, score in case.actual["fields"].items() if not score]
    least = percent(case.expected["data_quality"]["at_least"], labels.locale)
    said = labels.catalogue.text("finding.data_quality_low.detail", fact=fact(case, labels), least=least)
    if not poor:
        return said
    names = labels.catalogue.both([str(labels.field(key)) for key in poor[:_MOST_FIELDS]])
    return labels.catalogue.text("finding.data_quality_low.lacking", detail=said, fields=names)


def _reopen_not_allowed(_case: Case, labels: Labels, move: Move) -> str:
    return labels.catalogue.text("finding.reopen_not_allowed.detail", stage=labels.stage(move.source or ""))


def _reopen_too_late(case: Case, labels: Labels, _move: Move) -> str:
    limit = span(case.expected["reopen_lost"]["reopen_within"], labels.locale)
    return labels.catalogue.text("finding.reopen_too_late.detail", limit=limit, **age_figures(case, labels))


def _first_touch_broken(case: Case, labels: Labels, _move: Move) -> str:
    first = case.actual["first"]
    return labels.catalogue.text(
        "finding.first_touch_broken.detail",
        activity=labels.activity(first["activity"]),
        since=moment(datetime.fromisoformat(first["at"]), labels.zone, labels.locale),
        wanted=labels.catalogue.text(f"need.first_touch.{case.expected['first_touch']}"),
    )


def _none_met(case: Case, labels: Labels, move: Move) -> str:
    said = _listed("list.long_or", _open(case.nested, labels, move), labels)
    return labels.catalogue.text("finding.none_met.detail", list=said)


def _not_all_met(case: Case, labels: Labels, move: Move) -> str:
    met, count = case.actual["met"], len(case.nested)
    said = _listed("list.long_and", _open(case.nested, labels, move), labels)
    return labels.catalogue.text("finding.not_all_met.detail", count=count, met=met, list=said)


def _must_not_hold(case: Case, labels: Labels, move: Move) -> str:
    refused = case.expected["not"]
    if not case.nested and "field" in refused:
        return _refused_value(case, refused, labels, move)
    if not case.nested:
        said = fact(Case(refused, case.actual, case.params, ()), labels)
        return labels.catalogue.text("finding.must_not_hold.detail", fact=said)
    if "all" in refused:
        said = _listed("list.long_and", _open(case.nested, labels, move), labels)
        return labels.catalogue.text("finding.must_not_hold.all", list=said)
    return _listed("list.long_and", _open(case.nested, labels, move), labels)


def _refused_value(case: Case, refused: dict[str, Any], labels: Labels, move: Move) -> str:
    """A field that holds what it may not: present where it must be empty, or a value that compares."""
    if refused.get("is") == "present":
        return _field_present(case, labels, move)
    return _with_need(fact(case, labels), _field_need(case, labels, move), labels)


def _open(nested: Sequence[Nested], labels: Labels, move: Move) -> list[str]:
    """The sentences of the nested results that do not hold, with commas inside so that they can stand in a list."""
    return [detail(one, labels, move).replace("; ", ", ") for one in nested if not one.holds]


def _listed(code: str, items: list[str], labels: Labels) -> str:
    if len(items) < 2:  # noqa: PLR2004 (one needs no joining)
        return "".join(items)
    return labels.catalogue.text(code, list="; ".join(items[:-1]), last=items[-1])


def _cannot_evaluate(case: Case, labels: Labels, move: Move) -> str:
    because = case.actual.get("because")
    text = labels.catalogue.text
    if because is None:
        unsure = [one for one in case.nested if one.holds is None]
        return text("because.nested", list=_listed("list.long_and", _open(unsure, labels, move), labels))
    expected = case.expected.get("not", case.expected)
    if "field" in case.params:
        return _unreadable_field(case, expected, because, labels)
    kind = next((kind for kind in ("activity", "contact", "approval", "data_quality") if kind in expected), "other")
    since = expected.get("since")
    stage = labels.stage(since["stage"]) if isinstance(since, dict) else ""
    return text(f"because.{because}", stage=stage, facts=text(f"facts.{kind}"))


def _unreadable_field(case: Case, expected: dict[str, Any], because: str, labels: Labels) -> str:
    key = case.params["field"]
    declared = labels.declared.get(key)
    kind = declared.type if declared else "text"
    other = next((one["field"] for one in expected.values() if isinstance(one, dict) and "field" in one), key)
    choices = declared.choices[:10] if declared else []
    known = labels.catalogue.either(quoted(labels.choice(key, one.key), labels.catalogue) for one in choices)
    field = labels.field(key)
    return labels.catalogue.text(
        f"because.{because}",
        field=field,
        value=value(case.actual.get("value"), "text", None, labels.catalogue),
        type=labels.catalogue.text(f"type.{kind}"),
        choices=known,
        other=labels.field(other),
        facts=format(field, "the"),
    )


_UNDRAWN = frozenset({"no_transition", "skips_stage", "moves_back", "unknown_stage"})


def _undrawn(found: Finding | Nested, labels: Labels, move: Move) -> str:
    text = labels.catalogue.text
    if found.code == "unknown_stage":
        version = text("finding.unknown_stage.version", version=move.version) if move.version else ""
        stages = ", ".join(f"`{stage}`" for stage in found.expected["stage"][:20])
        return text("finding.unknown_stage.detail", stage=found.actual["stage"], version=version, stages=stages)
    source, to = labels.stage(move.source or ""), labels.stage(move.to)
    said = text(f"finding.{found.code}.detail", source=source, to=to)
    drawn = labels.catalogue.either(labels.stage(key) for key in found.expected["to"])
    return _with_need(
        said, text("finding.drawn" if drawn else "finding.none_drawn", source=source, stages=drawn), labels
    )


Detail = Callable[[Case, Labels, Move], str]
_DETAILS: dict[str, Detail] = {
    "field_missing": _field_missing,
    "field_too_short": _field_too_short,
    "field_present": _field_present,
    "field_mismatch": _field_mismatch,
    "activity_missing": _activity_missing,
    "contact_missing": _contact_missing,
    "too_early": _too_early,
    "too_late": _too_late,
    "approval_missing": _approval_missing,
    "mover_not_allowed": _mover_not_allowed,
    "data_quality_low": _data_quality_low,
    "reopen_not_allowed": _reopen_not_allowed,
    "reopen_too_late": _reopen_too_late,
    "first_touch_broken": _first_touch_broken,
    "none_met": _none_met,
    "not_all_met": _not_all_met,
    "must_not_hold": _must_not_hold,
    "cannot_evaluate": _cannot_evaluate,
}

FINDING_CODES = (*_DETAILS, *sorted(_UNDRAWN))
