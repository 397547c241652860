"""Who hears what happens to jobs: each has a bounded queue, none can hold up the engine."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.jobs.model import moment
from projects.jobs.model.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projects.jobs.engine.recorder import Note
    from projects.jobs.model.entities import Job
    from projects.jobs.model.states import Outcome


@dataclass(frozen=True, slots=True)
class News:
    """A job has come into a state, and the database knows it."""

    at: int
    number: int
    id: str
    submission: int
    submission_id: str
    attempt: int
    state: State
    outcome: Outcome | None = None
    return_code: int | None = None
    reason: str = ""
    created: int = 0
    """When the job was submitted."""


Listener = "Callable[[Sequence[News], int], None]"
"""Called with what happened since the last call, and how many news were dropped before it."""

QUEUE = 10_000


class Listeners:
    """The queues, and the one thread that empties them; it exists while somebody listens."""

    def __init__(self) -> None:
        self._queues: dict[int, tuple[Callable[[Sequence[News], int], None], _Queue]] = {}
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._thread: threading.Thread | None = None
        self._next = 0

    def subscribe(
        self, listener: Callable[[Sequence[News], int], None], *, most: int = QUEUE
    ) -> Callable[[], None]:
        """Call `listener` from a thread of ours for all that happens; return what ends that."""
        with self._lock:
            key, self._next = self._next, self._next + 1
            self._queues = {**self._queues, key: (listener, _Queue(most))}
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="listeners", daemon=True)
                self._thread.start()

        def unsubscribe() -> None:
            with self._lock:
                self._queues = {k: v for k, v in self._queues.items() if k != key}
            self._filled.set()

        return unsubscribe

    def tell(self, news: Sequence[News]) -> None:
        """Hand over what happened; never waits."""
        queues = self._queues
        if not queues or not news:
            return
        for _, queue in queues.values():
            queue.put(news)
        self._filled.set()

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._queues)

    def _run(self) -> None:
        while True:
            self._filled.wait()
            self._filled.clear()
            with self._lock:
                if not self._queues:
                    self._thread = None
                    return
                queues = list(self._queues.values())
            for listener, queue in queues:
                news, missed = queue.take()
                if news or missed:
                    _call(listener, news, missed)


class _Queue:
    def __init__(self, most: int) -> None:
        self._items: deque[News] = deque()
        self._most = most
        self._missed = 0
        self._lock = threading.Lock()

    def put(self, news: Sequence[News]) -> None:
        with self._lock:
            self._items.extend(news)
            while len(self._items) > self._most:
                self._items.popleft()
                self._missed += 1

    def take(self) -> tuple[list[News], int]:
        with self._lock:
            items, missed = list(self._items), self._missed
            self._items.clear()
            self._missed = 0
        return items, missed


def _call(
    listener: Callable[[Sequence[News], int], None], news: Sequence[News], missed: int
) -> None:
    import logging

    try:
        listener(news, missed)
    except Exception:  # somebody else's mistake; the others still want their news
        logging.getLogger(__name__).exception("a listener failed")


def news_of(note: Note) -> News:
    """Return what listeners are told of a change."""
    change, job = note.change, note.job
    state = change.state if change.state is not None else job.state
    return News(
        at=change.at,
        number=job.number,
        id=job.id,
        submission=job.submission,
        submission_id=job.submission_id,
        attempt=change.attempt + change.restart,
        state=State.NEW if change.restart else state,
        outcome=change.outcome,
        return_code=change.return_code,
        reason=change.reason,
        created=job.created,
    )


def news_of_job(job: Job) -> News:
    """Return what listeners are told of a job as it is in the store."""
    return News(
        job.finished or moment.now(),
        job.number,
        job.id,
        job.submission,
        job.submission_id,
        job.attempt,
        job.state,
        job.outcome,
        job.return_code,
        job.reason,
        job.created,
    )
