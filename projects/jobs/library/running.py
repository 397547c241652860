"""Run one job to its end from here: what it left is fetched, what ends us cancels it."""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Any

from projects.core.errors import (
    DeadlineExceeded,
    InfrastructureError,
    TestFailed,
    TopgallantError,
    unreadable,
)
from projects.core.processes import cancellation
from projects.jobs.library import inside
from projects.jobs.library.client import Away, Refused, part
from projects.jobs.library.waiting import wait_for_job

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from projects.jobs.library.client import Client

LOGS = ("stderr.log", "stdout.log")
_LAST_LINES, _LAST_BYTES = 10, 4096

_log = logging.getLogger(__name__)


def run(client: Client, request: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Submit the one job of `request`, wait for its end, copy what it left to `directory`.

    Whatever ends this before (a signal, a deadline, a failing sibling) cancels the job.

    Raises
    ------
    TestFailed, DeadlineExceeded, InfrastructureError
        The job failed; it took too long; it was cancelled or lost. The message has the reason and
        its last lines.
    Refused, Away
        The request isn't accepted; the server doesn't answer.
    """
    headers = inside.headers_for(client)
    submitted = client.post_json("/api/v1/submissions", request, headers)
    (job,) = submitted["job_ids"]
    _log.info("job %s on %s", job, client.address.url)
    if headers and not submitted["parent"]:
        _log.info("the job of this call isn't known there: the new one waits for its turn")
    try:
        ended = wait_for_job(client, job, seen=_Told(), say=_log.info, sleep=cancellation.sleep)
    except BaseException:
        _cancel(client, job)
        raise
    fetch(client, job, directory)
    error = failure(ended, directory)
    if error is not None:
        raise error
    return dict(ended)


class _Told:
    """Logs each change of a job once."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, job: Mapping[str, Any]) -> None:
        said = job["waits_for"] or job["outcome"] or job["state"]
        if said != self._last:
            self._last = said
            _log.info("job %s: %s", job["id"], said)


def _cancel(client: Client, job: str) -> None:
    try:
        with cancellation.no_deadline():
            client.post(f"/api/v1/jobs/{part(job)}/cancel")
        _log.info("job %s is cancelled with this", job)
    except Refused as error:
        _log.info("job %s: %s", job, error)
    except Away as error:
        _log.warning("job %s could not be cancelled and goes on: %s", job, error)


def fetch(client: Client, job: str, directory: Path) -> list[str]:
    """Copy the files of a job below `directory`; return their paths.

    Raises
    ------
    InfrastructureError
        A file can't be written.
    """
    listed = client.get_json(f"/api/v1/jobs/{part(job)}/artifacts")
    if not listed["complete"]:
        _log.warning("job %s left more files than are listed: the rest stays there", job)
    root = os.path.realpath(directory)
    paths = []
    for each in listed["items"]:
        path = each["path"]
        target = os.path.realpath(os.path.join(root, path))
        if not target.startswith(root + os.sep):
            _log.warning("job %s: the file %r is left there", job, path)
            continue
        where = "/".join(map(part, path.split("/")))
        try:
            _fetch_one(client, f"/api/v1/jobs/{part(job)}/artifacts/{where}", target)
        except Refused as error:  # removed since
            _log.warning("job %s: %s: %s", job, path, error)
            continue
        paths.append(path)
    return paths


def _fetch_one(client: Client, address: str, target: str) -> None:
    pieces = client.stream(address)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            for piece in pieces:
                cancellation.checkpoint()
                file.write(piece)
    except OSError as error:
        raise unreadable(target, error) from error


def failure(job: Mapping[str, Any], directory: Path) -> TopgallantError | None:
    """Return the error that the outcome of an ended job is; None for success."""
    kinds: dict[str, type[TopgallantError]] = {
        "FAILED": TestFailed,
        "TIMEOUT": DeadlineExceeded,
        "CANCELLED": InfrastructureError,
        "LOST": InfrastructureError,
    }
    kind = kinds.get(job["outcome"])
    if kind is None:
        return None
    how = {"FAILED": _exit(job), "TIMEOUT": "it took too long", "CANCELLED": "it was cancelled"}
    said = how.get(job["outcome"], "nobody saw its end")
    last = last_lines(directory)
    message = f"job {job['id']} of {job['tool']}: {job['reason'] or said}; see {directory}"
    return kind(f"{message}\n{last}" if last else message)


def _exit(job: Mapping[str, Any]) -> str:
    if job["signal"]:
        return f"it was ended by signal {job['signal']}"
    return f"its exit code is {job['return_code']}"


def last_lines(directory: Path) -> str:
    """Return the end of what a job printed: of stderr, else of stdout."""
    for name in LOGS:
        with contextlib.suppress(OSError), open(directory / name, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LAST_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
            if lines:
                return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:])
    return ""
