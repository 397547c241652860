"""Presets that the surroundings choose: a light CI job, a bare-metal cluster, a known node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.core.processes import shell

if TYPE_CHECKING:
    from collections.abc import Mapping

METAL_PLATFORMS = frozenset(("BareMetal", "None", "", "IBMCloud"))
"""Values of `.status.platformStatus.type` of infrastructure/cluster (config.openshift.io/v1)."""


def is_light(environ: Mapping[str, str], suffix: str) -> bool:
    """Tell whether this is the OpenShift CI job `suffix`, or one whose name ends so."""
    job = environ.get("JOB_NAME_SAFE", "")
    return bool(environ.get("OPENSHIFT_CI")) and (job == suffix or job.endswith(f"-{suffix}"))


def is_metal() -> bool:
    """Ask the cluster whether it runs on bare metal; CommandFailed when it can't be asked."""
    path = "jsonpath={.status.platformStatus.type}"
    answer = _ask("oc", "get", "infrastructure/cluster", "-o", path)
    return answer.strip() in METAL_PLATFORMS


def preset_of_cluster(presets: Mapping[str, str]) -> str | None:
    """Return the preset of the first node that the cluster has, of {node: preset}, or None."""
    nodes = {line.rpartition("/")[2] for line in _ask("oc", "get", "nodes", "-o", "name").split()}
    return next((preset for node, preset in presets.items() if node in nodes), None)


def _ask(*words: str) -> str:
    answer: str = shell.run(list(words), capture_stdout=True, log_command=False).stdout
    return answer
