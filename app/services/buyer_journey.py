"""The buyer's journey: the steps that the stages serve, in the order of progress."""

from typing import Any

from app.engine import CompiledProcess
from app.engine.buyer import buyer_journey as steps_of
from app.engine.buyer import step_name
from app.engine.process import Stage
from app.i18n import Locale, author_text


def buyer_journey(compiled: CompiledProcess, locale: Locale) -> dict[str, Any]:
    """Each step of the buyer with the stages that serve it; then the stages that serve none."""
    steps = [(step.key, [_stage(stage, locale) for stage in step.stages]) for step in steps_of(compiled.process)]
    return {
        "process": {"key": compiled.key, "version": compiled.version, "digest": compiled.digest},
        "steps": [{"step": key, "name": step_name(key), "stages": stages} for key, stages in steps if key],
        "stages_without_step": [stage for key, stages in steps if not key for stage in stages],
    }


def _stage(stage: Stage, locale: Locale) -> dict[str, Any]:
    return {"stage": stage.key, "name": author_text(stage.name, locale) or step_name(stage.key), "kind": stage.kind}
