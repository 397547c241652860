"""Logs of jobs: a part, the last lines, or followed until the job ends."""

from __future__ import annotations

import asyncio
import codecs
import functools
import os
from typing import TYPE_CHECKING, Literal

from starlette.concurrency import run_in_threadpool

from projects.jobs.http import files, operations
from projects.jobs.http.refusals import Absent, Invalid
from projects.jobs.http.streams import EventStream, message
from projects.jobs.model.states import is_final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastapi import Request
    from starlette.responses import Response

    from projects.jobs.http.access import Principal
    from projects.jobs.http.services import Services
    from projects.jobs.model.entities import Job

LogName = Literal["stdout", "stderr"]

PIECE = 64 << 10
SOONEST, LATEST = 0.05, 1.0
"""Seconds until a file is looked at again: each time nothing was new, twice as long."""

MOST_LINES = 100_000


async def log_answer(
    services: Services,
    who: Principal,
    request: Request,
    name: str,
    log: LogName,
    *,
    follow: bool,
    tail: int | None,
) -> Response:
    """Return a log of a job as text, the part in `Range`, the last lines, or a stream of events."""
    job = await services.read(operations.job_of, services, who, name)
    if follow:
        after = request.headers.get("last-event-id")
        still = functools.partial(services.read, operations.job_of, services, who, job.id)
        source = followed(services, job, log, tail, _number(after))
        return EventStream(services, source, still=still)
    file = await run_in_threadpool(open_log, services, job, log)
    if tail is not None:
        start = await run_in_threadpool(files.tail_start, file, tail)
        return files.text_from(file, start)
    return files.text(file, request.headers.get("range"))


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 18:  # noqa: PLR2004  (64 bits)
        raise Invalid(f"Last-Event-ID: {text[:40]!r} is no number that this server gave")
    return int(text)


def open_log(services: Services, job: Job, log: str) -> files.OpenFile:
    """Open a log of `job`; Absent, saying why, if it has none."""
    try:
        return files.open_inside(operations.directory_of(services, job), f"{log}.log")
    except Absent:
        raise Absent(f"the job {job.id} has no {log}: {why_absent(job)}") from None


def why_absent(job: Job) -> str:
    """Return what an absent log of `job` most likely means."""
    if job.started is None:
        return "it hasn't begun" if not is_final(job.state) else "it never began"
    return "its tool keeps no logs, or they have expired"


async def followed(
    services: Services, job: Job, log: str, tail: int | None, after: int | None
) -> AsyncGenerator[bytes | None, None]:
    """Yield what is added to a log, then how the job ended.

    Each message is `{"at": where its text begins, "text": …}`, numbered by where it ends.
    """
    reader = _Growing(services, job, log, tail, after)
    wait, silent = SOONEST, 0.0
    try:
        while not services.feed.closed.is_set():
            # Its state first: what was printed before it ended is there after it has.
            current = await services.read(services.store.job, job.number)
            ended = current is None or is_final(current.state)
            piece = await run_in_threadpool(reader.read, to_the_end=ended)
            if piece:
                wait, silent = SOONEST, 0.0
                yield piece
            elif ended:
                if current is not None:
                    yield message("end", {"state": current.state.name, "outcome": current.outcome})
                return
            else:
                await asyncio.sleep(wait)
                silent, wait = silent + wait, min(2 * wait, LATEST)
                if silent >= services.settings.heartbeat:
                    silent = 0.0
                    yield None
    finally:
        reader.close()


class _Growing:
    """A file that is still being written, and may not be there yet."""

    def __init__(
        self, services: Services, job: Job, log: str, tail: int | None, after: int | None
    ) -> None:
        self._where = services, job, log
        self._tail = tail
        self._at = after or 0
        self._resumed = after is not None
        self._file: files.OpenFile | None = None

    def read(self, *, to_the_end: bool) -> bytes:
        """Return the next whole lines as a message; the last one also when it isn't whole."""
        if self._file is None:
            try:
                self._file = open_log(*self._where)
            except Absent:
                return b""
            if self._tail is not None and not self._resumed:
                self._at = files.tail_start(self._file, self._tail)
        data = os.pread(self._file.descriptor, PIECE, self._at)
        end = data.rfind(b"\n") + 1
        if end == 0 and (to_the_end or len(data) == PIECE):
            end = len(data) if to_the_end and len(data) < PIECE else _whole(data)
        if end == 0:
            return b""
        text = data[:end].decode("utf-8", "replace")
        at, self._at = self._at, self._at + end
        return message("log", {"at": at, "text": text}, self._at)

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


def _whole(data: bytes) -> int:
    """Return how much of `data` ends with a whole character."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    rest, _ = decoder.getstate()
    return len(data) - len(rest)
