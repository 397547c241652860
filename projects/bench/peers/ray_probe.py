"""Ray: `MODE COUNT FOLDER`; two CPUs, tasks that run a process; nothing is kept on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import ray  # type: ignore[import-not-found]

from projects.bench.library.start_clock import latencies, write_script


@ray.remote(num_cpus=1)  # type: ignore[untyped-decorator]
def call(program: str) -> int:
    """Run a program."""
    return subprocess.call([program])


def main(mode: str, count: int, folder: Path) -> dict[str, Any]:
    """Measure."""
    ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False)
    try:
        ray.get([call.remote("/bin/true") for _ in range(50)])
        if mode == "start":
            clocks = folder / "clocks"
            write_script(folder / "clock", clocks)
            program = str(folder / "clock")
            return {"latencies": latencies(lambda: call.remote(program), clocks, count)}
        began = time.perf_counter()
        ray.get([call.remote("/bin/true") for _ in range(count)])
        return {"seconds": time.perf_counter() - began}
    finally:
        ray.shutdown()


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    answer = main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    sys.stdout.write(json.dumps(answer) + "\n")
