"""A shell command, run for its output: in bounded time and memory, leaving nothing behind."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass

_CHUNK = 65536
_SHOWN = 200
_KEPT = ("PATH", "HOME", "LANG", "USER", "TZ")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed; `failure` says what went wrong, empty if nothing did."""

    output: bytes
    failure: str


def run(command: str, directory: str, timeout: float, most: int) -> Done:
    """Run `/bin/sh -c command` in `directory` with a clean environment.

    At its end, after `timeout` seconds, or when it has printed more than `most` bytes, its whole
    process group is killed.

    Raises
    ------
    OSError
        It can't be started.
    """
    environment = {"PATH": _PATH} | {k: os.environ[k] for k in _KEPT if k in os.environ}
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        bufsize=0,
    )
    output, complaint = bytearray(), bytearray()
    try:
        failure = _read(process, output, complaint, timeout, most)
    finally:
        # The process is not waited for yet: nobody else can have its number.
        os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
    if not failure and status != 0:
        last = complaint.decode(errors="replace").strip()[-_SHOWN:]
        failure = f"exit status {status}" + (f": {last}" if last else "")
    return Done(bytes(output), failure)


def _read(
    process: subprocess.Popen[bytes],
    output: bytearray,
    complaint: bytearray,
    timeout: float,
    most: int,
) -> str:
    """Read until the process ends; return why not, if so.

    What it leaves running may hold the pipes open: its own end counts, and what is in them then.
    """
    deadline = time.monotonic() + timeout
    ended = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            assert process.stdout is not None  # noqa: S101 (it was asked for)
            assert process.stderr is not None  # noqa: S101
            for pipe, into in ((process.stdout, output), (process.stderr, complaint)):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, into)
            selector.register(ended, selectors.EVENT_READ)
            over = False
            while not over:
                left = deadline - time.monotonic()
                if left <= 0:
                    return f"it took longer than {timeout:g} s"
                ready = selector.select(left)
                over = any(key.data is None for key, _ in ready)
                for key in list(selector.get_map().values()):
                    if key.data is None or not (over or any(key is one for one, _ in ready)):
                        continue
                    if not _drain(key.fd, key.data, most):
                        selector.unregister(key.fileobj)
                    del complaint[:-_CHUNK]
                    if len(output) > most:
                        return f"it printed more than {most:,} bytes"
    finally:
        os.close(ended)
    return ""


def _drain(pipe: int, into: bytearray, most: int) -> bool:
    """Read what is there, keeping little more than `most`; return whether more may come."""
    while len(into) <= most:
        try:
            data = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return True
        if not data:
            return False
        into += data
    return True
