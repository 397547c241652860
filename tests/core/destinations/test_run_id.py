"""A run has the same identity in all its steps, whichever CI it runs in."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.destinations.run_id import run_id
from projects.core.errors import ConfigurationError

PRESUBMIT = {
    "type": "presubmit",
    "job": "pull-ci-openshift-psap-topsail-main-rhoai-light",
    "buildid": "1790000000000000001",
    "refs": {"org": "openshift-psap", "repo": "topsail", "pulls": [{"number": 512, "sha": "a"}]},
}
PERIODIC = {"type": "periodic", "job": "periodic-ci-x-daily", "buildid": "17", "extra_refs": []}
PERFLAB = {
    "PERFLAB_CI": "true",
    "JENKINS_JOB": "job/ExternalTeams/job/RHODS/job/topsail",
    "JENKINS_BUILD_NUMBER": "42",
    "JENKINS_URL": "https://jenkins.example.com",
}
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "octo-org/tests",
    "GITHUB_RUN_ID": "99",
    "GITHUB_RUN_ATTEMPT": "2",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_PATH": "group/sub/tests",
    "CI_PIPELINE_ID": "7",
    "CI_JOB_ID": "8",
}
JENKINS = {"BUILD_TAG": "jenkins-a-3", "JOB_NAME": "folder/nightly", "BUILD_NUMBER": "3"}
LOCAL_CI = {"JOB_NAME": "local-ci", "TEST_RUN_IDENTIFIER": "local-ci/light/0001"}


def prow(spec: object) -> dict[str, str]:
    return {"OPENSHIFT_CI": "true", "JOB_SPEC": json.dumps(spec), "JOB_NAME": "x"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (prow(PRESUBMIT), "prow/512/1790000000000000001"),
        (prow(PERIODIC), "prow/periodic-ci-x-daily/17"),
        (prow({**PRESUBMIT, "refs": None}), f"prow/{PRESUBMIT['job']}/1790000000000000001"),
        (PERFLAB, "middleware_jenkins/ExternalTeams_RHODS_topsail/42"),
        (GITHUB, "github/octo-org/tests/99/2"),
        (GITLAB, "gitlab/group/sub/tests/7/8"),
        (JENKINS, "jenkins/folder/nightly/3"),
        ({"USER": "ada"}, "local/ada/20260101-100000__demo__test_ci"),
    ],
)
def test_each_engine_has_its_form_and_the_step_follows(
    environ: dict[str, str], expected: str
) -> None:
    run_directory = "20260101-100000__demo__test_ci"
    assert run_id(environ, run_directory) == expected
    assert run_id(environ, run_directory, "plot") == f"{expected}/plot"


def test_the_local_ci_brings_its_own_identity_and_takes_no_step() -> None:
    assert run_id(LOCAL_CI, "run", "plot") == "local-ci/light/0001"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OPENSHIFT_CI": "true"}, "JOB_SPEC, which OpenShift CI sets, is missing"),
        (prow({"job": "x"}), "JOB_SPEC.*cannot be used: KeyError: 'buildid'"),
        (prow([1]), "JOB_SPEC.*cannot be used"),
        ({"OPENSHIFT_CI": "true", "JOB_SPEC": "{"}, "JOB_SPEC.*cannot be used"),
        ({"PERFLAB_CI": "true", "JENKINS_JOB": "job/x"}, "JENKINS_BUILD_NUMBER.*is missing"),
        ({"GITHUB_ACTIONS": "true"}, "GITHUB_REPOSITORY.*is missing"),
        ({"GITLAB_CI": "true"}, "CI_PROJECT_PATH.*is missing"),
        ({"JENKINS_URL": "x"}, "JOB_NAME.*is missing"),
        ({"JOB_NAME": "local-ci"}, "TEST_RUN_IDENTIFIER.*is missing"),
    ],
)
def test_what_an_engine_did_not_set_is_named(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        run_id(environ, "run")


@given(user=st.text(min_size=1), directory=st.text(min_size=1), step=st.text(min_size=1))
def test_an_identity_is_a_path_that_goes_down_and_needs_no_quoting(
    user: str, directory: str, step: str
) -> None:
    identity = run_id({"USER": user}, directory, step)
    parts = identity.split("/")
    assert len(parts) == 4
    assert not {"", ".", ".."}.intersection(parts)
    assert identity.isascii()
    assert not set(identity) & set(" ?#%\\\"'<>\n\0")


def test_without_variables_the_user_is_whom_the_process_belongs_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert run_id({}, "now") == "local/root/now"
    monkeypatch.setattr(os, "getuid", lambda: 987654)  # a container runs with any number
    assert run_id({"USER": ""}, "now") == "local/987654/now"
