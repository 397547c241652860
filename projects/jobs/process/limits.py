"""Limits of one job: a cgroup where one can be made, resource limits elsewhere.

Sources: cgroups(7), cgroup-v1/{memory,pids}.rst and cgroup-v2.rst of the kernel's documentation,
getrlimit(2). Set by the forked child itself before its exec, so that nothing of the job ever runs
without them.
"""

from __future__ import annotations

import contextlib
import os
import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_PERIOD = 100_000  # µs, the kernel's default for cpu.max
_CPU_GRACE = 5  # seconds between SIGXCPU and SIGKILL


class Confinement:
    """The limits of one job; made by the runner, entered by the child, undone by the runner.

    Attributes
    ----------
    groups
        The cgroups that were made, for whoever must remove them.
    notes
        What could not be enforced as it was asked.
    """

    def __init__(self, limits: dict[str, Any], name: str) -> None:
        self.groups: list[str] = []
        self.notes: list[str] = []
        self.memory_group = ""
        self._limits = limits
        self._resources: list[tuple[int, int, int]] = []
        self._group(name)
        self._by_process()

    def _group(self, name: str) -> None:
        for controller in ("memory", "cpus", "processes"):
            value = self._limits.get(controller)
            if value is not None and not self._grouped(controller, value, name):
                self._fall_back(controller, int(value))

    def _grouped(self, controller: str, value: float, name: str) -> bool:
        place = _places().get(_KERNEL_NAMES[controller])
        if place is None:
            return False
        parent, version = place
        path = os.path.join(parent, f"topgallant-{name}")
        try:
            os.makedirs(path, exist_ok=True)
            for file, text in _settings(controller, value, version):
                _write(os.path.join(path, file), text)
        except OSError:
            if path not in self.groups:
                remove_groups([path])
            return False
        if path not in self.groups:
            self.groups.append(path)
        if controller == "memory":
            self.memory_group = path
            for optional in ("memory.memsw.limit_in_bytes", "memory.swap.max"):
                with contextlib.suppress(OSError):  # no swap accounting here
                    _write(os.path.join(path, optional), str(value if version == 1 else 0))
        return True

    def _fall_back(self, controller: str, value: int) -> None:
        if controller == "memory":
            self._resources.append((resource.RLIMIT_AS, value, value))
            self.notes.append(
                "no memory cgroup can be made here: the limit counts the address space of each"
                " process by itself"
            )
        elif controller == "processes" and os.geteuid() != 0:
            self._resources.append((resource.RLIMIT_NPROC, value, value))
            self.notes.append(
                "no pids cgroup can be made here: the limit counts all processes of the user"
            )
        else:
            self.notes.append(
                f"the limit of {controller} is not enforced: it needs a cgroup, and none can be"
                " made here"
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
            _write(os.path.join(group, "cgroup.procs"), "0")
        for kind, soft, hard in self._resources:
            ceiling = resource.getrlimit(kind)[1]
            if ceiling != resource.RLIM_INFINITY:
                soft, hard = min(soft, ceiling), min(hard, ceiling)  # noqa: PLW2901
            resource.setrlimit(kind, (soft, hard))

    def killed_for_memory(self) -> int:
        """Return how many processes the kernel killed at the limit."""
        if not self.memory_group:
            return 0
        for file in ("memory.events", "memory.oom_control"):
            for line in _read(os.path.join(self.memory_group, file)).splitlines():
                key, _, value = line.partition(" ")
                if key == "oom_kill":
                    return int(value)
        return 0

    def peak_memory(self) -> int:
        """Return the most that the job took at a time, in bytes; 0 when nobody counted."""
        if not self.memory_group:
            return 0
        for file in ("memory.peak", "memory.max_usage_in_bytes"):
            if text := _read(os.path.join(self.memory_group, file)):
                return int(text)
        return 0

    def remove(self) -> None:
        """Remove the cgroups; nothing may be left in them."""
        remove_groups(self.groups)


def remove_groups(groups: list[str]) -> None:
    """Remove cgroups that a job had; one that still has processes stays."""
    for group in groups:
        if os.path.basename(group).startswith("topgallant-"):
            with contextlib.suppress(OSError):
                os.rmdir(group)


_KERNEL_NAMES = {"memory": "memory", "cpus": "cpu", "processes": "pids"}


def _settings(controller: str, value: float, version: int) -> list[tuple[str, str]]:
    if controller == "memory":
        return [("memory.limit_in_bytes" if version == 1 else "memory.max", str(int(value)))]
    if controller == "processes":
        return [("pids.max", str(int(value)))]
    quota = max(1000, int(value * _PERIOD))
    if version == 1:
        return [("cpu.cfs_period_us", str(_PERIOD)), ("cpu.cfs_quota_us", str(quota))]
    return [("cpu.max", f"{quota} {_PERIOD}")]


_found: dict[str, tuple[str, int]] | None = None


def _places() -> dict[str, tuple[str, int]]:
    global _found  # noqa: PLW0603  (what the machine has doesn't change)
    if _found is None:
        _found = places(_read("/proc/self/cgroup"), _read("/proc/self/mountinfo"))
    return _found


def places(membership: str, mounts: str) -> dict[str, tuple[str, int]]:
    """Return, by controller, the directory in which cgroups may be made, and its version.

    Parameters
    ----------
    membership, mounts
        The texts of /proc/self/cgroup and /proc/self/mountinfo.
    """
    own = {}
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            own[controller] = path
    found: dict[str, tuple[str, int]] = {}
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        root, mount_point = left.split()[3:5]
        kind, _, options = [*right.split(), "", ""][:3]
        if kind == "cgroup":
            for controller in options.split(","):
                if controller in own:
                    found[controller] = (_below(mount_point, root, own[controller]), 1)
        elif kind == "cgroup2":
            parent = _delegated(_below(mount_point, root, own.get("", "/")))
            for controller in _read(os.path.join(parent, "cgroup.subtree_control")).split():
                found.setdefault(controller, (parent, 2))
    return found


def _below(mount_point: str, root: str, path: str) -> str:
    inside = path[len(root) :] if root != "/" and path.startswith(root) else path
    return os.path.join(mount_point, inside.strip("/")).rstrip("/")


def _delegated(own: str) -> str:
    """Return where version 2 lets groups be made: a group with processes can't have limited ones.

    systemd.resource-control(5): with `Delegate=` and `DelegateSubgroup=` the service runs in a
    group below the one that it was given, which is then free of processes.
    """
    above = os.path.dirname(own)
    try:
        os.getxattr(above, "user.delegate")
        parent = above
    except OSError:
        parent = own
    available = _read(os.path.join(parent, "cgroup.controllers")).split()
    for controller in _KERNEL_NAMES.values():
        if controller in available:
            with contextlib.suppress(OSError):
                _write(os.path.join(parent, "cgroup.subtree_control"), f"+{controller}")
    return parent


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
