"""huey: `MODE COUNT FOLDER STORAGE`; consumer with two worker processes, state on disk.

SQLite with fsync at each commit, or Redis with its append-only file synced every second. A job is
a call that runs a process; its return code is kept as result.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from projects.bench.library.start_clock import latencies, write_script

FOLDER = Path(sys.argv[3])


def wait_for_results(count: int) -> None:
    """Wait until so many results are kept."""
    from projects.bench.peers.huey_tasks import huey

    while huey.storage.result_store_size() < count:
        time.sleep(0.005)


def start_redis() -> subprocess.Popen[bytes]:
    """Start a Redis of our own, at a UNIX socket."""
    from projects.bench.peers.huey_tasks import socket_of

    path = socket_of(str(FOLDER))
    process = subprocess.Popen(
        [
            *("redis-server", "--port", "0", "--unixsocket", path, "--dir", str(FOLDER)),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        ],
        stdout=subprocess.DEVNULL,
    )
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(path)
                return process
        except OSError:
            if process.poll() is not None:
                raise
            time.sleep(0.01)


def start_consumer() -> subprocess.Popen[bytes]:
    """Start the consumer, as its manual does: two workers, processes, which are faster here."""
    argv = [sys.executable, "-m", "huey.bin.huey_consumer", "projects.bench.peers.huey_tasks.huey"]
    options = ["-w", "2", "-k", "process", "-d", "0.01", "-m", "0.05", "-n", "-q"]
    return subprocess.Popen([*argv, *options])


def main(mode: str, count: int) -> dict[str, Any]:
    """Measure."""
    from projects.bench.peers.huey_tasks import call

    if mode == "submit":
        began = time.perf_counter()
        for _ in range(count):
            call("/bin/true")
        return {"seconds": time.perf_counter() - began}
    consumer = start_consumer()
    try:
        for _ in range(20):
            call("/bin/true")
        wait_for_results(20)
        if mode == "start":
            clocks = FOLDER / "clocks"
            write_script(FOLDER / "clock", clocks)
            program = str(FOLDER / "clock")
            return {"latencies": latencies(lambda: call(program), clocks, count)}
        began = time.perf_counter()
        for _ in range(count):
            call("/bin/true")
        wait_for_results(20 + count)
        return {"seconds": time.perf_counter() - began}
    finally:
        consumer.send_signal(signal.SIGINT)
        try:
            consumer.wait(10)
        except subprocess.TimeoutExpired:
            consumer.kill()


if __name__ == "__main__":
    os.environ |= {"HUEY_PROBE_FOLDER": sys.argv[3], "HUEY_PROBE_STORAGE": sys.argv[4]}
    redis = start_redis() if sys.argv[4] == "redis" else None
    try:
        answer = main(sys.argv[1], int(sys.argv[2]))
        sys.stdout.write(json.dumps(answer) + "\n")
    finally:
        if redis is not None:
            redis.terminate()
            redis.wait()
