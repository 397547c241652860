"""Measure how fast this machine hashes."""

from __future__ import annotations

import logging

from projects.core.errors import UsageError
from projects.core.library import export, run
from projects.core.library.entrypoint import entrypoint

logger = logging.getLogger(__name__)


@entrypoint(ignore_secret_path=True)
def prepare_ci() -> None:
    """Prepare the system for the test: here, note what it is."""
    run.run("uname -a")


@entrypoint(ignore_secret_path=True)
def test_ci() -> None:
    """Run the test."""
    run.run_toolbox_from_config("skeleton_target", "measure")


@entrypoint(ignore_secret_path=True)
def cleanup_cluster_ci() -> None:
    """Bring the system back to its original state."""
    logger.info("nothing to clean up")


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
    """Generate the plots: there are none yet."""
    raise UsageError("skeleton has no plots: its results are in results.json of each result")


class Entrypoint:
    """Commands for launching the CI tests."""

    def __init__(self) -> None:
        self.prepare_ci = prepare_ci
        self.test_ci = test_ci
        self.cleanup_cluster_ci = cleanup_cluster_ci
        self.export_artifacts = export_artifacts
        self.generate_plots_from_pr_args = generate_plots_from_pr_args
