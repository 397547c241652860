"""bin/satellite as a process, asked by bin/satctl, as a user has both; and a small hub."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from tests.conftest import CHECKOUT

EXAMPLE = """\
#!/bin/sh
echo "$@"
echo error >&2
[ -z "$arg_wait_for" ] || until [ -e "$arg_wait_for" ]; do sleep 0.05; done
echo end
exit ${arg_status:-0}
"""
SPEC = {
    "description": "Example test.",
    "unknown_parameters": "allow",
    "parameters": [
        {"name": "a", "type": "integer", "doc": "A number", "optional": True, "min": 0},
        {"name": "b", "type": "string", "doc": "Some text", "optional": True},
        {"name": "flag", "type": "boolean", "doc": "A flag", "optional": True},
    ],
}


class Live:
    """A satellite in a directory of its own, on a port that was free."""

    def __init__(self, top: Path, *words: str) -> None:
        self.top = top
        self.words = words
        self.port = 0
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(top),
            "LANG": "C.UTF-8",
            "TOPGALLANT_VENV": sys.prefix,
        }
        self.write_test("example", EXAMPLE, SPEC)
        self.log = top / "satellite.log"
        self.process: subprocess.Popen[bytes] | None = None

    def write_test(self, name: str, run: str, spec: Any) -> None:
        directory = self.top / "test_scripts" / name
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "run").write_text(run)
        (directory / "run").chmod(0o755)
        (directory / "spec.json").write_text(json.dumps(spec))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    str(CHECKOUT / "bin/satellite"),
                    f"--port={self.port}",
                    *self.words,
                ],
                cwd=self.top,
                env=self.environ,
                stderr=log,
            )
        wait_until(lambda: "stop    Ctrl-C" in self.log.read_text() or self._ended())
        assert self.process.poll() is None, self.log.read_text()
        first = next(x for x in self.log.read_text().splitlines() if x.startswith("Topgallant"))
        self.port = int(first.rpartition(":")[2])
        self.environ["SATELLITE_URL"] = self.url

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def kill(self, number: int = signal.SIGKILL) -> None:
        assert self.process
        self.process.send_signal(number)
        self.process.wait(30)

    def end(self) -> None:
        """Stop the server; end what it started, found by the data directory in its words."""
        if self.process and self.process.poll() is None:
            self.kill(signal.SIGTERM)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes()
                variables = Path(f"/proc/{pid}/environ").read_bytes()
                if str(self.top).encode() in words or f"LOGDIR={self.top}".encode() in variables:
                    os.kill(int(pid), signal.SIGKILL)
            except OSError:
                continue

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(CHECKOUT / "bin/satctl"), *words]

    def satctl(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        environ = self.environ | more.pop("environ", {})
        return subprocess.run(
            self.command(*words),
            cwd=self.top,
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **more,
        )

    def satellite(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call bin/satellite for something that ends."""
        return subprocess.run(
            [sys.executable, str(CHECKOUT / "bin/satellite"), *words],
            cwd=self.top,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def data(self, *words: str, **more: Any) -> Any:
        done = self.satctl(*words, **more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["data"]

    def job(self, *words: str) -> str:
        """Submit one example, return its id."""
        return str(self.data("run", "example", *words)["job_ids"][0])


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


class Hub:
    """A hub that notes what it is sent, and answers with `status`."""

    def __init__(self, port: int = 0) -> None:
        hub = self
        self.status = 200
        self.calls: list[tuple[str, dict[str, str], Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hub.calls.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(hub.status)
                self.end_headers()
                self.wfile.write(b"no such satellite" if hub.status >= 400 else b"{}")

            def do_GET(self) -> None:
                self.send_response(hub.status)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        host, port = cast("tuple[str, int]", self._server.server_address)
        return f"http://{host}:{port}"

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
