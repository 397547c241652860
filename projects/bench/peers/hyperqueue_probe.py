"""HyperQueue: `MODE COUNT FOLDER`; LocalCluster with a worker of two cores.

The output of each task goes to a file, as by default; no journal: LocalCluster has none.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from hyperqueue import Job, LocalCluster  # type: ignore[import-not-found]
from hyperqueue.cluster import WorkerConfig  # type: ignore[import-not-found]

from projects.bench.library.start_clock import latencies, write_script


def job_of(program: str, count: int) -> Job:
    """Return a job of so many tasks."""
    job = Job()
    for _ in range(count):
        job.program([program])
    return job


def main(mode: str, count: int, folder: Path) -> dict[str, Any]:
    """Measure."""
    os.chdir(folder)
    with LocalCluster() as cluster:
        client = cluster.client()
        if mode == "submit":
            job = job_of("/bin/true", count)
            began = time.perf_counter()
            client.submit(job)
            return {"seconds": time.perf_counter() - began}
        cluster.start_worker(WorkerConfig(cores=2))
        client.wait_for_jobs([client.submit(job_of("/bin/true", 20))])
        if mode == "start":
            clocks = folder / "clocks"
            write_script(folder / "clock", clocks)
            program = str(folder / "clock")
            return {
                "latencies": latencies(lambda: client.submit(job_of(program, 1)), clocks, count)
            }
        job = job_of("/bin/true", count)
        began = time.perf_counter()
        client.wait_for_jobs([client.submit(job)])
        return {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    answer = main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)  # nothing is left to do, and its threads take their time
