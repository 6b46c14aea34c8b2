"""Stages that nothing can be seen of, that nothing tells apart, or of which there are too many."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from app.engine.check.quality.levels import MOST_OPEN_STAGES
from app.engine.check.quality.view import Found, View, leaves
from app.engine.check.quality.words import row
from app.engine.conditions import ActivityCondition, ApprovalCondition, StageAgeCondition
from app.engine.process import Stage
from app.engine.tops import Top

_TOKEN = re.compile(r"[^\W_]+")
_NUMBERED = re.compile(r"^\W*[0-9]+\W+(?=\w)")
_ARTICLES = row("the a an il lo la i gli le un uno una l")
_SAME = {
    **dict.fromkeys(("completed", "complete", "finished", "held", "concluded"), "done"),
    **dict.fromkeys(("submitted", "emailed"), "sent"),
    **dict.fromkeys(("booked", "planned"), "scheduled"),
    **dict.fromkeys(("completat", "fatt", "conclus", "effettuat", "terminat", "eseguit"), "svolt"),
    **dict.fromkeys(("spedit", "mandat"), "inviat"),
    **dict.fromkeys(("programmat", "fissat"), "pianificat"),
}
"""Words that name one thing; the Italian ones without the vowel that agrees."""

_NOT_ASKED = {"id", "say", "mode", "waivable_by", "relaxed_for"}
_SHORTEST_PLURAL = 4


def unobservable_stages(view: View) -> Iterator[Found]:
    """Each open stage that no activity, field, contact or approval marks, on the way in or out."""
    for stage in view.of_kind("open"):
        if stage.key not in view.observable:
            yield Found(view.stage_place(stage.key), {"stage": stage.key}, (stage.key,))


def too_many_stages(view: View) -> Iterator[Found]:
    """More open stages than the maturity bears."""
    found, most = len(view.process.open_stages), MOST_OPEN_STAGES[view.process.maturity]
    if found > most:
        yield Found(view.marks.key_place(("stages",)), {"found": found, "most": most})


def look_alike_stages(view: View) -> Iterator[Found]:
    """Each pair once, told at the later stage: for its name, or else for what is asked."""
    told: set[tuple[str, str]] = set()
    for because, pairs in (("same_name", _same_names(view)), ("same_asked", _same_asked(view))):
        for one, other in pairs:
            if (one, other) not in told:
                told.add((one, other))
                params = {"stage": other, "other": one, "because": because}
                yield Found(view.stage_place(other), params, (other, one))


def _same_names(view: View) -> Iterator[tuple[str, str]]:
    stages = view.process.stages
    languages = dict.fromkeys(language for stage in stages for language in stage.name or {"": ""})
    for language in languages:
        seen: dict[tuple[str, ...], str] = {}
        for stage in stages:
            name = _bare(_label(stage, language))
            first = seen.setdefault(name, stage.key)
            if name and first != stage.key:
                yield first, stage.key


def _label(stage: Stage, language: str) -> str:
    """What people of a language read."""
    names = stage.name or {}
    return names.get(language) or names.get("") or next(iter(names.values()), stage.key)


def _bare(text: str) -> tuple[str, ...]:
    """A name without its number, articles, accents and plurals, one word for what several mean."""
    plain = unicodedata.normalize("NFD", _NUMBERED.sub("", text).casefold())
    words = _TOKEN.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))
    return tuple(_stem(word) for word in words if word not in _ARTICLES)


def _stem(word: str) -> str:
    if word in _SAME:
        return _SAME[word]
    if word[-1] in "oaie" and (word[:-1] in _SAME or word[:-1] in _SAME.values()):
        return _SAME.get(word[:-1], word[:-1])
    plural = word.endswith("s") and not word.endswith("ss") and len(word) >= _SHORTEST_PLURAL
    return word[:-1] if plural else word


def _same_asked(view: View) -> Iterator[tuple[str, str]]:
    """Neighbours between which the move asks nothing, or nothing new; where nothing marks one, that is told of it."""
    open_ones = [key for key in view.process.path if view.kind(key) == "open"]
    before: frozenset[str] | None = None
    for one, other in pairwise(open_ones):
        asked = view.asks((one, other)) if (one, other) in view.process.edges else []
        said = frozenset(_said(requirement) for requirement in asked)
        again = said == before and not any(map(_of_its_move, asked))
        if (not said or again) and (one in view.observable) == (other in view.observable):
            yield one, other
        before = said


def _said(requirement: Top) -> str:
    return requirement.model_dump_json(by_alias=True, exclude_defaults=True, exclude=_NOT_ASKED)


def _of_its_move(requirement: Top) -> bool:
    """Whether it means something else on each move: an approval, or a time that begins with the stage."""
    return any(
        isinstance(one, ApprovalCondition | StageAgeCondition)
        or (isinstance(one, ActivityCondition) and one.since == "stage_entry")
        for one in leaves(requirement)
    )
