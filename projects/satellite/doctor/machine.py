"""What the machine offers: kernel, cgroups, limits of the user."""

from __future__ import annotations

import os
import re
import resource

from projects.satellite.doctor.findings import Finding, ok, warning

KNOWS_ENDS = (6, 15)
"""Since this version Linux tells the exit code of a process that isn't our child (pidfd info)."""

_FEW_FILES = 1024
_CONTROLLERS = ("memory", "pids")


def kernel(release: str) -> Finding:
    """Say whether ends of jobs are known that nobody of ours waited for."""
    found = re.match(r"(\d+)\.(\d+)", release)
    if found and (int(found[1]), int(found[2])) >= KNOWS_ENDS:
        return ok("kernel", f"Linux {release} tells the exit code of every job")
    return warning(
        "kernel",
        f"Linux {release} is older than {KNOWS_ENDS[0]}.{KNOWS_ENDS[1]}: when all of our processes"
        " are killed while a job runs, its exit code stays unknown",
        "nothing, if such a job may run again (on_restart: rerun); else a newer kernel",
    )


def cgroups(membership: str, mounts: str) -> Finding:
    """Say how limits of memory and processes are held, from /proc/self/{cgroup,mountinfo}."""
    version = 0
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        place, kind = left.split()[4], right.split()[0] if right else ""
        if kind == "cgroup2":
            group = next((x[3:] for x in membership.splitlines() if x.startswith("0::")), "/")
            if _writable(place + group) or _writable(place):
                return ok(
                    "limits", f"memory and processes of a job are limited by cgroup v2 ({place})"
                )
            version = 2
        elif kind == "cgroup" and _writable(place):
            controllers = right.split()[-1].split(",")
            if any(name in controllers for name in _CONTROLLERS):
                return ok(
                    "limits", f"memory and processes of a job are limited by cgroup v1 ({place})"
                )
    reason = "its cgroup isn't ours to write to" if version else "there are no cgroups here"
    return warning(
        "limits",
        f"{reason}: a limit of memory counts the address space of each process of a job",
        "run the satellite by systemd with Delegate=yes: satellite systemd prints the unit",
    )


def open_files() -> Finding:
    """Say whether enough files may be open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FEW_FILES:
        advice = f"ulimit -n {hard if hard > 0 else 4096}, or LimitNOFILE= in the unit"
        return warning("open files", f"only {soft} may be open at once", advice)
    return ok("open files", f"{soft} may be open at once")


def file_size() -> list[Finding]:
    """Say so where files may not grow."""
    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if soft == resource.RLIM_INFINITY:
        return []
    return [warning("file size", f"files may have {soft} bytes only", "ulimit -f unlimited")]


def _writable(place: str) -> bool:
    return os.access(place, os.W_OK) and os.access(f"{place}/cgroup.procs", os.W_OK)
