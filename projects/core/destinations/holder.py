"""Who exports to a place now, said so that others can tell whether that process still lives."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def this_process(token: str) -> dict[str, Any]:
    """Return what identifies this process, and one of its exports by `token`."""
    return {
        "host": socket.gethostname(),
        "boot": boot(),
        "pid": os.getpid(),
        "began": began(os.getpid()),
        "token": token,
    }


def is_dead(owner: Mapping[str, Any], here: Mapping[str, Any], held: Collection[str]) -> bool:
    """Tell whether the owner was a process of this machine and is no more.

    `here` is `this_process`, `held` are the tokens of its own exports that are on.
    """
    if not here["boot"] or any(owner.get(key) != here[key] for key in ("boot", "host")):
        return False
    pid = owner.get("pid")
    if pid == os.getpid() and owner.get("began") == here["began"]:
        return owner.get("token") not in held  # it could not be removed when it was released
    return not isinstance(pid, int) or began(pid) != owner.get("began")


def boot() -> str:
    """Return what identifies this boot and these process numbers; empty where nothing does."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def began(pid: int) -> str:
    """Return when a process began, in ticks since the boot; empty if there is none (proc(5))."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in {"Z", "X"} else fields[19]
