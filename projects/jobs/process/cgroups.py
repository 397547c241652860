"""Where cgroups for jobs may be made, which processes are in them, and their removal.

Sources: cgroups(7), cgroup-v1/{memory,pids}.rst and cgroup-v2.rst of the kernel's documentation,
systemd.resource-control(5), CGROUP_DELEGATION.md of systemd.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Places = dict[str, tuple[str, int]]
"""By controller: the directory in which groups are made, and its version of cgroups."""

CONTROLLERS = ("memory", "cpu", "pids")
"""Memory first: where that is refused the others must not be enabled, see `prepare`."""

_PREFIX = "topgallant-"
_OURS = "topgallant"
"""The group that processes are moved to from one that is to have limited groups below it."""

_UNITS = (".service", ".scope")

_ROUNDS = 20


def group_of(parent: str, mark: str) -> str:
    """Return the group of one attempt."""
    return os.path.join(parent, _PREFIX + mark)


_found: Places | None = None


def places_here() -> Places:
    """Return what `places` says of this process."""
    global _found  # noqa: PLW0603  (what the machine has doesn't change)
    if _found is None:
        _found = places(read("/proc/self/cgroup"), read("/proc/self/mountinfo"))
    return _found


def places(membership: str, mounts: str) -> Places:
    """Return where groups may be made; looks at what is there, and changes nothing.

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
    found: Places = {}
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        root, mount_point = left.split()[3:5]
        kind, _, options = [*right.split(), "", ""][:3]
        if kind == "cgroup":
            for controller in options.split(","):
                if controller in own:
                    found[controller] = (_below(mount_point, root, own[controller]), 1)
        elif kind == "cgroup2" and "" in own:
            parent = _parent(_below(mount_point, root, own[""]))
            if parent is not None:
                for controller in _words(parent, "cgroup.controllers"):
                    found.setdefault(controller, (parent, 2))
    return found


def _below(mount_point: str, root: str, path: str) -> str:
    inside = path
    if root != "/" and f"{path}/".startswith(f"{root}/"):
        inside = path[len(root) :]
    return os.path.join(mount_point, inside.strip("/")).rstrip("/")


def _parent(own: str) -> str | None:
    """Return where version 2 lets us make groups: at the root, or in what was delegated to us.

    That is our own group or, with `DelegateSubgroup=`, the one above. All others belong to whoever
    made them, also where root could write to them. The systemd of a user marks nothing: there the
    unit makes the group that we move to, or starts us below itself, as it does with no other unit.
    """
    if _is_root(own):
        return own
    if os.path.basename(own).startswith(_PREFIX):
        return None  # we are in a job: what it starts must not get away from its limits
    if _is_delegated(own) or os.path.isdir(os.path.join(own, _OURS)):
        return own
    above = os.path.dirname(own)
    return above if _is_delegated(above) or above.endswith(_UNITS) else None


def _is_root(group: str) -> bool:
    controllers, kind = (os.path.join(group, f"cgroup.{x}") for x in ("controllers", "type"))
    return os.path.exists(controllers) and not os.path.exists(kind)


def _is_delegated(group: str) -> bool:
    try:
        return os.getxattr(group, "user.delegate") == b"1"
    except OSError:
        return False


def prepare(parent: str) -> None:
    """Let the groups below a place of version 2 have limits, as far as that is possible.

    But for the root, a group with limited ones below it may have no processes itself: ours are
    moved into one of their own. Processes that stay keep `memory` from being enabled, but not `cpu`
    and `pids`: these would make the group a threaded one, and nothing could enter those below.
    """
    enabled = _words(parent, "cgroup.subtree_control")
    missing = [x for x in _words(parent, "cgroup.controllers") if x not in enabled]
    wanted = [controller for controller in CONTROLLERS if controller in missing]
    if not wanted or not (_is_root(parent) or _is_cleared(parent)):
        return
    for controller in wanted:
        try:
            write(os.path.join(parent, "cgroup.subtree_control"), f"+{controller}")
        except OSError:
            if controller == "memory":
                return


def _is_cleared(parent: str) -> bool:
    """Move the processes of a group into one below it; return whether none is left."""
    ours = os.path.join(parent, _OURS)
    for _ in range(_ROUNDS):  # they may fork meanwhile
        pids = _words(parent, "cgroup.procs")
        if not pids:
            return True
        try:
            os.makedirs(ours, exist_ok=True)
        except OSError:
            return False
        for pid in pids:
            with contextlib.suppress(OSError):  # it has ended, or it isn't ours
                write(os.path.join(ours, "cgroup.procs"), pid)
    return False


def members(groups: Iterable[str]) -> set[int]:
    """Return the living processes of a job's groups and of those it made in them."""
    pids = {
        int(pid)
        for group in groups
        for directory in _tree(group)
        for pid in _words(directory, "cgroup.procs")
    }
    return pids - {0}  # how those of another pid namespace are shown


def remove_groups(groups: Iterable[str]) -> None:
    """Remove groups that a job had, with those it made in them; with processes they stay."""
    for group in groups:
        for directory in _tree(group):
            with contextlib.suppress(OSError):
                os.rmdir(directory)


def _tree(group: str) -> Iterator[str]:
    """Return a job's group and those below it, the lowest first; nothing of another group."""
    if os.path.basename(group).startswith(_PREFIX):
        for directory, _, _ in os.walk(group, topdown=False):
            yield directory


def _words(group: str, file: str) -> list[str]:
    return read(os.path.join(group, file)).split()


def read(path: str) -> str:
    """Return the text of a file of the kernel; nothing where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def write(path: str, text: str) -> None:
    """Write to a file of the kernel, in one call, as it wants it.

    Raises
    ------
    OSError
        There is no such file, or the kernel refuses.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
