"""Measure what SQLite's settings cost on this disk."""

from __future__ import annotations

import logging
from dataclasses import asdict

from projects.core.errors import UsageError
from projects.core.library import config, env, export, run, steps
from projects.core.library.entrypoint import entrypoint
from projects.sqlite_bench.library.points import Point, after_power_loss, expand

logger = logging.getLogger(__name__)

AXES = ["tests.journal_modes", "tests.synchronous_levels", "tests.batch_sizes"]


@entrypoint(ignore_secret_path=True)
def prepare_ci() -> None:
    """Check that the disk can be measured."""
    run.run_toolbox_from_config("sqlite", "prepare")


@entrypoint(ignore_secret_path=True)
def test_ci() -> None:
    """Measure every point of the matrix, then compare them."""
    run.run_toolbox_from_config("sqlite", "prepare")

    points = matrix()
    error = None
    with steps.progress("points", len(points)) as done:
        for point in points:
            # One that cannot be measured here must not cost the others.
            error = run.run_and_catch(error, measure, point)
            done.advance()
    here = {"results": env.ARTIFACT_DIR, "destination": env.ARTIFACT_DIR}
    error = run.run_and_catch(error, run.run_toolbox, "sqlite", "compare", **here)
    if error:
        raise error


def matrix() -> list[Point]:
    """Return the points that the configuration asks for."""
    points = expand(*(config.project.get_config(axis) for axis in AXES))
    if config.project.get_config("tests.only_durable"):
        points = [point for point in points if after_power_loss(point) == "kept"]
    return points


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
    """Generate the plots: not possible yet."""
    raise UsageError(
        "sqlite_bench has no plots yet. What there is: summary.txt and results.csv in the "
        "directory of each run; `./run_toolbox.py sqlite compare DIRECTORY` makes them again"
    )


class Entrypoint:
    """Commands for launching the CI tests."""

    def __init__(self) -> None:
        self.prepare_ci = prepare_ci
        self.test_ci = test_ci
        self.cleanup_cluster_ci = cleanup_cluster_ci
        self.export_artifacts = export_artifacts
        self.generate_plots_from_pr_args = generate_plots_from_pr_args
