"""How long results take to become KPIs: the first time, and again; beside a serial walk."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from projects.bench.library.alternation import Probe
from projects.bench.library.environments import our_environment
from projects.bench.library.peers import CHECKOUT
from projects.bench.library.serial_walk_probe import CACHE
from projects.bench.library.timing import seconds_of_process
from projects.core.errors import TopgallantError
from projects.matrix_benchmarking.results.cache import CACHE_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OURS = "topgallant"
SERIAL = "serial walk, as MatrixBenchmarking's"
LINEAR = "serial walk without its nesting check"

_PROBES: dict[str, tuple[str, ...]] = {
    OURS: ("projects.bench.library.parse_probe",),
    SERIAL: ("projects.bench.library.serial_walk_probe",),
    LINEAR: ("projects.bench.library.serial_walk_probe", "linear"),
}

_TIMEOUT = 3600.0


def case(contestant: str, state: str) -> str:
    """Return the name of a case; `state` is "cold" (no cache) or "warm"."""
    return f"{contestant}, {state}"


def probes(root: Path, work: Path, environ: Mapping[str, str], *, serial: bool) -> list[Probe]:
    """Return the probes for the results below `root`; `serial` walks only where they are wanted."""
    return [
        _probe(contestant, root, work, environ)
        for contestant in _PROBES
        if serial or contestant == OURS
    ]


def _probe(contestant: str, root: Path, work: Path, environ: Mapping[str, str]) -> Probe:
    module, *words = _PROBES[contestant]
    into = work / "answer"
    argv = [sys.executable, "-m", module, str(root), str(into), *words]
    environment = our_environment(environ, work / "artifacts") | {"PYTHONPATH": str(CHECKOUT)}

    def measure() -> dict[str, float]:
        remove_caches(root)
        took = {}
        for state in ("cold", "warm"):
            took[case(contestant, state)] = seconds_of_process(
                argv, environment=environment, cwd=CHECKOUT, timeout=_TIMEOUT
            )
            _compare(contestant, into.read_text(encoding="utf-8"), work / "expected")
        remove_caches(root)
        return took

    return Probe(contestant, measure)


class WrongAnswer(TopgallantError):
    """A contestant found other KPIs: its time would say nothing."""


def _compare(contestant: str, answer: str, expected: Path) -> None:
    if not expected.exists():
        expected.write_text(answer, encoding="utf-8")
    wanted = expected.read_text(encoding="utf-8")
    if answer != wanted:
        raise WrongAnswer(f"{contestant} says {answer.strip()}, the first one {wanted.strip()}")


def remove_caches(root: Path) -> None:
    """Remove what a contestant remembers."""
    (root / CACHE_FILE).unlink(missing_ok=True)
    for path in root.rglob(CACHE):
        path.unlink()
