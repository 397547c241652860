"""Limits of one job: a cgroup where one can be made, resource limits elsewhere.

Sources: cgroup-v1/{memory,pids}.rst and cgroup-v2.rst of the kernel's documentation, getrlimit(2).
Set by the forked child itself before its exec, so that nothing of the job ever runs without them.
"""

from __future__ import annotations

import contextlib
import os
import resource
from typing import TYPE_CHECKING

from projects.jobs.process import cgroups
from projects.jobs.process.leftovers import count

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_PERIOD = 100_000  # µs, the kernel's default for cpu.max
_CPU_GRACE = 5  # seconds between SIGXCPU and SIGKILL
_KERNEL_NAMES = {"memory": "memory", "cpus": "cpu", "processes": "pids"}


class Confinement:
    """The limits of one job; planned and made by the runner, entered by the child, undone by it.

    Attributes
    ----------
    groups
        The cgroups that `make` will make or has made, for whoever must remove them.
    notes
        What could not be enforced as it was asked.
    """

    def __init__(self, limits: dict[str, Any], mark: str) -> None:
        self.notes: list[str] = []
        self._limits = limits
        self._resources: list[tuple[int, int, int]] = []
        self._places = self._planned(mark)
        self.groups = list(dict.fromkeys(group for _, group, _ in self._places.values()))
        self._by_process()

    def _planned(self, mark: str) -> dict[str, tuple[str, str, int]]:
        """Return, by limit, the directory to make a group in, the group, and its version."""
        planned = {}
        here = cgroups.places_here() if self._limits.keys() & _KERNEL_NAMES else {}
        for limit, controller in _KERNEL_NAMES.items():
            if limit in self._limits and controller in here:
                parent, version = here[controller]
                planned[limit] = (parent, cgroups.group_of(parent, mark), version)
        return planned

    def make(self) -> None:
        """Make the groups; what can't be had of them is limited otherwise, and noted."""
        for limit in _KERNEL_NAMES:
            if limit in self._limits and not self._make(limit):
                self._places.pop(limit, None)
                self._fall_back(limit, int(self._limits[limit]))
        made = {group for _, group, _ in self._places.values()}
        cgroups.remove_groups(group for group in self.groups if group not in made)
        self.groups = [group for group in self.groups if group in made]

    def _make(self, limit: str) -> bool:
        if limit not in self._places:
            return False
        parent, group, version = self._places[limit]
        try:
            if version != 1:
                cgroups.prepare(parent)
            os.makedirs(group, exist_ok=True)
            for file, text in _settings(limit, self._limits[limit], version):
                cgroups.write(os.path.join(group, file), text)
        except OSError:
            return False
        if limit == "memory":
            for optional in ("memory.memsw.limit_in_bytes", "memory.swap.max"):
                with contextlib.suppress(OSError):  # no swap accounting here
                    text = str(int(self._limits[limit])) if version == 1 else "0"
                    cgroups.write(os.path.join(group, optional), text)
        return True

    def renew(self) -> None:
        """Set the limits once more: systemd before 254 can't start a service that still has any.

        What it took before doesn't count against a limit that was lifted meanwhile.
        """
        for limit in self._places:
            self._make(limit)

    def _fall_back(self, limit: str, value: int) -> None:
        if limit == "memory":
            self._resources.append((resource.RLIMIT_AS, value, value))
            self.notes.append(
                "no memory cgroup can be made here: the limit counts the address space of each"
                " process by itself"
            )
        elif limit == "processes" and os.geteuid() != 0:
            self._resources.append((resource.RLIMIT_NPROC, value, value))
            self.notes.append(
                "no pids cgroup can be made here: the limit counts all processes of the user"
            )
        else:
            self.notes.append(
                f"the limit of {limit} is not enforced: it needs a cgroup, and none can be made"
                " here"
            )

    def _by_process(self) -> None:
        seconds = self._limits.get("cpu_seconds")
        if seconds is not None:
            soft = max(1, -int(-seconds // 1))
            self._resources.append((resource.RLIMIT_CPU, soft, soft + _CPU_GRACE))
        files = self._limits.get("files")
        if files is not None:
            self._resources.append((resource.RLIMIT_NOFILE, int(files), int(files)))

    def enter(self) -> None:
        """Confine this process, and what it becomes: called between fork and exec."""
        for group in self.groups:
            cgroups.write(os.path.join(group, "cgroup.procs"), "0")
        for kind, soft, hard in self._resources:
            ceiling = resource.getrlimit(kind)[1]
            if ceiling != resource.RLIM_INFINITY:
                soft, hard = min(soft, ceiling), min(hard, ceiling)  # noqa: PLW2901
            resource.setrlimit(kind, (soft, hard))

    def peak_memory(self) -> int:
        """Return the most that the job took at a time, in bytes; 0 when nobody counted."""
        if "memory" not in self._places:
            return 0
        for file in ("memory.peak", "memory.max_usage_in_bytes"):
            if text := cgroups.read(os.path.join(self._places["memory"][1], file)):
                return int(text)
        return 0

    def remove(self) -> None:
        """Remove the cgroups; nothing may be left in them."""
        cgroups.remove_groups(self.groups)


def out_of_memory(groups: Iterable[str]) -> str:
    """Return the sentence about what the kernel killed at the limit of memory; empty: nothing."""
    for group in groups:
        limit = _number(group, "memory.max") or _number(group, "memory.limit_in_bytes")
        for file, reached in (("memory.events", "oom"), ("memory.oom_control", "oom_kill")):
            events = _events(group, file)
            killed = events.get("oom_kill", 0)
            if limit and killed and events.get(reached):
                return (
                    f"the kernel killed {count(killed)} of it: the limit of {limit} bytes of memory"
                    " was reached"
                )
    return ""


def _events(group: str, file: str) -> dict[str, int]:
    lines = cgroups.read(os.path.join(group, file)).splitlines()
    return {key: int(value) for key, _, value in (line.partition(" ") for line in lines)}


def _number(group: str, file: str) -> int:
    text = cgroups.read(os.path.join(group, file)).strip()
    return int(text) if text.isdecimal() else 0


def _settings(limit: str, value: float, version: int) -> list[tuple[str, str]]:
    if limit == "memory":
        return [("memory.limit_in_bytes" if version == 1 else "memory.max", str(int(value)))]
    if limit == "processes":
        return [("pids.max", str(int(value)))]
    quota = max(1000, int(value * _PERIOD))
    if version == 1:
        return [("cpu.cfs_period_us", str(_PERIOD)), ("cpu.cfs_quota_us", str(quota))]
    return [("cpu.max", f"{quota} {_PERIOD}")]
