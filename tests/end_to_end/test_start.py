"""What a call imports: start-up stays short only while nobody imports what it does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "asyncio", "boto3", "email", "httpx", "http.client", "jinja2",
    "joblib", "jsonpath_ng", "numpy", "plotly", "pydantic", "rich", "ssl", "urllib.request",
}  # fmt: skip

PROGRAM = """
import sys
from projects.core.command_line.main import main
status = main(sys.argv[1:])
print(*sorted(sys.modules), file=open("modules", "w"))
sys.exit(status)
"""


@pytest.mark.parametrize(
    "words",
    [("--version",), ("--help",), ("bench", "noop"), ("bench", "--help"), ("sqlite", "--help")],
    ids=" ".join,
)
def test_a_call_imports_nothing_heavy_that_it_does_not_need(
    words: tuple[str, ...], copy: Path, environ: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=copy,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set((copy / "modules").read_text().split())
    assert not HEAVY & loaded
