"""Two real runs, exported to the hub by the command that people use.

Beside what they measured lie files that would like to do harm.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.end_to_end.in_browser.hub_server import HubServer

FAST = ("quick", "tests.seconds=0.02", "tests.warmup_transactions=1")
FAST_TOO = "tests.synchronous_levels=off"

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

ATTEMPTS = """
const told = {};
const attempt = (name, does) => {
  try { told[name] = "did it: " + does(); } catch (error) { told[name] = error.name; }
};
attempt("cookie", () => document.cookie);
attempt("storage", () => localStorage.length);
if (parent !== self) attempt("parent", () => { parent.document.title = "gone"; return "gone"; });
told.window = open("/jobs") === null ? "none" : "did it: open";
const form = document.createElementNS("http://www.w3.org/1999/xhtml", "form");
form.action = "/api/v1/logout";
form.method = "post";
document.documentElement.append(form);
form.submit();
const picture = new Image();
picture.src = "/api/v1/me?probe=picture";
fetch("/api/v1/me?probe=fetch", { credentials: "include" })
  .then(answer => "did it: " + answer.status, error => error.name)
  .then(said => { told.fetch = said; })
  .then(() => { document.getElementById("said").textContent = JSON.stringify(told); });
"""

PAGE = f"<!doctype html><title>Evil</title><p id=said>nothing</p><script>{ATTEMPTS}</script>"
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="60"><text id="said" y="30">nothing'
    f"</text><script><![CDATA[{ATTEMPTS}]]></script></svg>"
)
COLOURS = "\x1b[1;31mred and bold\x1b[0m plain <b>not bold</b>\n" + "".join(
    f"line {at}\n" for at in range(2, 1001)
)


@dataclass(frozen=True)
class Run:
    """A run here, and its id on the hub."""

    folder: Path
    id: str

    @property
    def address(self) -> str:
        return f"/artifacts/{self.id}"


@pytest.fixture(scope="module")
def runs(hub_server: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Run]:
    """Measure twice, the second time with larger transactions; export both to the hub."""
    home = tmp_path_factory.mktemp("engineer")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "USER": "ada",
        "TOPGALLANT_VENV": sys.prefix,
        "TOPGALLANT_BASE_DIR": str(home / "runs"),
        "TOPGALLANT_TOKEN": (hub_server.data / "token").read_text().strip(),
    }
    return [
        _exported(hub_server, environ, home / "runs" / "latest", "tests.batch_sizes=[1,100]"),
        _exported(hub_server, environ, home / "runs" / "latest", "tests.batch_sizes=[1,200]"),
    ]


def _exported(server: HubServer, environ: Mapping[str, str], latest: Path, changed: str) -> Run:
    _call(environ, "sqlite_bench", "test_ci", *FAST, FAST_TOO, changed)
    folder = latest.resolve()
    (folder / "evil.html").write_text(PAGE)
    (folder / "evil.svg").write_text(DRAWING)
    (folder / "colours.log").write_text(COLOURS)
    (folder / "pixel.png").write_bytes(PIXEL)
    (folder / "trace.bin").write_bytes(bytes(range(256)))
    to = f"export_artifacts.dest=hub+{server.address}"
    enabled = "export_artifacts.enabled=true"
    _call(environ, "sqlite_bench", "export_artifacts", str(folder), enabled, to)
    url = (folder / "export.url").read_text().strip()
    return Run(folder, url.rpartition("/artifacts/")[2].strip("/"))


def _call(environ: Mapping[str, str], *words: str) -> None:
    command = [sys.executable, "./run_toolbox.py", *words]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
