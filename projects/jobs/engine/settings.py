"""What an engine is told: where its data is, how much runs at once, how long logs are kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def _cpus() -> int:
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one engine; times are seconds unless their name says days."""

    data_directory: Path
    parallel_submissions: int = 1
    """M: so many submissions run at once."""
    parallel_jobs: int = field(default_factory=_cpus)
    """N: so many jobs of a submission run at once, unless it says `parallel`."""
    capacity: int | None = None
    """So many jobs run at once on this site; None: as many as the other two allow."""
    ageing: float = 3600.0
    """One step of priority is worth as much as having been submitted this much earlier."""
    expire_days: float = 10.0
    """Directories of jobs that ended longer ago are removed; their rows stay."""
    clear_logs_at_start: bool = True
    """Start by removing the directories of jobs that had ended when the last server stopped."""
    pass_environment: Sequence[str] = ()
    """Names of variables of the server that jobs see as well."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that every job sees."""
    grace: float = 10.0
    """Between SIGTERM and SIGKILL."""
    output_bytes: int = 1 << 30
    """stdout.log and stderr.log are each cut at this size."""
    hub_url: str | None = None
    """Where results are uploaded, `http://host:port`; None: they wait in the outbox."""
    hub_token: str | None = None
    upload_timeout: float = 60.0
    stop_jobs: bool = False
    """Stopping the server ends the running jobs; otherwise the next server adopts them."""

    @property
    def logs(self) -> Path:
        """The directory of the job directories."""
        return self.data_directory / "job_logs"

    @property
    def outbox(self) -> Path:
        """The directory of results that are on their way to the hub."""
        return self.data_directory / "outbox"

    @property
    def run(self) -> Path:
        """The directory of runners and spawner."""
        return self.data_directory / "run"

    @property
    def lock(self) -> Path:
        """The file that one server at a time holds locked."""
        return self.data_directory / "server.lock"
