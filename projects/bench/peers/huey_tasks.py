"""The queue and the task of huey, as its consumer imports them; two variables say where."""

from __future__ import annotations

import os
import subprocess
import tempfile
import zlib
from typing import Any

from huey import RedisHuey, SqliteHuey  # type: ignore[import-not-found]

FOLDER, STORAGE = os.environ["HUEY_PROBE_FOLDER"], os.environ["HUEY_PROBE_STORAGE"]


def socket_of(folder: str) -> str:
    """Return the socket of the Redis whose state is in a folder: 108 bytes are all it may have."""
    return f"{tempfile.gettempdir()}/huey-{zlib.crc32(folder.encode()):08x}.sock"


def _huey() -> Any:
    if STORAGE == "redis":
        return RedisHuey("bench", url=f"unix://{socket_of(FOLDER)}")
    return SqliteHuey("bench", filename=f"{FOLDER}/huey.db", fsync=True)


huey = _huey()


@huey.task()  # type: ignore[untyped-decorator]
def call(program: str) -> int:
    """Run a program."""
    return subprocess.call([program])
