"""Quality: whether a process that is whole is also a good one, judged by the maturity it declares.

Each check is one function from the view of a process to what it found; `levels.py` says from which maturity on it
applies, and the file may switch it off with a reason (`silence`).
"""

from collections.abc import Callable, Iterator
from itertools import islice

from app.engine.check.quality.activities import too_many_activities, trifling_activities, unused_activities
from app.engine.check.quality.buyer import seller_named_stages, stages_without_buyer_step
from app.engine.check.quality.fields import free_texts_for_choices, unused_fields
from app.engine.check.quality.house_rules import no_first_touch_rule, no_lost_reason, no_lost_stage, no_reopen_rule
from app.engine.check.quality.levels import LEVELS, applies
from app.engine.check.quality.skips import skippable_stages
from app.engine.check.quality.stages import look_alike_stages, too_many_stages, unobservable_stages
from app.engine.check.quality.vague import vague_stage_names
from app.engine.check.quality.view import Found, View
from app.engine.check.quality.ways_out import convenient_alternatives, requirements_without_way_out
from app.engine.errors import FileProblem
from app.engine.nodes import Marks
from app.engine.process import Process
from app.engine.silence import QualityCheck, Silence

MOST_FOUND = 200
"""Of one check; no file is better understood for more."""

CHECKS: dict[QualityCheck, Callable[[View], Iterator[Found]]] = {
    "vague_stage_name": vague_stage_names,
    "too_many_stages": too_many_stages,
    "trifling_activity": trifling_activities,
    "no_lost_stage": no_lost_stage,
    "no_lost_reason": no_lost_reason,
    "no_reopen_rule": no_reopen_rule,
    "no_first_touch_rule": no_first_touch_rule,
    "unobservable_stage": unobservable_stages,
    "look_alike_stages": look_alike_stages,
    "skippable_stage": skippable_stages,
    "too_many_activities": too_many_activities,
    "unused_activity": unused_activities,
    "unused_field": unused_fields,
    "free_text_for_choice": free_texts_for_choices,
    "no_way_out_requirement": requirements_without_way_out,
    "convenient_any": convenient_alternatives,
    "seller_named_stage": seller_named_stages,
    "no_buyer_step": stages_without_buyer_step,
}


def quality_problems(process: Process, marks: Marks) -> Iterator[FileProblem]:
    """What the checks of its maturity find and no silence covers; then the silences that cover nothing."""
    view = View(process, marks)
    silenced: set[int] = set()
    known: dict[str, list[str]] = {}
    for check, look in CHECKS.items():
        if not applies(check, process.maturity):
            continue
        for found in islice(look(view), MOST_FOUND):
            known.setdefault(check, []).extend(found.about)
            covering = {at for at, one in enumerate(process.silence) if _covers(one, check, found)}
            silenced |= covering
            if not covering:
                yield FileProblem(check, LEVELS[check].severity, found.params, *found.place)
    for at, silence in enumerate(process.silence):
        if at not in silenced:
            names = {"name": silence.about or "", "known": sorted(set(known.get(silence.check, ()))), "near": None}
            place = marks.place(("silence", at))
            yield FileProblem("idle_silence", "info", {"check": silence.check, **names}, *place)


def _covers(silence: Silence, check: QualityCheck, found: Found) -> bool:
    return silence.check == check and (silence.about is None or silence.about in found.about)
