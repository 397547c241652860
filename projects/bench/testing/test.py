"""The toolkit measuring itself: commands, start-up, configuration, jobs, beside peers."""

from __future__ import annotations

from projects.bench.library import peers, verdicts
from projects.core.library import config, env, export, run
from projects.core.library.entrypoint import entrypoint


@entrypoint()
def prepare_ci() -> None:
    """Make the environment of the peers, if the configuration names any."""
    if config.project.get_config("peers"):
        run.run_toolbox("bench", "install_peers")
        if config.project.get_config("points.jobs"):
            run.run_toolbox("bench", "install_programs")


@entrypoint()
def test_ci() -> None:
    """Measure every point and write the report."""
    verdicts.read_bars(config.project.get_config("bars"))
    peers.require_installed(config.project.get_config("peers"))
    failure = None
    if config.project.get_config("points.others"):
        measure_others()
    if config.project.get_config("points.jobs"):
        failure = measure_jobs()
    run.run_toolbox_from_config("bench", "report", extra={"results_dir": env.ARTIFACT_DIR})
    if failure:
        raise failure


def measure_others() -> None:
    """Measure what isn't about jobs."""
    run.run_toolbox_from_config("bench", "command_overhead")
    run.run_toolbox_from_config("bench", "startup")
    run.run_iterable_fields(["configuration.applied"], measure_configuration)
    run.run_toolbox_from_config("bench", "parse")
    run.run_toolbox_from_config("bench", "export")
    run.run_iterable_fields(["change_points.length"], measure_change_points)


def measure_jobs() -> BaseException | None:
    """Measure the job engine; return how a promise was broken: the report is to tell it, too."""
    for point in ("throughput", "start", "bulk_submit", "million", "memory"):
        run.run_toolbox_from_config("bench", f"jobs_{point}")
    return run.run_and_catch(None, run.run_toolbox_from_config, "bench", "jobs_faults")


def measure_configuration() -> None:
    """Measure the point that the configuration holds now: one number of applied presets."""
    applied = config.project.get_config("configuration.applied")
    run.run_toolbox_from_config(
        "bench",
        "configuration",
        extra={"applied": applied},
        artifact_dir_suffix=f"_{applied}_presets",
    )


def measure_change_points() -> None:
    """Measure the point that the configuration holds now: series of one length."""
    length = config.project.get_config("change_points.length")
    run.run_toolbox_from_config(
        "bench", "change_points", extra={"length": length}, artifact_dir_suffix=f"_{length}_points"
    )


@entrypoint(ignore_secret_path=True)
def cleanup_cluster_ci() -> None:
    """Remove the environment of the peers, unless `cleanup.remove_peers` says to keep it."""
    if config.project.get_config("cleanup.remove_peers"):
        run.run_toolbox("bench", "remove_peers")


@entrypoint(ignore_secret_path=True, apply_preset_from_pr_args=False)
def export_artifacts(artifacts_dirname: str, test_step: str | None = None) -> None:
    """Export the artifacts of a run."""
    export.export_artifacts(artifacts_dirname, test_step)


class Entrypoint:
    """What CI calls."""

    def __init__(self) -> None:
        self.prepare_ci = prepare_ci
        self.test_ci = test_ci
        self.cleanup_cluster_ci = cleanup_cluster_ci
        self.export_artifacts = export_artifacts
