"""From a run to a hub, killed half-way on both sides, and back: the same KPIs, byte for byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components.hub_server import TOKEN_FILE
from tests.conftest import CHECKOUT
from tests.end_to_end.conftest import Call

LARGE = 200_000_000
FAST = (
    *("quick", "tests.seconds=0.02", "tests.warmup_transactions=1"),
    "tests.synchronous_levels=off",
)


class Server:
    """A hub as a process, which is killed and started again at the same address."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = "0"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.components.hub_server", str(self.data), self.port]
        self.process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def has_come(self) -> int:
        """Return the bytes of what is on its way."""
        return max((one.stat().st_size for one in self.data.glob("blobs/uploads/*/*")), default=0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    data = tmp_path / "hub"
    data.mkdir()
    server = Server(data)
    yield server
    server.kill()


@pytest.fixture
def environ(tmp_path: Path, server: Server) -> dict[str, str]:
    """Return the environment of a user who has a token in a file, and nothing else."""
    place = tmp_path / "home/.local/state/topgallant/tokens" / f"127.0.0.1_{server.port}"
    place.parent.mkdir(parents=True)
    place.write_text((server.data / TOKEN_FILE).read_text())
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
        "USER": "ada",
        "TOPGALLANT_VENV": sys.prefix,
        "TOPGALLANT_BASE_DIR": str(tmp_path / "runs"),
    }


def test_killed_on_both_sides_it_goes_on_and_comes_back(
    call: Call, copy: Path, environ: dict[str, str], server: Server, tmp_path: Path
) -> None:
    done = call("sqlite_bench", "test_ci", *FAST)
    assert done.returncode == 0, done.stderr
    run = (tmp_path / "runs" / "latest").resolve()
    (run / "large.bin").write_bytes(os.urandom(LARGE))
    words = ["sqlite_bench", "export_artifacts", str(run), "export_artifacts.enabled=true"]
    words.append(f"export_artifacts.dest=hub+http://127.0.0.1:{server.port}")

    exporting = subprocess.Popen(
        [sys.executable, "./run_toolbox.py", *words],
        cwd=copy,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not server.has_come() and exporting.poll() is None and time.monotonic() < deadline:
        pass
    server.kill()
    os.killpg(exporting.pid, signal.SIGKILL)
    exporting.wait()
    had = server.has_come()
    assert 0 < had < LARGE
    server.start()

    done = call(*words)
    assert done.returncode == 0, done.stderr
    assert "Exported to http://127.0.0.1" in done.stderr
    address = (run / "export.url").read_text().strip()
    assert address.startswith(f"http://127.0.0.1:{server.port}/artifacts/")

    done = call("sqlite_bench", "replot", address)
    assert done.returncode == 0, done.stderr
    replotted = (tmp_path / "runs" / "latest").resolve()
    (ours,) = run.glob("*__plots/lts_payload.json")
    (theirs,) = replotted.glob("**/*__plots/lts_payload.json")
    assert theirs.read_bytes() == ours.read_bytes()


def test_a_wrong_token_says_what_to_do(call: Call, server: Server, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "some").mkdir()
    to = f"export_artifacts.dest=hub+http://127.0.0.1:{server.port}"
    words = ["sqlite_bench", "export_artifacts", str(tmp_path / "some")]
    done = call(*words, "export_artifacts.enabled=true", to, TOPGALLANT_TOKEN="tg_wrong")
    assert done.returncode == 2
    assert "set TOPGALLANT_TOKEN, or name a file in secrets.hub_token" in done.stderr
    assert "tg_wrong" not in done.stderr
