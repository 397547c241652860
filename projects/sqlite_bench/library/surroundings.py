"""What a measurement ran on: file system, kernel, processor, SQLite."""

from __future__ import annotations

import os
import platform
import sqlite3
from dataclasses import dataclass
from pathlib import Path

UNKNOWN = "unknown"

MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs"})
"""File systems that never touch a disk: what is measured on them is memory."""


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a directory lies; `options` are those of the mount and of the file system."""

    mount_point: str
    file_system: str
    device: str
    options: str


def mounts(mountinfo: str) -> list[Mount]:
    """Return the mounts of a text in the format of `/proc/self/mountinfo`.

    Source: proc_pid_mountinfo(5). Lines that do not fit are left out.
    """
    found = []
    for line in mountinfo.splitlines():
        head, separator, tail = line.partition(" - ")
        fields, rest = head.split(), tail.split()
        if not separator or len(fields) < 6 or len(rest) < 2:  # noqa: PLR2004 - the format's fields
            continue
        options = ",".join(dict.fromkeys((fields[5] + "," + "".join(rest[2:3])).split(",")))
        found.append(Mount(_unescape(fields[4]), rest[0], _unescape(rest[1]), options.strip(",")))
    return found


def mount_of(directory: Path, known: list[Mount]) -> Mount:
    """Return the mount that `directory`, an absolute path without links, lies on.

    The deepest mount point wins; of several at the same place the last one hides the others.
    """
    best = Mount("/", UNKNOWN, UNKNOWN, UNKNOWN)
    for mount in known:
        inside = directory.is_relative_to(mount.mount_point)
        if inside and len(Path(mount.mount_point).parts) >= len(Path(best.mount_point).parts):
            best = mount
    return best


def _unescape(field: str) -> str:
    # The kernel writes space, tab, newline and backslash as octal numbers.
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field


def processor(cpuinfo: str) -> str:
    """Return the processor's name of a text in the format of `/proc/cpuinfo`, or "unknown"."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "cpu model") and value.strip():
            return value.strip()
    return UNKNOWN


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:  # another system than Linux
        return ""


def describe(directory: Path) -> dict[str, object]:
    """Return what is needed to judge a measurement in `directory`; "unknown" is an answer."""
    mount = mount_of(directory.resolve(), mounts(_text("/proc/self/mountinfo")))
    name = processor(_text("/proc/cpuinfo"))
    return {
        "sqlite_version": sqlite3.sqlite_version,
        "python_version": platform.python_version(),
        "directory": str(directory),
        "file_system": mount.file_system,
        "device": mount.device,
        "mount_options": mount.options,
        "kernel": f"{platform.system()} {platform.release()}",
        "cpu": name if name != UNKNOWN else platform.processor() or platform.machine() or UNKNOWN,
        "cpu_count": os.cpu_count(),
    }
