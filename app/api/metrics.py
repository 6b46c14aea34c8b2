"""Metrics for Prometheus: requests by route, time taken, decisions by outcome. No tenant's data, no ids."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""What anybody may send is no label of ours: each new value would stay in memory for good."""


class Metrics:
    """The counters of one application; children are bound once per label set."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "stagerail_requests", "Requests answered", ("route", "method", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "stagerail_request_seconds", "Time to answer", ("route",), buckets=_BUCKETS, registry=self.registry
        )
        self._decisions = Counter(
            "stagerail_decisions", "Decisions made", ("outcome", "source"), registry=self.registry
        )
        self._bound: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._outcomes: dict[tuple[str, str], Counter] = {}

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        method = method if method in _METHODS else "other"
        key = (route, method, status)
        bound = self._bound.get(key)
        if bound is None:
            bound = (self._requests.labels(route, method, str(status)), self._seconds.labels(route))
            self._bound[key] = bound
        bound[0].inc()
        bound[1].observe(seconds)

    def decided(self, outcome: str, source: str) -> None:
        """Count one decision."""
        key = (outcome, source)
        counter = self._outcomes.get(key)
        if counter is None:
            counter = self._outcomes[key] = self._decisions.labels(outcome, source)
        counter.inc()

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
