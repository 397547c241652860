"""What MatrixBenchmarking does, in little: one process walks, and keeps a pickle in each result.

MatrixBenchmarking is in no package index, so this stands for it. It is written after its simple
store: `os.walk`; a directory counts unless an earlier result is among its parents, which compares
each with all before; settings of the directory and of every directory above it up to `/`, found by
glob and read by PyYAML's safe loader in Python; the content of the cache else of the files; a
pickle beside each result. Its logging, its matrix, its pydantic models and its KPI documents are
left out, which makes this one faster than it. `linear` leaves out the comparison with all earlier
results too.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import yaml

CACHE = "cache.pickle"


def settings_of(directory: Path) -> dict[str, Any]:
    """Return the settings of a directory, those above it first."""
    settings: dict[str, Any] = {}
    for parent in reversed([directory, *directory.parents]):
        for path in [*parent.glob("settings"), *parent.glob("settings.*")]:
            with path.open(encoding="utf-8") as file:
                settings.update(yaml.safe_load(file))
    return settings


def parsed(directory: Path) -> dict[str, Any]:
    """Return what the pickle holds, else what the files hold, which is pickled."""
    try:
        with (directory / CACHE).open("rb") as file:
            return dict(pickle.load(file))  # noqa: S301 - what this stands for does that
    except FileNotFoundError:
        numbers: dict[str, Any] = json.loads((directory / "results.json").read_text())
        numbers["latencies_ms"] = sorted(numbers["latencies_ms"])
        with (directory / CACHE).open("wb") as file:
            pickle.dump(numbers, file)
        return numbers


def walk(root: Path, *, linear: bool) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return settings and content of every result."""
    found: list[Path] = []
    results: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for name, _, files in os.walk(root, followlinks=True):
        if "skip" in files or "settings.yaml" not in files:
            continue
        directory = Path(name)
        if not linear and any(earlier in directory.parents for earlier in found):
            continue
        found.append(directory)
        settings = settings_of(directory)
        if int((directory / "exit_code").read_text().strip()) == 0:
            results.append((settings, parsed(directory)))
    return results


def main(root: Path, into: Path, *, linear: bool) -> None:
    """Write the number of results and the sums of the KPIs to `into`."""
    results = walk(root, linear=linear)
    sums = [0.0, 0.0, 0.0]
    for _, numbers in results:
        latencies = numbers["latencies_ms"]
        sums[0] += numbers["rows_per_second"]
        sums[1] += latencies[len(latencies) * 50 // 100]
        sums[2] += latencies[len(latencies) * 99 // 100]
    said = " ".join(f"{value:.3f}" for value in sums)
    into.write_text(f"{len(results)} {said}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), linear="linear" in sys.argv[3:])
