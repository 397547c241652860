"""What `/metrics` shows, in a registry of our own."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from projects.jobs.model.moment import SECOND
from projects.jobs.model.states import QUEUED, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projects.jobs.engine.listeners import News

LAG_INTERVAL = 0.5
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600, 3600)
_TIMES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5)


class Measures:
    """Counts calls and what happens to jobs; asks the store for the rest when it is shown."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, store: Any) -> None:
        self.calls = 0
        """Calls so far."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "topgallant_http_requests",
            "calls",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "topgallant_http_request_seconds",
            "from a call to the end of its answer",
            buckets=_TIMES,
            registry=self.registry,
        )
        self._finished = Counter(
            "topgallant_jobs_finished", "jobs that ended", ["outcome"], registry=self.registry
        )
        self._latency = Histogram(
            "topgallant_job_start_seconds",
            "from submission to start, of jobs that this server started",
            buckets=_LATENCIES,
            registry=self.registry,
        )
        self._lag = Gauge(
            "topgallant_loop_lag_seconds", "how late the event loop was", registry=self.registry
        )
        self._missed = Counter(
            "topgallant_news_missed", "news not counted here", registry=self.registry
        )
        self._children: dict[tuple[str, str, int], Any] = {}
        self.registry.register(_Stored(store))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a call; `route` is its pattern, so that ids don't become labels."""
        self.calls += 1
        key = (method if method in _METHODS else "other", route, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(key[0], route, str(status))
        child.inc()
        self._seconds.observe(seconds)

    def hear(self, news: Sequence[News], missed: int) -> None:
        """Count what happened to jobs; called from a thread of the engine."""
        self._missed.inc(missed)
        for one in news:
            if one.state == State.DONE and one.outcome is not None:
                self._finished.labels(one.outcome.value).inc()
            elif one.state == State.RUNNING and one.attempt == 1:
                self._latency.observe((one.at - one.created) / SECOND)

    async def watch_lag(self) -> None:
        """Measure for ever how late the event loop wakes us."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(LAG_INTERVAL)
            self._lag.set(max(0.0, loop.time() - began - LAG_INTERVAL))

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self.registry)


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class _Stored:
    """What the store knows better than anyone who counts."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Any]:
        jobs = GaugeMetricFamily("topgallant_jobs", "stored jobs", labels=["state"])
        queue = GaugeMetricFamily("topgallant_queue_jobs", "jobs that wait")
        with contextlib.suppress(Exception):  # the other figures are wanted just then
            states = self._store.counts().states
            for state in State:
                jobs.add_metric([state.name], states.get(state, 0))
            queue.add_metric([], sum(states.get(state, 0) for state in QUEUED))
        yield jobs
        yield queue
