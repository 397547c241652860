"""Measure what SQLite's settings cost on this disk."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path

from projects.core.library import config, env, export, run, steps
from projects.core.library.entrypoint import entrypoint
from projects.matrix_benchmarking.library import visualize
from projects.sqlite_bench.library.points import Point, after_power_loss, expand
from projects.sqlite_bench.library.surroundings import describe

logger = logging.getLogger(__name__)

LOAD = ["repetitions", "seconds", "rows_limit", "warmup_transactions", "row_bytes"]
AXES = ["tests.journal_modes", "tests.synchronous_levels", "tests.batch_sizes"]


@entrypoint(ignore_secret_path=True)
def prepare_ci() -> None:
    """Check that the disk can be measured."""
    run.run_toolbox_from_config("sqlite", "prepare")


@entrypoint(ignore_secret_path=True)
def test_ci() -> None:
    """Measure every point of the matrix, compare them, and judge them by their history."""
    visualize.init()
    run.run_toolbox_from_config("sqlite", "prepare")
    visualize.leave_fingerprint(surroundings_of_numbers())

    points = matrix()
    error = None
    with steps.progress("points", len(points)) as done:
        for point in points:
            # One that cannot be measured here must not cost the others.
            error = run.run_and_catch(error, measure, point)
            done.advance()
    here = {"results": env.ARTIFACT_DIR, "destination": env.ARTIFACT_DIR}
    error = run.run_and_catch(error, run.run_toolbox, "sqlite", "compare", **here)
    error = run.run_and_catch(
        error, visualize.generate_from_dir, env.ARTIFACT_DIR, test_failed=error is not None
    )
    if error:
        raise error


def matrix() -> list[Point]:
    """Return the points that the configuration asks for."""
    points = expand(*(config.project.get_config(axis) for axis in AXES))
    if config.project.get_config("tests.only_durable"):
        points = [point for point in points if after_power_loss(point) == "kept"]
    return points


def surroundings_of_numbers() -> dict[str, str]:
    """Return what numbers depend on beside the machine: only with the same are they compared."""
    directory = config.project.get_config("tests.directory") or env.ARTIFACT_DIR
    seen = describe(Path(directory))
    load = [f"{name} {config.project.get_config(f'tests.{name}')}" for name in LOAD]
    return {
        "sqlite": str(seen["sqlite_version"]),
        "file_system": f"{seen['file_system']} on {seen['device']}",
        "load": ", ".join(load),
    }


def measure(point: Point) -> None:
    """Measure one point of the matrix."""
    run.run_toolbox_from_config(
        "sqlite",
        "measure",
        extra=asdict(point),
        artifact_dir_suffix=f"_{point.journal_mode}_{point.synchronous}_{point.batch_size}",
    )


@entrypoint(ignore_secret_path=True)
def cleanup_cluster_ci() -> None:
    """Remove data files that an interrupted measurement left behind."""
    directory = config.project.get_config("tests.directory")
    if directory:
        run.run_toolbox("sqlite", "cleanup", directory=directory)
    else:
        logger.info("data files lie in the artifact directories and go when their point ends")


@entrypoint(ignore_secret_path=True)
def export_artifacts(artifacts_dirname: str, test_step: str | None = None) -> None:
    """Export an artifact directory to where the configuration says.

    Args:
      artifacts_dirname: the directory to export
      test_step: name of the step that left it, part of the destination
    """
    export.export_artifacts(artifacts_dirname, test_step=test_step)


@entrypoint(ignore_secret_path=True, apply_preset_from_pr_args=False)
def generate_plots_from_pr_args() -> None:
    """Plot what another run has measured, which a CI directive or `matbench.download` names."""
    visualize.init()
    visualize.download_and_generate_visualizations()


@entrypoint(ignore_secret_path=True, apply_preset_from_pr_args=False)
def replot(source: str) -> None:
    """Plot what another run has measured, as that run itself did.

    Args:
      source: a directory, or an address: s3://bucket/prefix, the page of an export, file:///path
    """
    visualize.init()
    visualize.replot(source)


class Entrypoint:
    """Commands for launching the CI tests."""

    def __init__(self) -> None:
        self.prepare_ci = prepare_ci
        self.test_ci = test_ci
        self.cleanup_cluster_ci = cleanup_cluster_ci
        self.export_artifacts = export_artifacts
        self.generate_plots_from_pr_args = generate_plots_from_pr_args
        self.replot = replot
