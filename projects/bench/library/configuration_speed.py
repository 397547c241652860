"""Loading one configuration with presets, reading and changing a value, by each system."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from projects.bench.library import peers as peers_of
from projects.bench.library.alternation import Probe
from projects.bench.library.configuration_point import OPERATIONS, Task, read_answer
from projects.bench.library.environments import our_environment, peers_environment
from projects.bench.library.timing import MeasuredProgramFailed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

OURS = "topgallant"
FLOOR = "PyYAML and a dict"
PEERS = {"omegaconf": "OmegaConf", "hydra": "Hydra"}


def case(system: str, operation: str) -> str:
    """Return the name of the case: `OmegaConf: get`."""
    return f"{system}: {operation}"


def probes(
    folder: Path, task: Task, peers: Collection[str], work: Path, environ: Mapping[str, str]
) -> list[Probe]:
    """Return one probe for each system: a fresh interpreter that reads `folder` and answers."""
    ours = our_environment(environ, work / "run")
    theirs = peers_environment(environ, work)
    library = "projects.bench.library"
    found = [
        _probe(OURS, [sys.executable, "-m", f"{library}.our_probe"], folder, task, ours),
        _probe(FLOOR, [sys.executable, "-m", f"{library}.pyyaml_probe"], folder, task, ours),
    ]
    for peer, system in PEERS.items():
        if peer in peers:
            argv = [peers_of.program("python"), "-m", f"projects.bench.peers.{peer}_probe"]
            found.append(_probe(system, argv, folder, task, theirs, may_fail=True))
    return found


def _probe(
    system: str,
    argv: list[str],
    folder: Path,
    task: Task,
    environment: Mapping[str, str],
    *,
    may_fail: bool = False,
) -> Probe:
    def measure() -> dict[str, float]:
        words = [*argv, str(folder)]
        ended = subprocess.run(
            words,
            check=False,
            capture_output=True,
            text=True,
            env=dict(environment),
            cwd=peers_of.CHECKOUT,
            timeout=120,
        )
        if ended.returncode:
            raise MeasuredProgramFailed.of(words, ended.returncode, ended.stderr)
        answer = read_answer(ended.stdout, task)
        return {case(system, name): answer[name] for name in OPERATIONS if name in answer}

    return Probe(system, measure, may_fail=may_fail)
