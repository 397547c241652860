"""What our processes hold of the memory, idle and with work: server, spawner, runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.bench.library.job_server import JobServer, memory_of, running

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def measure(
    work: Path, environ: Mapping[str, str], *, ran: int, waiting: int
) -> dict[str, dict[str, float]]:
    """Return MiB by kind of process and moment, `rss` and `pss` (shared pages shared out).

    Moments: idle and fresh; `ran` jobs later; with `waiting` jobs waiting behind two that run.
    """
    found: dict[str, dict[str, float]] = {}
    with running(work / "memory", environ, {"true": "/bin/true"}) as server:
        server.add_tool("hold", "#!/bin/sh\nexec sleep 3600\n")
        _note(found, server, "fresh")
        server.wait_for(server.submit([{"name": "true"}] * ran, 2))
        _note(found, server, f"after {ran:,} jobs")
        server.submit([{"name": "hold"}] * 2 + [{"name": "true"}] * waiting, 2)
        _note(found, server, f"{waiting:,} wait")
    return found


def _note(found: dict[str, dict[str, float]], server: JobServer, moment: str) -> None:
    for pid, name in server.pids().items():
        for kind, size in memory_of(pid).items():
            row = found.setdefault(f"{name}, {kind}, MiB", {})
            row[moment] = max(row.get(moment, 0.0), size)
