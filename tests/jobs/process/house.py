"""A backend in a directory of its own, and a broom for every process that a test leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from projects.jobs.model import identity
from projects.jobs.process.backend import ProcessBackend
from projects.jobs.process.links import SpawnerLink
from projects.jobs.process.orders import Ended, Order, Report, Started, Unknown

PATIENCE = 20.0

GATED = "while [ ! -e ../go ]; do sleep 0.01; done; exit 42"
"""A script that waits for `House.open_gate`."""


def processes_of(needle: str) -> dict[int, str]:
    """Return name by pid of what carries `needle` in its command line or environment."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            texts = [Path(f"/proc/{name}/{file}").read_bytes() for file in ("cmdline", "environ")]
            comm = Path(f"/proc/{name}/comm").read_text().strip()
        except OSError:
            continue
        if any(needle.encode() in text for text in texts):
            found[int(name)] = comm
    return found


class House:
    """The place of one test: its backend, its jobs, what they reported."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.run = root / "run"
        self.reports: list[Report] = []
        self.spawners: list[subprocess.Popen[bytes]] = []
        self.backend = ProcessBackend(str(self.run))
        self.backend.start()

    def order(self, number: int, *argv: str, **fields: Any) -> Order:
        environment = {"PATH": os.environ["PATH"], "HOUSE": str(self.root)}
        values: dict[str, Any] = {"grace": 1.0, "env": environment, **fields}
        directory = str(self.root / "logs" / str(number))
        return Order(number, 1, identity.new(), argv, log_directory=directory, **values)

    def sh(self, number: int, script: str, **fields: Any) -> Order:
        return self.order(number, "/bin/sh", "-c", script, **fields)

    def open_gate(self) -> None:
        (self.root / "logs" / "go").touch()

    def until(self, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < deadline, self.reports
            self.reports += self.backend.wait(0.02)
        return found

    def started(self, number: int) -> Started:
        found = self.until(lambda: self._last(number, Started))
        assert isinstance(found, Started)
        return found

    def ended(self, number: int) -> Ended:
        found = self.until(lambda: self._last(number, Ended))
        assert isinstance(found, Ended)
        return found

    def unknown(self, number: int) -> Unknown:
        found = self.until(lambda: self._last(number, Unknown))
        assert isinstance(found, Unknown)
        return found

    def _last(self, number: int, kind: type) -> Any:
        found = [r for r in self.reports if isinstance(r, kind) and r.number == number]
        return found[-1] if found else None

    def perform(self, order: Order) -> Ended:
        self.backend.launch(order)
        return self.ended(order.number)

    def log(self, number: int, name: str = "stdout.log") -> bytes:
        return (self.root / "logs" / str(number) / name).read_bytes()

    def pids(self, comm: str) -> list[int]:
        found = processes_of(str(self.run))
        return [pid for pid, name in found.items() if name == comm]

    def kill(self, *pids: int) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def leave(self) -> None:
        """Drop the backend as a killed server would: sockets close, nobody is told."""
        for link in self.backend._connections:
            if isinstance(link, SpawnerLink) and link.process is not None:
                self.spawners.append(link.process)
        self.backend._connections.hang_up()
        self.backend.close()

    def come_back(self, **fields: Any) -> list[Report]:
        self.backend = ProcessBackend(str(self.run), **fields)
        found = self.backend.start()
        self.reports = list(found)
        return found

    def sweep(self) -> None:
        self.backend.close()
        for process in self.spawners:
            process.kill()
            process.wait()
        for _ in range(50):
            left = processes_of(str(self.root))
            if not left:
                return
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.02)
