"""The names of what is measured of jobs, and what each contestant keeps on disk."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS = "topgallant"
ENGINE = "topgallant, engine alone"
QUIET = "topgallant, no_logs"
ACKNOWLEDGED = "topgallant, from the acknowledgement"
RECORDED = "topgallant, process recorded as started"
MAKE = "make -j2"
SPAWN = "bare process"
HYPERQUEUE = "HyperQueue"
HUEY_SQLITE = "huey, SQLite"
HUEY_REDIS = "huey, Redis"
SPOOLER = "task-spooler"
RAY = "Ray"
RIVALS = (HYPERQUEUE, HUEY_SQLITE, HUEY_REDIS, SPOOLER, RAY)

KEPT: dict[str, str] = {
    OURS: "SQLite; a submission is fsynced before it is acknowledged, what happens to its jobs "
    "at most 1 s later; each job has a directory with stdout.log and stderr.log",
    ENGINE: "the same, without HTTP",
    QUIET: "the same, without directories and logs",
    RECORDED: "the same; without the millisecond or two until the script reads its clock",
    MAKE: "nothing is kept",
    HYPERQUEUE: "stdout and stderr of each task in files; queue and results in memory",
    HUEY_SQLITE: "SQLite, fsync at each commit; no output, return codes only",
    HUEY_REDIS: "Redis' append-only file, synced every second, so submissions are not synced "
    "before they are acknowledged; no output, return codes only",
    SPOOLER: "queue and return codes in memory; no output (-n)",
    RAY: "nothing is kept; return codes in shared memory",
}
"""What each contestant has on disk: whoever keeps less has less to do."""

P50, P99 = "p50", "p99"

WORST = "any page, filter or count"
WORST_PAGE = "any page of the hub"
HTTP, STORE, SQL, PAGE = "HTTP", "store", "SQL", "page"
START = "server start to /readyz"
START_EMPTY = "server start to /readyz, nothing stored"
READY = "ready again after a kill"
READY_P99 = "ready again after a kill, p99"


def case(contestant: str, what: str) -> str:
    """Return the name of a case: `Ray, p50`."""
    return f"{contestant}, {what}"


def quantiles(samples: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile (nearest rank) of at least one sample."""
    rank = -(-99 * len(samples) // 100)
    return {P50: statistics.median(samples), P99: sorted(samples)[rank - 1]}
