"""The server's ends of its connections: to runners, and to spawners, which it also starts."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError
from projects.jobs.process import wire

if TYPE_CHECKING:
    from typing import Any

    from projects.jobs.process.orders import Order, ProcessLimits

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
_PATIENCE = 10.0

Key = tuple[int, int]
"""(number, attempt)"""


class RunnerLink:
    """A living runner: what it does, and which of its ends are not settled."""

    __slots__ = (
        "channel", "followers", "greeted", "idle_since", "job", "leaving", "lines", "name", "open",
        "settled", "told", "top",
    )  # fmt: skip

    def __init__(self, name: str, channel: wire.Channel) -> None:
        self.name = name
        self.channel = channel
        self.job: Key | None = None
        self.followers: deque[Key] = deque()  # what it has to begin when `job` is over
        self.open: dict[int, Key] = {}
        self.top = 0
        self.settled = 0
        self.told = 0
        self.greeted = False
        self.lines: list[dict[str, Any]] = []
        self.leaving = False
        self.idle_since = 0.0

    @property
    def spawner(self) -> str:
        """The id of the spawner that forked it."""
        return self.name.partition("-")[0]

    def ended(self, sequence: int, key: Key) -> None:
        """Keep in mind that this end is to be settled."""
        self.open[sequence] = key
        self.top = max(self.top, sequence)

    def settle(self, sequence: int) -> None:
        """Note that the database has this end; all up to `settled` may be forgotten."""
        self.open.pop(sequence, None)
        self.settled = next(iter(self.open)) - 1 if self.open else self.top

    def tell_settled(self) -> None:
        """Let an idle runner cut its journal."""
        if self.settled > self.told:
            self.told = self.settled
            self.channel.send(f'{{"t":"settled","s":{self.settled}}}')


class SpawnerLink:
    """A living spawner; `process` where this server started it."""

    __slots__ = ("channel", "greeted", "name", "process")

    def __init__(
        self, name: str, channel: wire.Channel, process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.name = name
        self.channel = channel
        self.process = process
        self.greeted = False

    def close(self) -> None:
        """Hang up, and reap it when it is our child and has ended."""
        self.channel.close()
        if self.process is not None:
            try:
                self.process.wait(0.2)
            except subprocess.TimeoutExpired:
                # It goes on without us; nobody is to be warned that it does.
                self.process.returncode = 0


def start_spawner(run_directory: str, boot_id: str) -> SpawnerLink:
    """Start a spawner and connect to it.

    Raises
    ------
    InfrastructureError
        It didn't come up: the message names its log.
    """
    name = os.urandom(4).hex()
    directory = os.path.join(run_directory, "spawners")
    log = os.path.join(run_directory, "spawner.log")
    environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
    module = "projects.jobs.process.spawner"
    command = [sys.executable, "-S", "-E", "-m", module, run_directory, name, boot_id]
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InfrastructureError(f"{log} can't be written: {error.strerror}") from error
    try:
        process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    finally:
        os.close(output)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        channel = wire.connect(directory, name + ".sock")
        if channel is not None:
            return SpawnerLink(name, channel, process)
        time.sleep(0.002)
    process.kill()
    process.wait()
    raise InfrastructureError(f"the process that starts jobs doesn't come up: see {log}")


def launch_line(order: Order, settled: int) -> str:
    """Return an order as a runner takes it."""
    return wire.encode(
        {
            "t": "launch", "n": order.number, "a": order.attempt, "id": order.id,
            "argv": list(order.argv), "env": dict(order.env), "log": order.log_directory,
            "cwd": order.cwd, "out": order.stdout, "err": order.stderr,
            "timeout": order.timeout, "grace": order.grace,
            "limits": _given(order.limits), "s": settled,
        }
    )  # fmt: skip


@functools.lru_cache(maxsize=64)
def _given(limits: ProcessLimits) -> dict[str, float]:
    names = ("memory", "cpus", "cpu_seconds", "files", "processes", "output_bytes")
    values = ((name, getattr(limits, name)) for name in names)
    return {name: value for name, value in values if value is not None}
