"""task-spooler: `MODE COUNT FOLDER`; two slots; its queue is in the memory of its server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from projects.bench.library.start_clock import latencies, write_script

PROGRAM = "tsp"


def _tsp(*words: str) -> str:
    ended = subprocess.run([PROGRAM, *words], check=True, stdout=subprocess.PIPE, text=True)
    return ended.stdout.strip()


def measure(mode: str, count: int, folder: Path) -> dict[str, Any]:
    """Return what one mode measures; -n: no output is kept."""
    # A UNIX socket's path has at most 107 characters, and the folder may be deep.
    os.chdir(folder)
    os.environ |= {"TS_SOCKET": "tsp.sock", "TS_SLOTS": "2", "TS_MAXFINISHED": "10"}
    _tsp("-S", "2")
    try:
        if mode == "start":
            clocks = folder / "clocks"
            write_script(folder / "clock", clocks)
            program = str(folder / "clock")
            return {"latencies": latencies(lambda: _tsp("-n", program), clocks, count)}
        began = time.perf_counter()
        loop = f"i=0; while [ $i -lt {count} ]; do {PROGRAM} -n /bin/true; i=$((i+1)); done"
        said = subprocess.run(
            ["/bin/sh", "-c", loop], check=True, stdout=subprocess.PIPE, text=True
        )
        for job in said.stdout.split()[-2:]:
            # One that is forgotten already has ended; -w says so with a status.
            subprocess.run(
                [PROGRAM, "-w", job],
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        return {"seconds": time.perf_counter() - began}
    finally:
        _tsp("-K")


if __name__ == "__main__":
    answer = measure(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    sys.stdout.write(json.dumps(answer) + "\n")
