"""What is called after the end touches nothing of others."""

from __future__ import annotations

import os
from pathlib import Path

from projects.jobs.process.connections import Connections


def descriptors() -> set[int]:
    return {int(name) for name in os.listdir("/proc/self/fd")}


def test_a_wake_after_the_end_is_written_into_no_file_of_others(tmp_path: Path) -> None:
    """A call may still be under way when the server stops; its number may be a database's then."""
    before = descriptors()
    links = Connections(str(tmp_path))
    ours = descriptors() - before
    links.close()
    path = tmp_path / "database"
    opened = [os.open(path, os.O_RDWR | os.O_CREAT)]
    try:
        while not ours <= set(opened) | before:
            opened.append(os.open(path, os.O_RDWR))
        links.wake()
        assert path.read_bytes() == b""
    finally:
        for descriptor in opened:
            os.close(descriptor)
