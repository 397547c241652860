"""Tasks side by side: the first failure stops the others, and every one leaves its own account."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from projects.core import errors
from projects.core.artifacts import directory, journal
from projects.core.processes import attention, cancellation, output
from projects.core.processes.cancellation import Scope
from projects.core.processes.naming import labels_of, name_of_call
from projects.core.processes.problems import combined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

_LAST_WORDS = 2.0  # seconds for tasks to write their FAILURE after everything was killed

_inside: ContextVar[bool] = ContextVar("inside_parallel", default=False)


def is_parallel() -> bool:
    """Tell whether this code runs in a task of a `Parallel`."""
    return _inside.get()


class _Delayed(NamedTuple):
    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Parallel:
    """Run the functions that are declared in the `with` body at once, when it ends.

    Each task has a thread, a copy of the context, and a directory `NNN__function` in which it
    leaves its own FAILURE. The first that fails cancels the others: their processes are ended,
    their waits wake up, their `finally` blocks run; then what failed is raised here. If the body
    raises, nothing is run. Code that neither runs commands nor waits through this toolkit is not
    stopped but waited for; it can call `cancellation.checkpoint`.

    Parameters
    ----------
    name
        Says what the tasks are about; the directory `NNN__name` holds theirs.
    exit_on_exception
        Raise `ParallelFailed`, a `SystemExit`, which `except Exception` does not swallow.
        False: the exception of the task that failed, an `ExceptionGroup` if there are several.
    dedicated_dir
        False: the directories of the tasks are made in the current one.

    Errors
    ------
    ParallelFailed, ExceptionGroup, or what the task raised
        See above.
    Cancelled, Interrupted
        This was cancelled itself, from outside.
    """

    def __init__(
        self, name: str, exit_on_exception: bool = True, dedicated_dir: bool = True
    ) -> None:
        self.name = name
        self._exit_on_exception = exit_on_exception
        self._dedicated_dir = dedicated_dir
        self._delayed: list[_Delayed] = []

    def delayed(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Declare a task: `function(*args, **kwargs)`, run when the `with` block ends."""
        name = name_of_call(function, args, kwargs)
        self._delayed.append(_Delayed(name, function, args, kwargs))

    def __enter__(self) -> Self:
        self._delayed.clear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and self._delayed:
            self._run()

    def _run(self) -> None:
        place = directory.NextArtifactDir(self.name) if self._dedicated_dir else nullcontext()
        with place, journal.span("step", self.name), cancellation.Watch() as watch:
            with attention.waiting():
                problems = _Tasks(self.name, self._delayed).run()
            self._report(problems, watch)

    def _report(self, problems: Sequence[BaseException], watch: cancellation.Watch) -> None:
        real = [p for p in problems if not isinstance(p, errors.Cancelled)]
        cause: BaseException | None = combined(self.name, real) if real else None
        if watch.cause is not None:
            watch.scope.take()
            raise watch.cause.error() from cause
        if cause is None:
            if problems:
                raise combined(self.name, problems)
            return
        if self._exit_on_exception:
            group = BaseExceptionGroup(f"{self.name}: {len(real)} failed", real)
            raise errors.ParallelFailed(self.name, group) from cause
        raise cause


class _Task:
    """One task, its place in the tree of scopes, and how it ended."""

    def __init__(self, group: str, delayed: _Delayed, path: Path, label: str) -> None:
        self.scope = Scope(f"{group}/{delayed.name}", parent=cancellation.current())
        self.problem: BaseException | None = None
        self.over = threading.Event()
        self.begun = False
        self._path = path
        self._label = label
        self._delayed = delayed
        self._context = copy_context()

    def run(self) -> BaseException | None:
        """Run the task in its context; return what it raised."""
        try:
            self._context.run(self._call)
        except BaseException as error:
            self.problem = error
        finally:
            self.over.set()
        return self.problem

    def _call(self) -> None:
        _inside.set(True)
        name, function, args, kwargs = self._delayed
        with (
            self.scope,
            directory.TempArtifactDir(self._path),
            output.labelled(f"{self._label} | "),
            output.log_to(self._path / "_run.log"),
            journal.span("task", name, dir=self._path, label=self._label.rstrip()),
        ):
            cancellation.checkpoint()
            function(*args, **kwargs)


class _Tasks:
    """The tasks of one `Parallel` while they run."""

    def __init__(self, name: str, delayed: Sequence[_Delayed]) -> None:
        above = directory.current()
        self._name = name
        self._given_up = False
        self._lock = threading.Lock()
        # Directories are claimed here, so that their numbers are in the order of declaration.
        paths = [directory.claim(above, one.name) for one in delayed]
        labels = labels_of([one.name for one in delayed], [path.name for path in paths])
        self._tasks = [
            _Task(name, one, path, label)
            for one, path, label in zip(delayed, paths, labels, strict=True)
        ]
        self._names = [one.name for one in delayed]

    def run(self) -> list[BaseException]:
        """Run all tasks at once; return what they raised, in the order of declaration."""
        import joblib

        # One thread each, at least two: for one, joblib would use the calling thread.
        pool = joblib.Parallel(
            n_jobs=max(2, len(self._tasks)), backend="threading", batch_size=1, pre_dispatch="all"
        )
        try:
            pool(joblib.delayed(self._one)(index) for index in range(len(self._tasks)))
        except BaseException as error:
            self._give_up(error)
            raise
        return [task.problem for task in self._tasks if task.problem is not None]

    def _one(self, index: int) -> None:
        task = self._tasks[index]
        with self._lock:
            if self._given_up:
                return
            task.begun = True
        problem = task.run()
        if problem is not None and not isinstance(problem, errors.Cancelled):
            said = f'"{self._names[index]}" of "{self._name}" failed: {errors.one_line(problem)}'
            for other in self._tasks:
                if other is not task:
                    other.scope.cancel(said)

    def _give_up(self, error: BaseException) -> None:
        """Stop all tasks because waiting for them was broken off by a signal.

        After the second one of a handled program (`Interrupted`) everything has been killed, and
        a task that still does not end is left behind; a `KeyboardInterrupt` waits for all.
        """
        with self._lock:
            self._given_up = True
        for task in self._tasks:
            task.scope.cancel(f"interrupted: {errors.one_line(error)}")
        for task in self._tasks:
            if task.begun:
                task.over.wait(_LAST_WORDS if isinstance(error, errors.Interrupted) else None)
