"""From a stored job to an order: words, environment, directories, limits."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from projects.core.errors import TopgallantError, UsageError
from projects.jobs.process.orders import Order, ProcessLimits
from projects.jobs.tools.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.jobs.engine.settings import Settings
    from projects.jobs.model.entities import Job
    from projects.jobs.tools.catalog import Catalog
    from projects.jobs.tools.options import OptionProvider
    from projects.jobs.tools.parameters import Parameter
    from projects.jobs.tools.tool import Tool

_ALWAYS_PASSED = ("HOME", "LANG", "USER", "TZ")
_FRESH = 0.1
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NotRunnable(UsageError):
    """A stored job doesn't fit its tool any more, or the tool is gone."""


class _Anything(Sequence[str]):
    """Options of a parameter that was checked when the job was submitted."""

    def __contains__(self, text: object) -> bool:
        return True

    def __getitem__(self, index: Any) -> Any:
        raise IndexError(index)

    def __len__(self) -> int:
        return 0


_ANYTHING = _Anything()


def _anything(parameter: Parameter) -> Sequence[str]:
    del parameter
    return _ANYTHING


class Orders:
    """Makes orders; what doesn't change between the jobs of a tool is made once."""

    def __init__(
        self,
        catalog: Catalog,
        options: OptionProvider,
        settings: Settings,
        environ: Mapping[str, str],
    ) -> None:
        self._catalog = catalog
        self._options = options
        self._settings = settings
        self._environ = environ
        self._logs = os.path.abspath(settings.logs)
        self._frames: dict[str, _Frame] = {}
        self._seen: dict[str, tuple[Tool, float]] = {}

    def tool(self, job: Job) -> Tool:
        """Return the tool of a job as it is now.

        The files of a tool that a job was checked against are looked at ten times a second at
        most; those of one that has changed since are looked at always.

        Raises
        ------
        NotRunnable
            It isn't there any more, or its spec can't be read.
        """
        now = time.monotonic()
        seen = self._seen.get(job.tool)
        if seen is not None and now - seen[1] < _FRESH and seen[0].digest == job.spec_digest:
            return seen[0]
        try:
            tool = self._catalog.find(job.tool)
        except TopgallantError as error:
            raise NotRunnable(str(error)) from None
        self._seen[job.tool] = tool, now
        return tool

    def make(self, job: Job) -> Order:
        """Return the order for a job's present attempt.

        The params are checked once more, as the user sent them: against the options that the
        tool's commands give now only when its spec was edited since.

        Raises
        ------
        NotRunnable
            The tool is gone, or has changed so that the params don't fit any more.
        """
        tool = self.tool(job)
        same = tool.digest == job.spec_digest
        try:
            values = tool.validate(job.params, _anything if same else self._options.of(tool))
        except UsageError as error:
            raise NotRunnable(f"the params don't fit the tool as it is now: {error}") from None
        frame = self._frame(tool)
        directory = f"{self._logs}/{job.id}"
        if job.attempt > 1:
            set_earlier_attempt_aside(directory, job.attempt - 1)
        environment = {
            **frame.environment,
            **tool.environment(values, directory),
            "JOB_ID": job.id,
            "SUBMISSION_ID": job.submission_id,
            "LOGDIR": directory,
        }
        return Order(
            number=job.number,
            attempt=job.attempt,
            id=job.id,
            argv=tool.command(values),
            env=environment,
            log_directory=directory,
            cwd=tool.working_directory or "",
            stdout=None if tool.no_logs else "stdout.log",
            stderr=None if tool.no_logs else "stderr.log",
            timeout=_least(tool.timeout, job.timeout),
            grace=self._settings.grace,
            limits=self._limits(tool.limits.tightened(Limits(**job.limits)))  # type: ignore[arg-type]
            if job.limits
            else frame.limits,
        )

    def _frame(self, tool: Tool) -> _Frame:
        frame = self._frames.get(tool.name)
        if frame is None or frame.tool is not tool:
            limits = self._limits(tool.limits)
            frame = self._frames[tool.name] = _Frame(tool, self._environment(tool), limits)
        return frame

    def _environment(self, tool: Tool) -> dict[str, str]:
        """Return what all jobs of a tool see: little of ours, nothing that isn't named."""
        names = (*_ALWAYS_PASSED, *self._settings.pass_environment, *tool.env_allow)
        passed = {name: self._environ[name] for name in names if name in self._environ}
        return {
            "PATH": self._environ.get("PATH") or _PATH,
            **passed,
            **self._settings.environment,
            "TEST_SCRIPTS_DIRECTORY": os.path.dirname(os.path.abspath(tool.directory)),
            "JOB_LOGS_DIRECTORY": self._logs,
        }

    def _limits(self, limits: Limits) -> ProcessLimits:
        return ProcessLimits(
            memory=limits.memory,
            cpus=limits.cpus,
            cpu_seconds=limits.cpu_seconds,
            files=limits.files,
            processes=limits.processes,
            output_bytes=min(limits.output or self._settings.output_bytes, 2**53),
        )


class _Frame:
    """What the jobs of one tool have in common."""

    __slots__ = ("environment", "limits", "tool")

    def __init__(self, tool: Tool, environment: Mapping[str, str], limits: ProcessLimits) -> None:
        self.tool = tool
        self.environment = environment
        self.limits = limits


def set_earlier_attempt_aside(directory: str, attempt: int) -> None:
    """Move what an attempt left in a job's directory to `_attempts/<n>/`: the next starts clean.

    Done again after an interruption it moves the rest. Nothing is followed out of the directory.

    Raises
    ------
    NotRunnable
        A file of the job is in the way, or the file system refuses.
    """
    try:
        entries = [name for name in os.listdir(directory) if name != "_attempts"]
    except FileNotFoundError:
        return
    if not entries:
        return
    aside = f"{directory}/_attempts/{attempt}"
    try:
        if os.path.islink(f"{directory}/_attempts"):
            os.unlink(f"{directory}/_attempts")
        os.makedirs(aside, mode=0o700, exist_ok=True)
        for name in entries:
            os.rename(f"{directory}/{name}", f"{aside}/{name}")
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}"
        raise NotRunnable(f"what the last attempt left can't be set aside: {reason}") from error


def _least(*seconds: float | None) -> float | None:
    given = [each for each in seconds if each is not None]
    return min(given) if given else None
