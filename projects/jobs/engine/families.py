"""What is sent from inside a running job: whether it may be, and that it ends with that job.

docs/decisions/0004 has the rules, and why nothing then waits in a circle.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from projects.core.errors import one_line
from projects.jobs.engine.refusals import Conflict, InvalidRequest
from projects.jobs.store.values import Parent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from projects.jobs.model.entities import Job
    from projects.jobs.store.store import Store
    from projects.jobs.store.values import NewSubmission

MOST_DEPTH = 8
"""So many jobs above one another, each sent from inside the one before."""

_AGAIN = 1.0  # seconds until a store that didn't answer is asked again

_log = logging.getLogger(__name__)


def place_below(
    store: Store, new: NewSubmission, parent: Job, attempt: int | None
) -> NewSubmission:
    """Return a submission that runs beside the job `parent`, and before what waits for that.

    `attempt` is the one that runs, None if none does.

    Raises
    ------
    Conflict
        The parent doesn't run, or too many jobs are above one another already.
    InvalidRequest
        A job needs a resource although one above it holds some.
    """
    if attempt is None:
        raise Conflict(
            f"job {parent.id}, from inside which this is sent, has ended or is being stopped;"
            " what is to outlive a job is sent detached"
        )
    above = _ancestors(store, parent)
    if len(above) >= MOST_DEPTH:
        raise Conflict(
            f"{len(above)} jobs are above this one, each sent from inside the one before:"
            f" at most {MOST_DEPTH} are possible"
        )
    _check_resources(new, above)
    submission = store.submission(parent.submission)
    return replace(
        new,
        rank=parent.rank - 1,
        priority=submission.priority if submission else 0,
        parent=Parent(parent.number, parent.id, attempt),
    )


def _ancestors(store: Store, job: Job) -> list[Job]:
    """Return a job and those above it, at most `MOST_DEPTH`."""
    found = [job]
    while len(found) < MOST_DEPTH:
        submission = store.submission(found[-1].submission)
        above = store.job(submission.below) if submission and submission.below else None
        if above is None:
            break
        found.append(above)
    return found


def _check_resources(new: NewSubmission, above: list[Job]) -> None:
    holder = {name: job for job in above for name in job.resources}
    if not holder:
        return
    wrong = {}
    for index, job in enumerate(new.jobs):
        if job.resources:
            wrong[f"job_specs[{index}].name"] = _said(job.tool, job.resources, holder)
    if wrong:
        raise InvalidRequest(wrong)


def _said(tool: str, needed: Sequence[str], holder: Mapping[str, Job]) -> str:
    names = sorted(needed)
    held = next((name for name in names if name in holder), None)
    if held is not None:
        return (
            f'{tool} needs "{held}", which job {holder[held].id}, from inside which it is sent,'
            " holds until it ends"
        )
    name, job = next(iter(holder.items()))
    return (
        f'{tool} needs "{names[0]}", but job {job.id}, from inside which it is sent, holds'
        f' "{name}": two such jobs could wait for each other for ever. Let the job that sends'
        " others hold nothing, and each of those what it needs"
    )


class Sweeper:
    """Cancels what has outlived the job that it depends on, from a thread of its own.

    The store says what that is, so nothing is forgotten when a server is killed in between.
    `cancel` is called with the number of a submission and why.
    """

    def __init__(self, store: Store, cancel: Callable[[int, str], object]) -> None:
        self._store = store
        self._cancel = cancel
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="families", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier server left."""
        self._wanted.set()
        self._thread.start()

    def look(self) -> None:
        """Look soon: a job that has sent others has ended."""
        self._wanted.set()

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._closing.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing.is_set():
                return
            try:
                self._sweep()
            except Exception as error:
                if not self._closing.is_set():
                    _log.warning("jobs below one that has ended go on: %s", one_line(error))
                self._closing.wait(_AGAIN)
                self._wanted.set()

    def _sweep(self) -> None:
        for each in self._store.left_over():
            self._cancel(each.number, f"job {each.parent}, which had sent it, is over")
