"""The queue and the task of huey, as its consumer imports them; two variables say where."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from huey import RedisHuey, SqliteHuey  # type: ignore[import-not-found]

FOLDER, STORAGE = os.environ["HUEY_PROBE_FOLDER"], os.environ["HUEY_PROBE_STORAGE"]


def _huey() -> Any:
    if STORAGE == "redis":
        return RedisHuey("bench", url=f"unix://{FOLDER}/redis.sock")
    return SqliteHuey("bench", filename=f"{FOLDER}/huey.db", fsync=True)


huey = _huey()


@huey.task()  # type: ignore[untyped-decorator]
def call(program: str) -> int:
    """Run a program."""
    return subprocess.call([program])
