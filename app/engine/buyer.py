"""The buyer's side of a process: the steps of the buyer, each with the stages that serve it."""

from typing import NamedTuple

from app.engine.process import Process, Stage


class BuyerStep(NamedTuple):
    """A step and its stages; without a key it is one stage that serves no step."""

    key: str | None
    stages: tuple[Stage, ...]


def buyer_journey(process: Process) -> tuple[BuyerStep, ...]:
    """The steps in the order of progress: each stands where its first stage stands."""
    groups: dict[tuple[str | None, str], list[Stage]] = {}
    for stage in process.stages:
        groups.setdefault((stage.buyer, "" if stage.buyer else stage.key), []).append(stage)
    return tuple(BuyerStep(step, tuple(stages)) for (step, _), stages in groups.items())


def step_name(key: str) -> str:
    """A key as people read it: a step of the buyer has no other name."""
    words = key.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
