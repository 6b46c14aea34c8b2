"""Which quality checks apply from which maturity on, how grave each is, and every threshold there is."""

from typing import Literal, NamedTuple

from app.engine.silence import QualityCheck

Maturity = Literal["crawl", "walk", "run"]
_RANK: dict[Maturity, int] = {"crawl": 0, "walk": 1, "run": 2}

MOST_OPEN_STAGES: dict[Maturity, int] = {"crawl": 5, "walk": 8, "run": 9}
"""More open stages than this, and reps guess which one a deal is in. Won and lost stages are not counted."""

MOST_ACTIVITIES = 5
"""Key activities are the few on which reps spend time and the firm spends money."""


class Level(NamedTuple):
    """From which maturity on a check applies, and the severity of what it finds."""

    maturity: Maturity
    severity: Literal["warning", "info"] = "warning"


LEVELS: dict[QualityCheck, Level] = {
    "vague_stage_name": Level("crawl"),
    "too_many_stages": Level("crawl"),
    "trifling_activity": Level("crawl"),
    "no_lost_stage": Level("crawl"),
    "no_lost_reason": Level("crawl"),
    "no_reopen_rule": Level("crawl"),
    "no_first_touch_rule": Level("crawl"),
    "unobservable_stage": Level("walk"),
    "look_alike_stages": Level("walk"),
    "skippable_stage": Level("walk"),
    "too_many_activities": Level("walk"),
    "unused_activity": Level("walk", "info"),
    "unused_field": Level("walk", "info"),
    "free_text_for_choice": Level("walk"),
    "no_way_out_requirement": Level("walk"),
    "convenient_any": Level("walk"),
    "seller_named_stage": Level("run"),
    "no_buyer_step": Level("run"),
}
"""What a level asks, the higher ones ask too: crawl asks for house rules and clear names, walk for stages and
activities that are facts, run for the buyer's path."""


def applies(check: QualityCheck, maturity: Maturity) -> bool:
    """Whether a check applies to a process of this maturity."""
    return _RANK[LEVELS[check].maturity] <= _RANK[maturity]
