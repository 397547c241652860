"""How long programs take until they have said their version, their help, or done nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from projects.bench.library import peers as peers_of
from projects.bench.library.alternation import Probe
from projects.bench.library.environments import our_environment, peers_environment
from projects.bench.library.timing import seconds_of_process

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

PYTHON = "python -c pass"
OUR_VERSION = "run_toolbox.py --version"
OUR_HELP = "run_toolbox.py --help"
OUR_NOOP = "run_toolbox.py bench noop"
HYDRA_APP = "hydra application"

PROGRAMS = ("ansible", "pyinfra", "reframe", "tmt")
"""The peers that are programs, by the name that is typed."""


def our_probes(work: Path, environ: Mapping[str, str]) -> list[Probe]:
    """Return the probes of the interpreter and of ours, all by the interpreter that runs now."""
    program = str(peers_of.CHECKOUT / "run_toolbox.py")
    words: dict[str, Sequence[str]] = {
        PYTHON: ("-c", "pass"),
        OUR_VERSION: (program, "--version"),
        OUR_HELP: (program, "--help"),
        OUR_NOOP: (program, "bench", "noop"),
    }

    def probe(case: str) -> Probe:
        def measure() -> dict[str, float]:
            runs = work / "runs"
            runs.mkdir(exist_ok=True)
            environment = our_environment(environ, runs / f"{len(list(runs.iterdir())):03d}")
            argv = [sys.executable, *words[case]]
            return {case: seconds_of_process(argv, environment=environment, cwd=peers_of.CHECKOUT)}

        return Probe(case, measure)

    return [probe(case) for case in words]


def peer_probes(peers: Collection[str], work: Path, environ: Mapping[str, str]) -> list[Probe]:
    """Return the probes of the start-up of those `peers` that are programs or applications."""
    commands = {
        f"{peer} {flag}": [peers_of.program(peer), flag]
        for peer in peers
        if peer in PROGRAMS
        for flag in ("--version", "--help")
    }
    if "hydra" in peers:
        application = peers_of.LOCK_FILE.with_name("hydra_app.py")
        options = [f"hydra.run.dir={work / 'hydra'}"]
        commands[HYDRA_APP] = [peers_of.program("python"), str(application), *options]
    environment = peers_environment(environ, work)

    def probe(case: str) -> Probe:
        def measure() -> dict[str, float]:
            took = seconds_of_process(commands[case], environment=environment, cwd=work)
            return {case: took}

        return Probe(case, measure, may_fail=True)

    return [probe(case) for case in commands]
