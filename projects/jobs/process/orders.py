"""What the process backend is asked to do, and what it reports: frozen values, no effects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from projects.jobs.process.output import OUTPUT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projects.jobs.model.entities import Usage

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL, unless an order says otherwise."""


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What one job may take; None is unlimited.

    `memory` (bytes) and `processes` count the job with all its descendants where a cgroup can be
    used; elsewhere each process counts by itself (memory: address space) or all those of the user
    (processes), and the notes of the end say so. `cpus` (a fraction is fine) needs a cgroup.
    `cpu_seconds` and `files` (open descriptors) are per process. `output_bytes` is per log file.
    """

    memory: int | None = None
    cpus: float | None = None
    cpu_seconds: float | None = None
    files: int | None = None
    processes: int | None = None
    output_bytes: int = OUTPUT_BYTES


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt of a job, complete: nothing is looked up by the process that runs it.

    `argv[0]` is the path of the program (without a slash: looked for in the PATH of `env`).
    `env` is the whole environment; the mark `TOPGALLANT_ATTEMPT=<id>.<attempt>` is added.
    `cwd` is where it runs (`log_directory`, which is made when missing, where empty). `stdout`
    and `stderr` name files below `log_directory` (or anywhere, when absolute), appended to;
    None is /dev/null. `timeout` and `grace` are seconds.
    """

    number: int
    attempt: int
    id: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log_directory: str
    cwd: str = ""
    stdout: str | None = "stdout.log"
    stderr: str | None = "stderr.log"
    timeout: float | None = None
    grace: float = GRACE
    limits: ProcessLimits = field(default_factory=ProcessLimits)


@dataclass(frozen=True, slots=True)
class Started:
    """The process of an attempt exists, or (from `start()`) still exists.

    `at` is µs since the epoch; (`pid`, `start_ticks`, `boot_id`) names the process for ever.
    """

    number: int
    attempt: int
    pid: int
    start_ticks: int
    boot_id: str
    at: int


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt is over, and nothing of it is left.

    `reason` is one of: `exit` (it ended by itself: see `exit_code` or `signal`), `timeout`,
    `stopped` (somebody asked), `output` (its log could not be bounded otherwise), `memory` (the
    kernel killed it at its limit), or `not started: ` and a sentence (then there was no process).
    `notes` are sentences for people: limits that could not be enforced, processes left behind,
    why it was stopped. A job that was stopped or timed out has the exit code or signal that its
    process ended with.
    """

    number: int
    attempt: int
    exit_code: int | None
    signal: int | None
    reason: str
    at: int
    usage: Usage | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """An attempt is over, nothing of it is left, and nobody saw how it ended.

    `started` tells whether it ever was a process: True, False (it never was: it can be started
    again without a doubt), None (that can't be told). `reason` is a sentence: reboot, everything
    was killed, … The engine's `on_restart` decides what follows.
    """

    number: int
    attempt: int
    started: bool | None
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Returned:
    """An order that was to follow another one won't: it never began, and may be launched."""

    number: int
    attempt: int


Report = Started | Ended | Unknown | Returned
