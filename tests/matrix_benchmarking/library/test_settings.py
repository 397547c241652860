from __future__ import annotations

import pytest

from projects.core.errors import ConfigurationError
from projects.matrix_benchmarking.library.settings import Matbench, rules_of


def test_rules_come_from_the_configuration() -> None:
    rules = rules_of(
        {
            "enabled": True,
            "detector": "student",
            "fdr": 0.05,
            "kpis": {
                "throughput": {"detector": "threshold", "options": {"limit": 0.1}, "floor": 0.02}
            },
        }
    )
    assert (rules.detector, rules.fdr) == ("student", 0.05)
    assert rules.detectors == {"throughput": ("threshold", {"limit": 0.1})}
    assert rules.floors == {"throughput": 0.02}


def test_an_unknown_key_of_a_kpi_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match='"floors"; did you mean "floor"'):
        rules_of({"kpis": {"throughput": {"floors": 0.1}}})


def test_plots_lie_in_data_of_the_workload() -> None:
    matbench = Matbench("projects.sqlite_bench.visualizations.sqlite", "mine.yaml")
    assert matbench.plots_file.parts[-3:] == ("sqlite", "data", "mine.yaml")


def test_fingerprint_keys_are_all_unless_told() -> None:
    analyses = {"fingerprint_keys": ["processor"]}
    workload = "projects.sqlite_bench.visualizations.sqlite"
    assert Matbench(workload, "x").fingerprint_keys is None
    assert Matbench(workload, "x", {"regression_analyses": analyses}).fingerprint_keys == (
        "processor",
    )
