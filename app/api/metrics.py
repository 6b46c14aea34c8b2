"""Metrics for Prometheus: requests by route, time taken, decisions by outcome. No tenant's data, no ids.

Counting happens on every request and reading twice a minute, so counting is adding to a number in a dict, and the
library sees the numbers only when somebody reads them. INVARIANT: everything counts in the event loop's thread.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from app.services.backlog import Waiting

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_NAMES = (*map(str, _BOUNDS), "+Inf")
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""What anybody may send is no label of ours: each new value would stay in memory for good."""


class _Times:
    """How long the answers of one route took."""

    __slots__ = ("buckets", "total")

    def __init__(self) -> None:
        self.buckets = [0] * len(_NAMES)
        self.total = 0.0


class Metrics(Collector):
    """The counters of one application."""

    def __init__(self) -> None:
        self._requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._times: defaultdict[str, _Times] = defaultdict(_Times)
        self._decisions: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._attempts: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._waiting: Sequence[Waiting] = ()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests[route, method if method in _METHODS else "other", status] += 1
        times = self._times[route]
        times.buckets[bisect_left(_BOUNDS, seconds)] += 1
        times.total += seconds

    def decided(self, outcome: str, source: str) -> None:
        """Count one decision."""
        self._decisions[outcome, source] += 1

    def attempted(self, kind: str, result: str) -> None:
        """Count one attempt at something of the outbox: `done`, `later`, `dead`, or `lost` to another worker."""
        self._attempts[kind, result] += 1

    def waiting(self, queues: Sequence[Waiting]) -> None:
        """So much waits for the workers."""
        self._waiting = queues

    def collect(self) -> Iterator[Metric]:
        """The numbers in the library's terms."""
        requests = CounterMetricFamily("stagerail_requests", "Requests answered", labels=("route", "method", "status"))
        for (route, method, status), count in self._requests.items():
            requests.add_metric((route, method, str(status)), count)
        seconds = HistogramMetricFamily("stagerail_request_seconds", "Time to answer", labels=("route",))
        for route, times in self._times.items():
            cumulative = accumulate(times.buckets)
            seconds.add_metric((route,), list(zip(_NAMES, cumulative, strict=True)), times.total)
        decisions = CounterMetricFamily("stagerail_decisions", "Decisions made", labels=("outcome", "source"))
        for labels, count in self._decisions.items():
            decisions.add_metric(labels, count)
        attempts = CounterMetricFamily("stagerail_outbox_attempts", "Attempts made", labels=("kind", "result"))
        for labels, count in self._attempts.items():
            attempts.add_metric(labels, count)
        waiting = GaugeMetricFamily("stagerail_waiting", "What waits, of all tenants", labels=("queue",))
        late = GaugeMetricFamily("stagerail_late_seconds", "How long the first has been due", labels=("queue",))
        for one in self._waiting:
            waiting.add_metric((one.queue,), one.waiting)
            if one.late is not None:
                late.add_metric((one.queue,), one.late)
        return iter((requests, seconds, decisions, attempts, waiting, late))

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)
