"""The doors, as a CI uses them: from the outside, with the configuration of sqlite_bench."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FAST = (
    "tests.seconds=0.02",
    "tests.repetitions=2",
    "tests.warmup_transactions=1",
    "tests.journal_modes=wal",
    "tests.synchronous_levels=off",
    "tests.batch_sizes=[1,100]",
)


class Toolbox:
    """The command line, with its run directories below a temporary one."""

    def __init__(self, checkout: Path, base: Path) -> None:
        self.command = [sys.executable, str(checkout / "run_toolbox.py"), "sqlite_bench"]
        self.base = base
        self.environment = dict(os.environ) | {
            "TOPGALLANT_VENV": sys.prefix,
            "TOPGALLANT_BASE_DIR": str(base),
            "CI": "true",
        }

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *words],
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def newest(self) -> Path:
        """The run that began last; `latest` stays where it is when a call names that run."""
        return max(self.base.glob("*__sqlite_bench__*"))

    @property
    def plots(self) -> Path:
        (found,) = self.newest.glob("*__plots")
        return found


@pytest.fixture
def toolbox(checkout: Path, tmp_path: Path) -> Toolbox:
    return Toolbox(checkout, tmp_path / "artifacts")


@pytest.fixture
def data(toolbox: Toolbox, checkout: Path, tmp_path: Path) -> Path:
    """Have the toolbox run in a copy, and return the folder of its `plots.yaml`."""
    shutil.copytree(checkout / "projects", tmp_path / "copy" / "projects")
    shutil.copy(checkout / "run_toolbox.py", tmp_path / "copy")
    toolbox.command[1] = str(tmp_path / "copy" / "run_toolbox.py")
    return tmp_path / "copy/projects/sqlite_bench/visualizations/sqlite/data"


def test_a_run_ends_with_plots_kpis_and_a_verdict(toolbox: Toolbox) -> None:
    done = toolbox.run("test_ci", *FAST)
    assert done.returncode == 0, done.stderr
    assert "Verdict: 6 no history" in done.stderr
    assert (toolbox.base / "history" / "history.sqlite").is_file()
    index = (toolbox.newest / "reports_index.html").read_text()
    assert ">Verdict: 6 no history</a>" in index
    assert ">Throughput</a>" in index


def test_a_slowed_run_is_a_regression(toolbox: Toolbox) -> None:
    for _ in range(4):
        toolbox.run("test_ci", *FAST)
    done = toolbox.run("test_ci", "slowed", *FAST, "tests.delay_ms=20")
    assert done.returncode == 1, done.stderr
    assert "▼ regression: latency_p50 (batch_size=1 " in done.stderr


def test_a_replot_of_a_directory_gives_the_same_kpis(toolbox: Toolbox) -> None:
    toolbox.run("test_ci", *FAST)
    measured, run = (toolbox.plots / "lts_payload.json").read_bytes(), toolbox.newest
    done = toolbox.run("replot", str(run))
    assert done.returncode == 0, done.stderr
    assert (toolbox.plots / "lts_payload.json").read_bytes() == measured
    assert (toolbox.newest / "source_url").read_text() == f"{run}\n"


def test_an_address_that_is_downloaded_gives_the_same_kpis(toolbox: Toolbox) -> None:
    toolbox.run("test_ci", *FAST)
    measured, run = (toolbox.plots / "lts_payload.json").read_bytes(), toolbox.newest
    done = toolbox.run("generate_plots_from_pr_args", f"matbench.download.url=file://{run}")
    assert done.returncode == 0, done.stderr
    assert (toolbox.plots / "lts_payload.json").read_bytes() == measured


def test_what_is_fetched_is_kept_beside_the_plots_when_asked_for(toolbox: Toolbox) -> None:
    toolbox.run("test_ci", *FAST)
    url = f"matbench.download.url=file://{toolbox.newest}"
    done = toolbox.run(
        "generate_plots_from_pr_args", url, "matbench.download.save_to_artifacts=true"
    )
    assert done.returncode == 0, done.stderr
    assert len(list(toolbox.newest.glob("000__results/expe/from_url/*/results.json"))) == 2
    assert (toolbox.newest / "001__plots" / "verdict.html").is_file()


def test_a_file_selects_plots_and_names_what_to_download(toolbox: Toolbox, data: Path) -> None:
    toolbox.run("test_ci", *FAST)
    (data / "two_runs.yaml").write_text(
        "visualize: [{id: both, generate: ['report: KPIs']}]\n"
        f"download: [{{url: {toolbox.newest}, dest_dir: expe/a, settings: {{version: 1}}}},\n"
        f"           {{url: {toolbox.newest}, dest_dir: expe/b, settings: {{version: 2}}}}]\n"
    )
    done = toolbox.run("generate_plots_from_pr_args", "matbench.preset=two_runs")
    assert done.returncode == 0, done.stderr
    payloads = json.loads((toolbox.plots / "lts_payload.json").read_text())
    assert sorted(one["metadata"]["settings"]["version"] for one in payloads) == [1, 1, 2, 2]
    assert (toolbox.plots / "report_00_both.html").is_file()
    done = toolbox.run("generate_plots_from_pr_args", "matbench.preset=two_run")
    assert done.returncode == 2
    assert 'unknown file to plot by "two_run"; did you mean "two_runs"?' in done.stderr


def test_the_workload_is_all_that_has_to_be_configured(toolbox: Toolbox, data: Path) -> None:
    toolbox.run("test_ci", *FAST)
    config = data.parents[2] / "testing" / "config.yaml"
    config.write_text("matbench: {workload: sqlite_bench.sqlite}\n")
    done = toolbox.run("replot", str(toolbox.newest))
    assert done.returncode == 0, done.stderr
    assert " not judged" in done.stderr
    (data / "plots.yaml").unlink()
    done = toolbox.run("replot", str(toolbox.newest))
    assert done.returncode == 2
    assert "plots.yaml is missing: it says which plots" in done.stderr


def test_a_ci_directive_names_what_to_plot(toolbox: Toolbox, tmp_path: Path) -> None:
    toolbox.run("test_ci", *FAST)
    directory = tmp_path / "ci"
    directory.mkdir()
    overrides = {
        "PR_POSITIONAL_ARG_0": "sqlite-plot",
        "PR_POSITIONAL_ARG_1": f"file://{toolbox.newest}",
        "PR_POSITIONAL_ARG_2": "durable",
    }
    (directory / "variable_overrides.yaml").write_text(json.dumps(overrides))
    done = toolbox.run("generate_plots_from_pr_args", ARTIFACT_DIR=str(directory))
    assert done.returncode == 0, done.stderr
    assert list(directory.glob("*__plots/verdict.html"))
    assert "preset[durable]" in (directory / "presets_applied").read_text()


def test_without_a_source_nothing_is_plotted(toolbox: Toolbox) -> None:
    done = toolbox.run("generate_plots_from_pr_args")
    assert done.returncode == 2
    assert "matbench.download.url and matbench.download.url_file: neither are set" in done.stderr


def test_a_directory_that_is_not_there_is_told(toolbox: Toolbox) -> None:
    done = toolbox.run("replot", "/no/such/run")
    assert done.returncode == 2
    assert "/no/such/run: there is no such directory" in done.stderr


def test_a_source_without_results_is_named(toolbox: Toolbox, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    source = f"file://{tmp_path}/empty"
    done = toolbox.run("generate_plots_from_pr_args", f"matbench.download.url={source}")
    assert done.returncode == 3
    assert f"error: {source}, fetched to " in done.stderr


def test_a_selection_that_is_not_there_is_told_before_anything_is_measured(
    toolbox: Toolbox,
) -> None:
    done = toolbox.run("test_ci", *FAST, "matbench.config_file=nothing.yaml")
    assert done.returncode == 2
    assert "nothing.yaml" in done.stderr
    assert not list(toolbox.newest.glob("*measure*"))


def test_without_history_a_required_one_is_exit_status_3(toolbox: Toolbox) -> None:
    word = "matbench.lts.regression_analyses.require_history=true"
    done = toolbox.run("test_ci", *FAST, word)
    assert done.returncode == 3, done.stderr
    assert "history is required: 6 no history" in done.stderr
