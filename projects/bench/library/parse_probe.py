"""Ours: parse results and evaluate their KPIs; the sum of these goes to a file."""

from __future__ import annotations

import sys
from pathlib import Path

from projects.bench.library.measured_workload import KPIS, PARSER
from projects.matrix_benchmarking.kpis.payload import build_all
from projects.matrix_benchmarking.results.load import load


def main(root: Path, into: Path) -> None:
    """Write the number of results and the sums of the KPIs to `into`."""
    payloads = build_all(load(root, PARSER).results, KPIS)
    sums = [sum(_value(payload.kpis[kpi.name].value) for payload in payloads) for kpi in KPIS]
    said = " ".join(f"{value:.3f}" for value in sums)
    into.write_text(f"{len(payloads)} {said}\n", encoding="utf-8")


def _value(value: object) -> float:
    return value if isinstance(value, float) else float("nan")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
