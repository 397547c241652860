"""The spawner, with runners that give nothing back because a job takes its time."""

from __future__ import annotations

import sys

from projects.jobs.process import runner, spawner

if __name__ == "__main__":
    runner.TOGETHER = 600.0
    spawner.main(*sys.argv[1:])
