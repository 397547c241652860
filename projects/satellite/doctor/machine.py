"""What the machine offers: kernel, cgroups, limits of the user."""

from __future__ import annotations

import os
import re
import resource

from projects.jobs.process.cgroups import places
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
    here = places(membership, mounts)
    for place, version in (here[name] for name in _CONTROLLERS if name in here):
        if _writable(place):
            return ok(
                "limits",
                f"memory and processes of a job are limited by cgroup v{version} ({place})",
            )
    known = " - cgroup" in mounts
    reason = "the cgroup of this shell isn't delegated to it" if known else "there are no cgroups"
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
