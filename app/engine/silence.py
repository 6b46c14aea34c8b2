"""The names of the quality checks, and how a process file switches one off."""

from typing import Literal

from app.engine.values import Key, Part, Text

QualityCheck = Literal[
    "vague_stage_name", "too_many_stages", "trifling_activity", "no_lost_stage", "no_lost_reason", "no_reopen_rule",
    "no_first_touch_rule", "unobservable_stage", "look_alike_stages", "skippable_stage", "too_many_activities",
    "unused_activity", "unused_field", "free_text_for_choice", "no_way_out_requirement", "convenient_any",
    "seller_named_stage", "no_buyer_step",
]  # fmt: skip


class Silence(Part):
    """One quality check switched off, for the whole process or for what it is about, and why."""

    check: QualityCheck
    about: Key | None = None
    because: Text
