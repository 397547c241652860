from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.matrix_benchmarking.history.registry import Plan, Wanted
from projects.matrix_benchmarking.library import flow
from projects.matrix_benchmarking.library.drawing import select

WORKLOAD = "projects.sqlite_bench.visualizations.sqlite"
PLOTS = Path("projects/sqlite_bench/visualizations/sqlite/data/plots.yaml")


class Runs:
    """Run directories as sqlite_bench leaves them, one a minute, and their way to a verdict."""

    def __init__(self, base: Path, checkout: Path) -> None:
        self.base, self.checkout = base, checkout
        self.noise = random.Random(1)  # noqa: S311 - noise of a test
        self.made = 0

    def measure(self, slowed_by: float = 1.0, *, kernel: str = "6.8", exit_code: int = 0) -> Path:
        run = self.base / f"run-{self.made:03d}"
        at = f"2026-11-20T10:{self.made:02d}"
        self.made += 1
        (run / "_meta").mkdir(parents=True)
        self.write_metadata(run, at)
        (run / "fingerprint.yaml").write_text(f"processor: EPYC\nkernel: '{kernel}'\n")
        for number, mode in enumerate(("delete", "wal")):
            point = run / f"{number:03d}__sqlite__measure_{mode}_full_1"
            (point / "_meta").mkdir(parents=True)
            self.write_metadata(point, at)
            settings = {"journal_mode": mode, "synchronous": "full", "batch_size": 1}
            (point / "settings.yaml").write_text(yaml.safe_dump(settings))
            (point / "results.json").write_text(json.dumps(self._numbers(slowed_by)))
            (point / "exit_code").write_text(f"{exit_code}\n")
        return run

    def write_metadata(self, where: Path, at: str) -> None:
        (where / "_meta" / "metadata.yaml").write_text(
            f"name: x\nstart: '{at}:00Z'\nend: '{at}:30Z'\nexit_status: 0\n"
        )

    def _numbers(self, slowed_by: float) -> dict[str, Any]:
        def one() -> dict[str, float]:
            latency = slowed_by * self.noise.gauss(1.0, 0.01)
            return {
                "rows_per_second": 1000 / latency,
                "latency_p50_ms": latency,
                "latency_p99_ms": 1.5 * latency,
            }

        repetitions = [one() for _ in range(3)]
        middle = sorted(repetitions, key=lambda each: each["rows_per_second"])[1]
        rates = [each["rows_per_second"] for each in repetitions]
        return middle | {
            "rows_per_second_min": min(rates),
            "rows_per_second_max": max(rates),
            "latency_max_ms": 3.0,
            "latency_quantiles_ms": [1.0 + n / 100 for n in range(101)],
            "repetitions": repetitions,
        }

    def request(self, run: Path, **given: Any) -> flow.Request:
        folder = Wanted("sqlite", {"directory": str(self.base / "history")}, fail_test_on_fail=True)
        plan = Plan(export=(folder,), baseline=folder, fail_test_on_regression=True)
        plots = run / "plots"
        plots.mkdir(exist_ok=True)
        request = flow.Request(
            results=run,
            directory=plots,
            workload=WORKLOAD,
            selection=select(WORKLOAD, self.checkout / PLOTS),
            plan=plan,
            read_secret=lambda name: pytest.fail(f"secret {name} was read"),
        )
        return replace(request, **given)

    def judge(self, run: Path, **given: Any) -> flow.Outcome:
        request = self.request(run, **given)
        outcome = flow.process(request)
        flow.conclude(request, outcome)
        return outcome


@pytest.fixture
def runs(tmp_path: Path, checkout: Path) -> Runs:
    return Runs(tmp_path, checkout)


@pytest.fixture
def history_of(runs: Runs) -> Callable[[int], None]:
    """Return what judges so many unchanged runs, without drawing."""

    def judge(count: int) -> None:
        for _ in range(count):
            runs.judge(runs.measure(), selection=())

    return judge
