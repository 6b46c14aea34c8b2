"""Rates of several targets, measured in turns: whatever slows the machine down slows each of them alike."""

import statistics
from collections.abc import Mapping

import uvloop

from bench.load import Target, rate

ROUNDS = 7
_WARM_UP = 0.7

Rounds = Mapping[str, list[float]]


def rounds(targets: Mapping[str, Target]) -> Rounds:
    """Answers per second of every target, by its name, a figure for each round."""
    return uvloop.run(_rounds(targets))


async def _rounds(targets: Mapping[str, Target]) -> Rounds:
    for target in targets.values():
        await rate(target, seconds=_WARM_UP)
    taken: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(ROUNDS):
        for name, target in targets.items():
            taken[name].append(await rate(target))
    return taken


def ratio(measured: Rounds, name: str, floor: str) -> float:
    """The median over the rounds of one target's rate to the floor's of the same round."""
    return statistics.median(one / least for one, least in zip(measured[name], measured[floor], strict=True))


def median(measured: Rounds, name: str) -> float:
    """The median rate."""
    return statistics.median(measured[name])
