"""A small server for the fault test: runs numbered jobs, keeps what it learns in a file.

    driver.py ROOT JOBS SLOTS

It behaves as the engine does with `on_restart=fail`: an attempt that `start()` doesn't mention is
launched again, what is Unknown stays so. Every job is told to be followed by the next one. It may
be killed at any moment and started again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from projects.jobs.model import identity
from projects.jobs.process.backend import ProcessBackend
from projects.jobs.process.orders import Ended, Order, Report, Returned, Started, Unknown

SCRIPT = 'echo "$0" >> "$1"; [ "$2" = 0.0 ] || sleep "$2"; exit "$3"'


def expected(number: int) -> int:
    """Return the exit code of a job."""
    return number * 7 % 200


def order(root: Path, number: int) -> Order:
    """Return a job of a few to a hundred milliseconds; half of them are as short as can be."""
    pause = (number * 37 % 100) / 1000 * (number // 2 % 2)
    argv = ["/bin/sh", "-c", SCRIPT, str(number), str(root / "ledger"), str(pause)]
    return Order(
        number,
        1,
        # Of this root alone: what carries the mark of an attempt is ended wherever it comes from.
        identity.from_bytes(hashlib.sha256(f"{root}/{number}".encode()).digest()[:16]),
        [*argv, str(expected(number))],
        {"PATH": os.environ["PATH"], "HOUSE": str(root)},
        str(root / "logs" / str(number)),
    )


FOLLOWERS = 3
"""So many jobs are handed over ahead."""


class Driver:
    def __init__(self, root: Path, jobs: int, slots: int) -> None:
        self.root = root
        self.jobs = jobs
        self.slots = slots
        self.path = root / "database"
        self.database = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.over: dict[int, Any] = {}
        self.running: set[int] = set()
        self.waiting: list[int] = []
        self.followers: dict[int, list[int]] = {}  # by the running one before them
        for line in self.path.read_bytes().split(b"\n"):
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if row["kind"] != "started":
                self.over[row["n"]] = row

    def run(self) -> None:
        backend = ProcessBackend(str(self.root / "run"))
        self.note(backend, backend.start())
        self.waiting = [
            n for n in range(self.jobs) if n not in self.over | dict.fromkeys(self.running)
        ]
        self.waiting.reverse()
        while len(self.over) < self.jobs:
            while self.waiting and len(self.running) < self.slots:
                number = self.waiting.pop()
                self.running.add(number)
                backend.launch(order(self.root, number))
                self.follow(backend, number)
            self.note(backend, backend.wait(5))
        backend.close()

    def follow(self, backend: ProcessBackend, leader: int) -> None:
        behind = self.followers.setdefault(leader, [])
        fresh = self.waiting[len(behind) - FOLLOWERS :][::-1]
        orders = [order(self.root, number) for number in fresh]
        if orders and backend.follow(orders, leader, 1):
            behind += fresh
            del self.waiting[-len(fresh) :]

    def end(self, backend: ProcessBackend, number: int) -> None:
        self.running.discard(number)
        behind = self.followers.pop(number, None)
        if behind:
            follower = behind.pop(0)
            self.running.add(follower)
            self.followers[follower] = behind
            if len(behind) < FOLLOWERS:
                self.follow(backend, follower)

    def note(self, backend: ProcessBackend, reports: list[Report]) -> None:
        settled = []
        for report in reports:
            number = report.number
            if isinstance(report, Started):
                self.running.add(number)
                self.write({"kind": "started", "n": number, "pid": report.pid})
                continue
            if isinstance(report, Returned):
                for behind in self.followers.values():
                    behind[:] = [other for other in behind if other != number]
                self.running.discard(number)
                self.waiting.append(number)
                continue
            self.end(backend, number)
            settled.append((number, 1))
            row = self.row(report)
            before = self.over.get(number)
            if before is None:
                if row["kind"] == "unknown" and report.started is False:  # type: ignore[union-attr]
                    backend.launch(order(self.root, number))
                    self.running.add(number)
                    continue
                self.over[number] = row
                self.write(row)
            elif before != row and row["kind"] == "ended":
                self.write({"kind": "contradiction", "n": number, "was": before, "is": row})
        backend.settled(settled)

    def row(self, report: Ended | Unknown) -> dict[str, Any]:
        if isinstance(report, Unknown):
            return {"kind": "unknown", "n": report.number, "why": report.reason}
        return {
            "kind": "ended",
            "n": report.number,
            "code": report.exit_code,
            "signal": report.signal,
            "reason": report.reason,
        }

    def write(self, row: dict[str, Any]) -> None:
        os.write(self.database, json.dumps(row).encode() + b"\n")


if __name__ == "__main__":
    Driver(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])).run()
