"""What Linux tells about processes, and the few calls that Python's library lacks."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import signal
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

MARK = "TOPGALLANT_ATTEMPT"
TICKS = os.sysconf("SC_CLK_TCK")

# include/uapi/linux/pidfd.h: struct pidfd_info is 64 bytes in its first version, `mask` at 0 and
# `exit_code` (as wait(2) gives it) at 60; PIDFD_GET_INFO is _IOWR(0xFF, 11, struct pidfd_info).
_INFO_SIZE = 64
_INFO_EXIT_CODE = 60
_PIDFD_GET_INFO = 3 << 30 | _INFO_SIZE << 16 | 0xFF << 8 | 11
_PIDFD_INFO_EXIT = 1 << 3

NO_TAG = 0
_TAG = 1 << 50
"""Microseconds (35 years) that the realtime timeout of a runner's processes is at least."""

_EXEC = 5.0  # seconds that a process may take, on a busy machine, to be what it was told to be
_YOUNG = 5.0

# include/uapi/linux/prctl.h and falloc.h
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_FALLOC_FL_KEEP_SIZE = 1
_FALLOC_FL_PUNCH_HOLE = 2

# waitid(2): "the raw system call takes a fifth argument, struct rusage"; only with it can the use
# of a child be read before the child is reaped.
_WAITID = {"x86_64": 247, "aarch64": 95, "riscv64": 95, "ppc64le": 272, "s390x": 281}

_libc = ctypes.CDLL(None, use_errno=True)


class Stat:
    """Some fields of /proc/PID/stat (proc_pid_stat(5)); `status` is that of wait(2), of zombies."""

    __slots__ = ("parent", "pid", "session", "start_ticks", "state", "status")

    def __init__(self, pid: int, text: bytes) -> None:
        fields = text[text.rindex(b")") + 2 :].split()
        self.pid = pid
        self.state = fields[0].decode()
        self.parent = int(fields[1])
        self.session = int(fields[3])
        self.start_ticks = int(fields[19])
        self.status = int(fields[49])


def stat(pid: int) -> Stat | None:
    """Return what the kernel says of a process, also of a zombie; None when there is none."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError):
        return None
    try:
        return Stat(pid, os.read(descriptor, 2048))
    except ProcessLookupError:
        return None
    finally:
        os.close(descriptor)


def born_between(pid: int, before: float, after: float) -> int:
    """Return `start_ticks` of a process that was started between two `seconds_since_boot`.

    Both mostly lie within one tick, and then nothing needs to be read.
    """
    ticks = int(before * TICKS)
    return ticks if ticks == int(after * TICKS) else start_ticks(pid)


def start_ticks(pid: int) -> int:
    """Return when a process began, in ticks since boot; 0 when there is none."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        text = os.read(descriptor, 2048)
    except ProcessLookupError:
        return 0
    finally:
        os.close(descriptor)
    return int(text[text.rindex(b")") :].split(b" ", 21)[20])


def boot_id() -> str:
    """Return the id of this boot (random(4))."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def seconds_since_boot() -> float:
    """Return the clock that start ticks are of: it never jumps and counts suspended time."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def processes() -> list[Stat]:
    """Return all processes that /proc shows now."""
    found = (stat(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process is not None]


def descendants(root: int) -> list[Stat]:
    """Return the living processes below `root`, zombies left out."""
    children: dict[int, list[Stat]] = {}
    for process in processes():
        children.setdefault(process.parent, []).append(process)
    found: list[Stat] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += [process for process in below if process.state not in "ZX"]
        waiting += [process.pid for process in below]
    return found


def marked(mark: str) -> list[Stat]:
    """Return the living processes whose environment began with `TOPGALLANT_ATTEMPT=mark`.

    Only those of which the environment may be read: one's own, for root all.
    """
    needle = f"{MARK}={mark}".encode()
    deadline = time.monotonic() + _EXEC
    while True:
        found, beginning = [], False
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            environment = _environment(name)
            if environment is None:
                continue
            if needle in environment.split(b"\0"):
                process = stat(int(name))
                if process is not None and process.state not in "ZX":
                    found.append(process)
            elif not environment:
                beginning = beginning or _is_beginning(int(name))
        if found or not beginning or time.monotonic() >= deadline:
            return found
        time.sleep(0.001)


def _is_beginning(pid: int) -> bool:
    """Return whether a process may be within execve(2): its environment isn't there yet.

    By then it has let go of its runner's journal. Kernel threads and the dead never have one.
    """
    process = stat(pid)
    if process is None or process.state in "ZX" or process.session != process.pid:
        return False
    return seconds_since_boot() - process.start_ticks / TICKS < _YOUNG


def _environment(pid: str) -> bytes | None:
    """Return the environment that a process began with; None when that is not for us to know."""
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return None


def end_holders(path: str, names: Collection[str]) -> list[int]:
    """Kill the processes of these names that have a file open, and return their pids.

    Not a child of such a one that has it open, too: that is a job about to be, between fork and
    exec, which lets go of it by itself. Who is killed does nothing any more when this returns,
    though it may take a while to be gone.
    """
    try:
        wanted = os.stat(path)
    except FileNotFoundError:
        return []
    found = [
        process
        for process in processes()
        if _name(process.pid) in names and _has_open(process.pid, wanted)
    ]
    pids = {process.pid for process in found}
    holders = [process.pid for process in found if process.parent not in pids]
    for pid in holders:
        send(pid, signal.SIGKILL)
    return holders


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", "rb", buffering=0) as file:
            return file.read().decode(errors="replace").rstrip("\n")
    except OSError:
        return ""


def _has_open(pid: int, wanted: os.stat_result) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        return any(_is_same(f"{folder}/{name}", wanted) for name in os.listdir(folder))
    except OSError:
        return False


def _is_same(path: str, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), wanted)
    except OSError:
        return False


