"""The S3 server of the bench and of tests does not outlive them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from projects.bench.library.radosgw import ENDS_WITH_US

STARTS_ONE = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True)"


def test_what_is_started_is_killed_with_whoever_started_it() -> None:
    script = f"{STARTS_ONE}; sys.stdin.read()"
    starter = subprocess.Popen(
        [sys.executable, "-c", script, *ENDS_WITH_US, "sleep", "1000"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with starter:
        assert starter.stdout
        name = Path(f"/proc/{int(starter.stdout.readline())}/comm")
        while name.read_text() != "sleep\n":  # until then nobody has asked for the signal
            time.sleep(0.01)
        starter.kill()
        # The end of the pipe is seen when nobody has it open any more, `sleep` included.
        assert starter.stdout.read() == b""
