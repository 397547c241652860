"""The machine a measurement ran on, as far as the figures depend on it."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, memory in GiB, kernel, Python and the load of the last minute."""
    return {
        "processor": processor_name(_read("/proc/cpuinfo")) or platform.processor() or "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": memory_gib(_read("/proc/meminfo")),
        "kernel": platform.release(),
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}",
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip() or None,
        "load": round(os.getloadavg()[0], 2),
    }


def processor_name(cpuinfo: str) -> str | None:
    """Return the first `model name` of a text like /proc/cpuinfo (proc_cpuinfo(5))."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return " ".join(value.split())
    return None


def memory_gib(meminfo: str) -> float | None:
    """Return `MemTotal`, given in KiB in a text like /proc/meminfo (proc_meminfo(5)), in GiB."""
    for line in meminfo.splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal":
            return round(int(value.split()[0]) / 1024**2, 1)
    return None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