def exit_status(pidfd: int, pid: int, ticks: int) -> int | None:
    """Return the status (as wait(2) gives it) of a process that has ended and isn't our child.

    From PIDFD_GET_INFO once it was reaped (Linux 6.15), from /proc while it is a zombie; None
    when neither tells.
    """
    info = bytearray(_INFO_SIZE)
    struct.pack_into("=Q", info, 0, _PIDFD_INFO_EXIT)
    try:
        fcntl.ioctl(pidfd, _PIDFD_GET_INFO, info)
        if struct.unpack_from("=Q", info)[0] & _PIDFD_INFO_EXIT:
            return int(struct.unpack_from("=i", info, _INFO_EXIT_CODE)[0])
    except OSError:
        pass  # an older kernel, or gone altogether
    return zombie_status(pid, ticks)


def zombie_status(pid: int, ticks: int) -> int | None:
    """Return the status of a process that has ended and was not yet reaped, else None."""
    found = stat(pid)
    if found is None or found.state not in "ZX" or found.start_ticks != ticks:
        return None
    try:  # the kernel shows 0 to those who may not know
        known = bool(found.status) or os.stat(f"/proc/{pid}").st_uid == os.geteuid()
    except OSError:
        return None
    return found.status if known else None


def alive(pid: int, ticks: int) -> bool:
    """Return whether that very process runs (a zombie doesn't)."""
    found = stat(pid)
    return found is not None and found.start_ticks == ticks and found.state not in "ZX"


class Look:
    """Looks at a child that has ended without reaping it: a record can be written before.

    Whoever is killed between `look` and reaping leaves a zombie to the process above, which finds
    the same status: no exit code is ever only in the memory of one process.
    """

    def __init__(self) -> None:
        self._number = _WAITID.get(os.uname().machine)
        self._information = ctypes.create_string_buffer(128)  # siginfo_t
        self._usage = (ctypes.c_long * 36)()  # struct rusage: 2 timevals, then maxrss …
        self._call = _libc.syscall
        self._call.restype = ctypes.c_long

    def look(self, pid: int) -> tuple[int, float, int] | None:
        """Return status, CPU seconds and peak memory (bytes) of a child that has ended."""
        if self._number is None:
            return _reap(pid)
        result = self._call(
            ctypes.c_long(self._number),
            ctypes.c_long(os.P_PID),
            ctypes.c_long(pid),
            self._information,
            ctypes.c_long(os.WEXITED | os.WNOWAIT | os.WNOHANG),
            self._usage,
        )
        if result != 0:
            return None
        # siginfo_t (sigaction(2)): si_signo, si_errno, si_code, padding, si_pid, si_uid, si_status
        signo, _, code, _, _, _, value = struct.unpack_from("=7i", self._information)
        if signo == 0:
            return None
        usage = self._usage
        cpu = usage[0] + usage[2] + (usage[1] + usage[3]) / 1e6
        return (value << 8 if code == os.CLD_EXITED else value), cpu, usage[4] * 1024


def _reap(pid: int) -> tuple[int, float, int] | None:
    try:
        found, status, usage = os.wait4(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    if not found:
        return None
    return status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def reap(pid: int) -> None:
    """Let the kernel forget a child that has ended."""
    with contextlib.suppress(ChildProcessError):  # `Look` had to reap it
        os.waitpid(pid, os.WNOHANG)


def become_subreaper() -> None:
    """Let orphaned descendants become children of this process (PR_SET_CHILD_SUBREAPER)."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def tag(number: int) -> None:
    """Mark this process, and all that it will start, for who finds them when they are zombies.

    Of those the kernel shows little; limits it does. That of realtime CPU time between two waits
    (getrlimit(2)) is not set by anybody, and harms nobody where it is years.
    """
    hard = resource.getrlimit(resource.RLIMIT_RTTIME)[1]
    with contextlib.suppress(ValueError, OSError):  # the user has a lower one: then untagged
        resource.setrlimit(resource.RLIMIT_RTTIME, (_TAG + number, hard))


def tag_of(pid: int) -> int:
    """Return the number with which a process, perhaps a zombie, was tagged; else `NO_TAG`."""
    try:
        soft, _ = resource.prlimit(pid, resource.RLIMIT_RTTIME)
    except OSError:
        return NO_TAG
    return max(NO_TAG, soft - _TAG)


def set_name(name: str) -> None:
    """Name this process in `ps` and `top`, up to 15 characters."""
    _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def punch_hole(descriptor: int, offset: int, length: int) -> bool:
    """Give a range of a file back to the disk; False where the file system can't."""
    mode = _FALLOC_FL_PUNCH_HOLE | _FALLOC_FL_KEEP_SIZE
    call = getattr(_libc, "fallocate64", _libc.fallocate)
    result = call(
        ctypes.c_int(descriptor), ctypes.c_int(mode), ctypes.c_int64(offset), ctypes.c_int64(length)
    )
    return bool(result == 0)


def send(pid: int, number: int) -> bool:
    """Send a signal to a process or, negative, a group; False when there is none."""
    try:
        os.kill(pid, number)
    except OSError as error:
        return error.errno == errno.EPERM
    return True
