"""Throughput and latency: what the numbers of this project mean."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NANOSECONDS_PER_SECOND = 1_000_000_000
NANOSECONDS_PER_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Repetition:
    """What one repetition measured.

    `latencies_ns` has one entry per timed transaction, from just before BEGIN until COMMIT
    returned. `elapsed_ns` reaches from the first BEGIN to the moment where the rows are in the
    database file: the closing checkpoint of a write-ahead log (`checkpoint_ns` of it) counts.
    """

    batch_size: int
    latencies_ns: tuple[int, ...]
    elapsed_ns: int
    checkpoint_ns: int = 0

    @property
    def transactions(self) -> int:
        """Number of timed transactions."""
        return len(self.latencies_ns)

    @property
    def rows(self) -> int:
        """Number of rows that the timed transactions committed."""
        return self.transactions * self.batch_size


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of one point, over all its repetitions.

    `rows_per_second` and `transactions_per_second` are medians over the repetitions, beside
    the slowest and the fastest repetition; latencies are over all transactions together.
    """

    rows_per_second: float
    rows_per_second_min: float
    rows_per_second_max: float
    transactions_per_second: float
    latency_p50_ms: float
    latency_p99_ms: float
    latency_max_ms: float
    transactions: int


def percentile(samples: Sequence[int], percent: int) -> int:
    """Return the smallest sample that at least `percent` % of all samples do not exceed.

    This is the nearest-rank definition: the answer is always a value that was measured, and with
    fewer than 100 samples the 99th percentile is the largest one. `percent` is 1 to 100.
    """
    if not samples:
        raise ValueError("a percentile needs at least one sample")
    if not 1 <= percent <= 100:  # noqa: PLR2004 - the range of a percentage
        raise ValueError(f"percent is 1 to 100, not {percent}")
    rank = -(-len(samples) * percent // 100)
    return sorted(samples)[rank - 1]


def rate(amount: int, elapsed_ns: int) -> float:
    """Return `amount` per second; a clock that did not move counts as one nanosecond."""
    return amount * NANOSECONDS_PER_SECOND / max(elapsed_ns, 1)


def milliseconds(nanoseconds: int) -> float:
    """Return nanoseconds as milliseconds."""
    return nanoseconds / NANOSECONDS_PER_MILLISECOND


def summarise(repetitions: Sequence[Repetition]) -> Summary:
    """Return the numbers of one point; at least one repetition with one transaction is needed."""
    latencies = [latency for each in repetitions for latency in each.latencies_ns]
    row_rates = [rate(each.rows, each.elapsed_ns) for each in repetitions]
    return Summary(
        rows_per_second=statistics.median(row_rates),
        rows_per_second_min=min(row_rates),
        rows_per_second_max=max(row_rates),
        transactions_per_second=statistics.median(
            rate(each.transactions, each.elapsed_ns) for each in repetitions
        ),
        latency_p50_ms=milliseconds(percentile(latencies, 50)),
        latency_p99_ms=milliseconds(percentile(latencies, 99)),
        latency_max_ms=milliseconds(max(latencies)),
        transactions=len(latencies),
    )


def quantiles(samples: Sequence[int]) -> list[int]:
    """Return the least sample and the percentiles 1 to 100: a distribution in 101 numbers."""
    ordered = sorted(samples)
    ranks = [max(-(-len(ordered) * percent // 100), 1) for percent in range(101)]
    return [ordered[rank - 1] for rank in ranks]


def as_document(repetitions: Sequence[Repetition]) -> dict[str, object]:
    """Return the numbers of one point, and those of each repetition, as plain values."""
    latencies = [latency for each in repetitions for latency in each.latencies_ns]
    return asdict(summarise(repetitions)) | {
        "latency_quantiles_ms": [milliseconds(latency) for latency in quantiles(latencies)],
        "repetitions": [
            {
                "rows": each.rows,
                "transactions": each.transactions,
                "elapsed_seconds": each.elapsed_ns / NANOSECONDS_PER_SECOND,
                "checkpoint_seconds": each.checkpoint_ns / NANOSECONDS_PER_SECOND,
                "rows_per_second": rate(each.rows, each.elapsed_ns),
                "latency_p50_ms": milliseconds(percentile(each.latencies_ns, 50)),
                "latency_p99_ms": milliseconds(percentile(each.latencies_ns, 99)),
            }
            for each in repetitions
        ],
    }
