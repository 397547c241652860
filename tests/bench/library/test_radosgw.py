"""The S3 server of the bench and of tests does not outlive them."""

from __future__ import annotations

import subprocess
import sys

from projects.bench.library.radosgw import ENDS_WITH_US

STARTS_ONE = "import subprocess, sys; subprocess.Popen(sys.argv[1:]); print('started', flush=True)"


def test_what_is_started_is_killed_with_whoever_started_it() -> None:
    script = f"{STARTS_ONE}; sys.stdin.read()"
    starter = subprocess.Popen(
        [sys.executable, "-c", script, *ENDS_WITH_US, "sleep", "1000"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with starter:
        assert starter.stdout
        assert starter.stdout.readline() == b"started\n"
        starter.kill()
        # The end of the pipe is seen when nobody has it open any more, `sleep` included.
        assert starter.stdout.read() == b""
