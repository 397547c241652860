"""What measuring commands have in common: a folder for the measured, turns, and the conditions."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from projects.bench.library import peers as peers_of
from projects.core.library import env

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from projects.bench.library.alternation import Probe
    from projects.bench.library.result import Result

_logger = logging.getLogger(__name__)


@contextmanager
def work_folder() -> Iterator[Path]:
    """Make a folder for what measured programs leave; on the disk that artifacts go to."""
    folder = env.ARTIFACT_DIR / "work"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(
    probes: Sequence[Probe], rounds: int, warm_ups: int, peers: Sequence[str], result: Result
) -> None:
    """Let all probes have their turn in each round; note samples and conditions in `result`."""
    from projects.bench.library.alternation import alternate

    def say(done: int) -> None:
        _logger.info("round %d of %d", done, warm_ups + rounds)

    describe(result, peers)
    samples = alternate(probes, rounds=rounds, warm_ups=warm_ups, after_round=say)
    result.seconds = samples.seconds
    leave_out(result, samples.failed)


def describe(result: Result, peers: Sequence[str] = ()) -> None:
    """Note machine and versions."""
    from projects.bench.library.machine import describe_machine
    from projects.bench.library.result import own_versions

    result.machine = describe_machine()
    result.versions = own_versions(env.ARTIFACT_DIR)
    if peers:
        result.versions |= peers_of.versions(peers)


def leave_out(result: Result, failed: Mapping[str, str]) -> None:
    """Note who isn't measured, and say why."""
    for name, reason in failed.items():
        result.failed[name] = reason
        _logger.warning("%s is left out: %s", name, reason)


def neutral_environ() -> dict[str, str]:
    """Return the environment of measured programs: Python as installed, with compiled modules."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
