"""Throughput and latency of one point, each with what the single repetitions measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.matrix_benchmarking.kpis.kpi import KPI, Sampled, collect

if TYPE_CHECKING:
    from projects.matrix_benchmarking.kpis.payload import Payload


def labels(payload: Payload) -> dict[str, object]:
    """Return what tells one series from another."""
    settings = payload.metadata.settings
    return {name: settings[name] for name in ("journal_mode", "synchronous", "batch_size")}


def _sampled(payload: Payload, name: str) -> Sampled:
    """Return a number of the point beside those of its repetitions, which have the same name."""
    results = payload.results
    return Sampled(results[name], [each[name] for each in results["repetitions"]])


@KPI(unit="rows/s", help="rows committed per second, median of the repetitions", format="{:,.0f}")
def throughput(payload: Payload) -> Sampled:
    """Return rows per second."""
    return _sampled(payload, "rows_per_second")


@KPI(
    unit="ms",
    help="from BEGIN until COMMIT returned: half of the transactions are faster",
    better="lower",
    format="{:.3f}",
)
def latency_p50(payload: Payload) -> Sampled:
    """Return the median latency of a transaction."""
    return _sampled(payload, "latency_p50_ms")


@KPI(
    unit="ms",
    help="from BEGIN until COMMIT returned: 99 % of the transactions are faster",
    better="lower",
    format="{:.3f}",
)
def latency_p99(payload: Payload) -> Sampled:
    """Return the 99th percentile of the latency of a transaction."""
    return _sampled(payload, "latency_p99_ms")


@KPI(
    unit="ms",
    help="the slowest transaction; one outlier decides, so it is not judged",
    better="lower",
    format="{:.3f}",
    ignored_for_regression=True,
)
def latency_max(payload: Payload) -> float:
    """Return the latency of the slowest transaction."""
    return float(payload.results["latency_max_ms"])


KPIS = collect(globals(), labels=labels)
