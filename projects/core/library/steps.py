"""Steps inside a command: in order, retried, always run, with deadlines and progress."""

from __future__ import annotations

from projects.core.processes.cancellation import checkpoint, deadline, sleep
from projects.core.processes.progress import progress, track
from projects.core.processes.retry import Retry, wait_until
from projects.core.processes.steps import Steps

__all__ = ["Retry", "Steps", "checkpoint", "deadline", "progress", "sleep", "track", "wait_until"]
