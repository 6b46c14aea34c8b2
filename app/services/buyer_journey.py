"""The buyer's journey: the steps that the stages serve, in the order of progress."""

from typing import Any

from app.engine import CompiledProcess
from app.engine.process import Stage
from app.i18n import Locale, author_text


def buyer_journey(compiled: CompiledProcess, locale: Locale) -> dict[str, Any]:
    """Each step of the buyer with the stages that serve it; then the stages that serve none."""
    steps: dict[str, list[dict[str, Any]]] = {}
    outside = []
    for stage in compiled.process.stages:
        if stage.buyer is None:
            outside.append(_stage(stage, locale))
        else:
            steps.setdefault(stage.buyer, []).append(_stage(stage, locale))
    return {
        "process": {"key": compiled.key, "version": compiled.version, "digest": compiled.digest},
        "steps": [{"step": step, "name": _name(step), "stages": stages} for step, stages in steps.items()],
        "stages_without_step": outside,
    }


def _stage(stage: Stage, locale: Locale) -> dict[str, Any]:
    return {"stage": stage.key, "name": author_text(stage.name, locale) or _name(stage.key), "kind": stage.kind}


def _name(key: str) -> str:
    """A key as people read it: a step of the buyer has no other name."""
    words = key.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
