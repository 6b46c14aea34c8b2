"""The engine in process: decide and suggest."""

import statistics
import time
from collections.abc import Callable
from datetime import datetime

from app.engine import CompiledProcess, Snapshot, compile_process, decide, suggest
from bench import samples
from bench.report import Row

_AS_OF = datetime.fromisoformat(samples.AS_OF)


def _times(call: Callable[[], object], count: int) -> list[float]:
    """Microseconds of each call in its own thread, sorted, after a warm-up: what the neighbours take is not counted."""
    for _ in range(count // 10):
        call()
    taken: list[float] = []
    for _ in range(count):
        begun = time.thread_time_ns()
        call()
        taken.append((time.thread_time_ns() - begun) / 1_000)
    return sorted(taken)


def _decide(compiled: CompiledProcess, snapshot: Snapshot) -> Callable[[], object]:
    return lambda: decide(compiled, snapshot, "stage_1", as_of=_AS_OF)


def rows() -> list[Row]:
    """Measure the engine's three bars."""
    snapshot = Snapshot.model_validate_json(samples.as_json(samples.deal()))
    small = compile_process(samples.process(6, 12, 33))
    large = compile_process(samples.process(200, 1_000, 6 * 199))
    pairs = [
        (
            statistics.median(_times(_decide(small, snapshot), 3_000)),
            statistics.median(_times(_decide(large, snapshot), 3_000)),
        )
        for _ in range(5)
    ]
    median = statistics.median(one for one, _ in pairs)
    ratio = statistics.median(many / one for one, many in pairs)
    busy = Snapshot.model_validate_json(samples.as_json(samples.deal(activities=50)))
    twenty = compile_process(samples.process(20, 38, 57))
    advice = _times(lambda: suggest(twenty, busy, as_of=_AS_OF), 2_000)
    return [
        Row("decide, 6 stages, 12 edges, 33 requirements, median", median, "µs", at_most=25),
        Row("decide, 200 stages, 1,000 edges, against that", ratio, "x", at_most=1.3),
        Row("suggest, 20 stages, 50 activities, p99", advice[int(len(advice) * 0.99)] / 1_000, "ms", at_most=1),
    ]
