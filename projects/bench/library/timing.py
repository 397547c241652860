"""Seconds of one call, in this process and as a process of its own."""

from __future__ import annotations

import itertools
import subprocess
import tempfile
import threading
import time
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_SHOWN_LINES = 20


class MeasuredProgramFailed(InfrastructureError):
    """A measured program did not end with status 0: its time would say nothing."""

    @classmethod
    def of(cls, argv: Sequence[str], status: int, output: str) -> MeasuredProgramFailed:
        """Return the error with the last lines that the program wrote."""
        lines = "\n".join(output.splitlines()[-_SHOWN_LINES:])
        return cls(f"{' '.join(argv)} ended with status {status}:\n{lines}")


def seconds_per_call(function: Callable[[], object], *, at_least: float = 0.05) -> float:
    """Return the mean seconds of one call, over so many calls that they last `at_least` seconds.

    One call before the clock starts is thrown away. The loop's own cost, some 20 ns a call,
    counts as the function's.
    """
    function()
    calls = 1
    while True:
        took = seconds_of_calls(function, calls)
        if took >= at_least:
            return took / calls
        calls = max(calls * 2, int(calls * at_least / max(took, 1e-9)))


def seconds_of_calls(function: Callable[[], object], calls: int) -> float:
    """Return the seconds that `calls` calls take together."""
    started = time.perf_counter()
    for _ in itertools.repeat(None, calls):
        function()
    return time.perf_counter() - started


def seconds_of_process(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    timeout: float = 120.0,
) -> float:
    """Return the wall-clock seconds from the spawn of `argv` to its end.

    This is a bare process, deliberately not the toolkit's door to processes: its log, span and
    streaming would be part of what is measured. Nor is it `subprocess.run(timeout=…)`, which asks
    at growing intervals of up to 50 ms whether the process has ended, and rounds what is measured
    up to them. Output goes to a file nobody reads unless the program fails or takes longer than
    `timeout` seconds, which is a MeasuredProgramFailed with its last lines.
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        limit = threading.Timer(timeout, process.kill)
        limit.start()
        try:
            status = process.wait()
            took = time.perf_counter() - started
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            limit.cancel()
        if status:
            output.seek(0)
            text = output.read().decode(errors="replace")
            raise MeasuredProgramFailed.of(argv, status, text)
    return took
