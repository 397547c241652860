"""The identity of a run, made of what its CI says of it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from projects.core.artifacts.metadata import user_of_process
from projects.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def run_id(environ: Mapping[str, str], run_directory: str, test_step: str | None = None) -> str:
    """Return the path below which a run is exported: the same for all steps of one CI job.

    - OpenShift CI, OPENSHIFT_CI=true with JOB_SPEC: prow/PULL/BUILD, periodic prow/JOB/BUILD
    - PerfLab, PERFLAB_CI=true with JENKINS_JOB, JENKINS_BUILD_NUMBER: middleware_jenkins/JOB/BUILD
    - our own in a cluster, JOB_NAME=local-ci: TEST_RUN_IDENTIFIER, without the step
    - GitHub Actions, GITHUB_ACTIONS=true: github/OWNER/REPOSITORY/RUN/ATTEMPT
    - GitLab CI, GITLAB_CI=true: gitlab/PROJECT/PIPELINE/JOB
    - Jenkins, JENKINS_URL or BUILD_TAG with JOB_NAME, BUILD_NUMBER: jenkins/JOB/BUILD
    - anything else: local/USER/RUN DIRECTORY; without USER and LOGNAME, whom the process belongs to

    `run_directory` is the name of the directory of the run; `/{test_step}` is appended.

    Errors
    ------
    ConfigurationError
        The CI is known, but a variable that it sets is missing or isn't what it should be.
    """
    identity, takes_step = _identity(environ, run_directory)
    return f"{identity}/{_safe(test_step)}" if test_step and takes_step else identity


def _identity(environ: Mapping[str, str], run_directory: str) -> tuple[str, bool]:
    if environ.get("JOB_NAME") == "local-ci" and environ.get("OPENSHIFT_CI") != "true":
        given = _needed(environ, "TEST_RUN_IDENTIFIER", "the local CI")
        return "/".join(_safe(part) for part in given.split("/") if part), False
    for is_it, identify in _ENGINES:
        if is_it(environ):
            return identify(environ), True
    user = environ.get("USER") or environ.get("LOGNAME") or user_of_process()
    return _joined("local", user, run_directory), True


def _prow(environ: Mapping[str, str]) -> str:
    """Read JOB_SPEC (docs.prow.k8s.io, "Job Environment Variables")."""
    text = _needed(environ, "JOB_SPEC", "OpenShift CI")
    try:
        spec: Any = json.loads(text)
        pulls = (spec.get("refs") or {}).get("pulls") or []
        first = pulls[0]["number"] if pulls else spec["job"]
        return _joined("prow", str(first), str(spec["buildid"]))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ConfigurationError(
            f"JOB_SPEC, which OpenShift CI sets, cannot be used: {type(error).__name__}: {error}"
        ) from None


def _perflab(environ: Mapping[str, str]) -> str:
    """Read `job/Folder/job/Name`, as the path of a Jenkins job is written."""
    job = _needed(environ, "JENKINS_JOB", "PerfLab CI").strip("/").removeprefix("job/")
    build = _needed(environ, "JENKINS_BUILD_NUMBER", "PerfLab CI")
    return _joined("middleware_jenkins", job.replace("/job/", "_"), build)


def _github(environ: Mapping[str, str]) -> str:
    owner, _, repository = _needed(environ, "GITHUB_REPOSITORY", "GitHub Actions").partition("/")
    number = _needed(environ, "GITHUB_RUN_ID", "GitHub Actions")
    return _joined("github", owner, repository, number, environ.get("GITHUB_RUN_ATTEMPT") or "1")


def _gitlab(environ: Mapping[str, str]) -> str:
    project = _needed(environ, "CI_PROJECT_PATH", "GitLab CI").split("/")
    numbers = [_needed(environ, key, "GitLab CI") for key in ("CI_PIPELINE_ID", "CI_JOB_ID")]
    return _joined("gitlab", *project, *numbers)


def _jenkins(environ: Mapping[str, str]) -> str:
    job = _needed(environ, "JOB_NAME", "Jenkins").split("/")
    return _joined("jenkins", *job, _needed(environ, "BUILD_NUMBER", "Jenkins"))


_ENGINES: tuple[
    tuple[Callable[[Mapping[str, str]], bool], Callable[[Mapping[str, str]], str]], ...
] = (
    (lambda environ: environ.get("OPENSHIFT_CI") == "true", _prow),
    (lambda environ: environ.get("PERFLAB_CI") == "true", _perflab),
    (lambda environ: environ.get("GITHUB_ACTIONS") == "true", _github),
    (lambda environ: environ.get("GITLAB_CI") == "true", _gitlab),
    (lambda environ: bool(environ.get("JENKINS_URL") or environ.get("BUILD_TAG")), _jenkins),
)


def _needed(environ: Mapping[str, str], key: str, engine: str) -> str:
    value = environ.get(key)
    if not value:
        raise ConfigurationError(f"{key}, which {engine} sets, is missing: no identity of the run")
    return value


def _joined(*parts: str) -> str:
    return "/".join(_safe(part) for part in parts)


def _safe(part: str) -> str:
    """Return one component of a path and of an URL: no slash, no step upwards, nothing to quote."""
    return re.sub(r"[^\w.=+@-]+", "_", part, flags=re.ASCII).strip(".") or "_"
