"""Advice in the shape callers read, with texts in their language."""

from datetime import datetime
from typing import Any, Literal

from app.engine.decision import Advice, Plan, Suggestion
from app.engine.first_touch import BECAUSE as FIRST_TOUCH
from app.i18n.decisions import instant, render_finding
from app.i18n.details import Move
from app.i18n.figures import timed
from app.i18n.labels import Compiled, Labels, labels_of
from app.i18n.remedies import step_text
from app.i18n.texts import Locale

Shape = dict[str, Any]
AdviceDetail = Literal["brief", "full"]

_ACTIVITIES = frozenset({"do_activity", "book_activity"})
_SHOWN_ANYWAY = ("activity", "outcome", "with", "times")


def render_advice(advice: Advice, compiled: Compiled, locale: Locale, *, detail: AdviceDetail = "full") -> Shape:
    """The advice as JSON-ready data: `brief` says what to do, `full` also why, how, and what it opens."""
    labels = labels_of(compiled, locale)
    suggestion = _suggestion if detail == "full" else _brief
    move = Move(advice.stage, advice.goal, advice.version, advice.as_of)
    return {
        "process": {"key": advice.process, "version": advice.version, "digest": advice.digest},
        "stage": advice.stage,
        "goal": advice.goal,
        "as_of": instant(advice.as_of),
        **_buyers(advice, labels),
        "plan": None if advice.plan is None else _plan(advice.plan),
        "suggestions": [suggestion(rank, one, labels) for rank, one in enumerate(advice.suggestions, 1)],
        "blocked_by": [render_finding(finding, labels, move) for finding in advice.blocked_by],
    }


def _buyers(advice: Advice, labels: Labels) -> Shape:
    """The steps of the buyer's journey that the stage and the goal serve, where they serve one."""
    ends = (("buyer_step", advice.stage), ("goal_buyer", advice.goal))
    return {name: labels.buyers[stage] for name, stage in ends if stage in labels.buyers}


def _plan(plan: Plan) -> Shape:
    return {
        "stages": list(plan.stages),
        "open_requirements": plan.open_requirements,
        "effort_minutes": plan.effort_minutes,
        "lead_time_days": plan.lead_time_days,
    }


def _suggestion(rank: int, suggestion: Suggestion, labels: Labels) -> Shape:
    about = _activity if suggestion.kind in _ACTIVITIES else _other
    return {
        "rank": rank,
        "kind": suggestion.kind,
        **about(suggestion, labels),
        "mandatory": suggestion.mandatory,
        "effort_minutes": suggestion.effort_minutes,
        "lead_time_days": suggestion.lead_time_days,
        "message": _message(suggestion, labels),
        "because": [{"requirement": asked, "from": source, "to": to} for asked, source, to in suggestion.because],
        "evidence": None,
        "why": [_why(reason, labels) for reason in suggestion.because],
        "how": labels.how.get(suggestion.subject.get("activity", "")) or None,
        "unlocks": [{"from": source, "to": to} for source, to in _moves(suggestion)],
    }


def _brief(rank: int, suggestion: Suggestion, labels: Labels) -> Shape:
    about = _activity if suggestion.kind in _ACTIVITIES else _other
    return {
        "rank": rank,
        "kind": suggestion.kind,
        **about(suggestion, labels),
        "mandatory": suggestion.mandatory,
        "message": _message(suggestion, labels),
    }


def _why(reason: tuple[str, str, str], labels: Labels) -> str:
    """What the step is for, in a sentence."""
    asked, source, to = reason
    code = "suggestion.why.first_touch" if asked == FIRST_TOUCH else "suggestion.why.requirement"
    return labels.catalogue.text(code, requirement=asked, source=labels.stage(source), to=labels.stage(to))


def _moves(suggestion: Suggestion) -> list[tuple[str, str]]:
    """The moves the step serves, each once."""
    return list(dict.fromkeys((source, to) for _, source, to in suggestion.because))


def _activity(suggestion: Suggestion, labels: Labels) -> Shape:
    subject = suggestion.subject
    return {
        "activity": subject["activity"],
        "name": labels.activity_name(subject["activity"]),
        "outcome": subject.get("outcome"),
        "with": subject.get("with"),
        "times": subject.get("times", 1),
        "booked": _booked(suggestion),
        **{name: value for name, value in subject.items() if name not in _SHOWN_ANYWAY},
    }


def _booked(suggestion: Suggestion) -> Shape | None:
    booked = suggestion.booked
    if booked is None:
        return None
    return {name: instant(value) if isinstance(value, datetime) else value for name, value in booked.items()}


def _other(suggestion: Suggestion, labels: Labels) -> Shape:
    """What any other step is about, with the name of the field or role for people."""
    shape = dict(suggestion.subject)
    if "field" in shape:
        shape["name"] = str(labels.field_name(shape["field"]))
    elif "role" in shape:
        shape["name"] = labels.person_name(shape["role"])
    return shape


def _message(suggestion: Suggestion, labels: Labels) -> str:
    text = labels.catalogue.text
    subject = suggestion.subject
    said = step_text({"kind": suggestion.kind, **subject}, labels)
    if suggestion.kind == "fill_field" and subject.get("learned_in"):
        activities = labels.catalogue.either(format(labels.activity(key), "a") for key in subject["learned_in"])
        said = text("suggestion.learned_in", message=said, activities=activities)
    if suggestion.booked is not None and isinstance(suggestion.booked.get("at"), datetime):
        day = timed(suggestion.booked["at"], labels.zone, labels.locale)
        said = text("suggestion.booked", message=said, day=day, activity=labels.activity(subject["activity"]))
    how = labels.how.get(subject.get("activity", ""))
    return text("suggestion.with_how", message=said, how=how) if how else said
