"""kill -9 between any two lines: what was acknowledged is there, the rest is whole or not there."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

ROUNDS = int(os.environ.get("STORE_KILLS", "40"))


def test_a_writer_that_is_killed_loses_nothing(tmp_path: Path, checkout: Path) -> None:
    seed = random.randrange(10**6)  # noqa: S311  (a test)
    words = [str(Path(__file__).with_name("killed_writer.py")), str(tmp_path), str(ROUNDS)]
    ended = subprocess.run(
        [sys.executable, *words, str(seed)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )
    assert ended.returncode == 0, f"seed {seed}: {ended.stdout}{ended.stderr}"
    assert ended.stdout.startswith(f"{ROUNDS} kills")
