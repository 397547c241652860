"""A server of our own to be measured: `server serve` with a data directory, from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.bench.library.environments import our_environment
from projects.bench.library.peers import CHECKOUT
from projects.bench.library.timing import MeasuredProgramFailed
from projects.jobs.library.client import Client
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PATIENCE = 60.0
_SHOWN = 3000
OURS = ("job-spawner", "job-runner")
"""Names of the processes beside the server."""


class JobServer:
    """One data directory below `root`, and the server that works in it now, if one does."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root = root
        self.data = root / "data"
        self.scripts = root / "test_scripts"
        self.scripts.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        self._log = root / "server.log"
        state = str(root / "state")
        self._environment = our_environment(environ, root / "run") | {"XDG_STATE_HOME": state}
        self.client = Client(f"http://127.0.0.1:{self.port}", environ={"XDG_STATE_HOME": state})
        self.process: subprocess.Popen[bytes] | None = None

    def add_tool(self, name: str, script: str, **spec: Any) -> None:
        """Make a tool of a shell script; `script` may also be the path of a program."""
        directory = self.scripts / name
        directory.mkdir()
        said = {"description": name, "parameters": [], **spec}
        (directory / "spec.json").write_text(json.dumps(said), encoding="utf-8")
        run = directory / "run"
        if script.startswith("/"):
            run.symlink_to(script)
        else:
            run.write_text(script, encoding="utf-8")
            run.chmod(0o755)

    def start(self, *options: str) -> float:
        """Start a server; return the seconds until `/readyz` said yes.

        Raises
        ------
        MeasuredProgramFailed
            It ended, or isn't ready within a minute.
        """
        began = time.perf_counter()
        process = self.launch(*options)
        while not self.is_ready():
            late = time.perf_counter() - began > _PATIENCE
            if late or process.poll() is not None:
                said = self._log.read_text(encoding="utf-8", errors="replace")[-_SHOWN:]
                raise MeasuredProgramFailed.of(["server", "serve"], process.poll() or 0, said)
            time.sleep(0.002)
        return time.perf_counter() - began

    def launch(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a server without waiting for it."""
        argv = [
            *(sys.executable, str(CHECKOUT / "run_toolbox.py"), "server", "serve"),
            *(f"--data-dir={self.data}", f"--test-scripts={self.scripts}", f"--port={self.port}"),
            *options,
        ]
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                argv,
                cwd=CHECKOUT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return self.process

    def is_ready(self) -> bool:
        """Return whether `/readyz` says yes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def submit(self, specs: Sequence[Mapping[str, Any]], parallel: int) -> dict[str, Any]:
        """Submit jobs and return the answer: when it is there, they are on disk."""
        request = {"parallel": parallel, "job_specs": specs}
        submitted: dict[str, Any] = self.client.post_json("/api/v1/submissions", request)
        return submitted

    def wait_for(self, submission: Mapping[str, Any]) -> dict[str, Any]:
        """Return a submission when it is done, asked more often as the end comes near."""
        began = time.perf_counter()
        while True:
            found: dict[str, Any] = self.client.get_json(f"/api/v1/submissions/{submission['id']}")
            if found["phase"] == "done":
                return found
            ended = found["states"].get("DONE", 0)
            left = (time.perf_counter() - began) * (found["jobs"] - ended) / max(ended, 1)
            time.sleep(min(max(left / 2, 0.002), 0.1))

    def started(self, job: str) -> float:
        """Return when the process of a job was started, in seconds since the epoch."""
        deadline = time.monotonic() + _PATIENCE
        while not (started := self.client.get_json(f"/api/v1/jobs/{job}")["started"]):
            if time.monotonic() > deadline:
                raise MeasuredProgramFailed(f"job {job} isn't recorded as started")
            time.sleep(0.01)
        return moment.parse_iso(started) / moment.SECOND

    def pids(self) -> dict[int, str]:
        """Return the processes of this data directory: `server`, `job-spawner`, `job-runner`."""
        found = {}
        if self.process is not None and self.process.poll() is None:
            found[self.process.pid] = "server"
        beside = processes_of(str(self.data / "run"))
        return found | {pid: name for pid, name in beside.items() if name in OURS}

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """End the server in good order."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(_PATIENCE)
            self.process = None

    def sweep(self) -> None:
        """End everything that belongs to the directory."""
        self.kill()
        deadline = time.monotonic() + _PATIENCE
        while (left := processes_of(str(self.root))) and time.monotonic() < deadline:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.02)


@contextmanager
def running(
    root: Path, environ: Mapping[str, str], tools: Mapping[str, str], *options: str
) -> Iterator[JobServer]:
    """Run a server with tools; at the end nothing of it is left running."""
    server = JobServer(root, environ)
    for name, script in tools.items():
        server.add_tool(name, script)
    try:
        server.start(*options)
        yield server
    finally:
        server.sweep()


def processes_of(needle: str) -> dict[int, str]:
    """Return name by pid of what carries `needle` in its command line or environment."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            texts = [Path(f"/proc/{name}/{file}").read_bytes() for file in ("cmdline", "environ")]
            comm = Path(f"/proc/{name}/comm").read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if any(needle.encode() in text for text in texts):
            found[int(name)] = comm
    return found


def memory_of(pid: int) -> dict[str, float]:
    """Return `rss` and `pss` of a process in MiB; `pss` shares out what processes have together."""
    sizes = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name in ("Rss", "Pss"):
                sizes[name.lower()] = int(value.split()[0]) / 1024
    return sizes


def cpu_of(pid: int) -> float:
    """Return the seconds of processor that a process has used, its ended children not counted."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
