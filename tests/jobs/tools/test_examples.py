"""The example test scripts and submissions of the repository fit together, and run."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from projects.jobs.tools import spec_model
from projects.jobs.tools.catalog import Catalog
from projects.jobs.tools.options import OptionProvider
from tests.conftest import CHECKOUT

SATELLITE = CHECKOUT / "projects" / "satellite"
SUBMISSIONS = sorted((SATELLITE / "sample_submissions").glob("*.json"))
SCHEMA = CHECKOUT / "docs" / "reference" / "spec.schema.json"


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """Return the examples in a copy that nobody else may write to."""
    there = tmp_path / "test_scripts"
    shutil.copytree(SATELLITE / "test_scripts", there)
    for each in [there, *there.rglob("*")]:
        each.chmod(each.stat().st_mode & ~0o022)
    return Catalog([there])


def jobs_of(submission: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(submission.read_text())["job_specs"]
    return listed


@pytest.mark.parametrize("submission", SUBMISSIONS, ids=lambda each: each.stem)
def test_the_submissions_are_taken_and_run(
    submission: Path, catalog: Catalog, tmp_path: Path
) -> None:
    for number, job in enumerate(jobs_of(submission)):
        tool = catalog.find(job["name"])
        shorter = {"seconds": 0} if tool.parameter("seconds") else {}
        values = tool.validate(job["params"] | shorter, OptionProvider().of(tool))
        there = tmp_path / str(number)
        there.mkdir()
        environment = {"PATH": "/usr/bin:/bin", "JOB_ID": "j", "SUBMISSION_ID": "s"}
        done = subprocess.run(
            tool.command(values),
            cwd=tool.place(str(there)),
            env=environment | tool.environment(values, str(there)),
            capture_output=True,
            text=True,
            check=True,
        )
        if tool.name == "example":
            assert all(word in done.stdout.splitlines() for word in values.arguments)
        if tool.name == "all_types":
            assert json.loads((there / "parameters.json").read_text()) == values.values
        for upload in tool.uploads:
            assert json.loads((there / upload.results_file).read_text())["files"] > 0


def test_all_types_has_all_types(catalog: Catalog) -> None:
    from projects.jobs.tools.parameters import TYPES

    assert {each.type for each in catalog.find("all_types").parameters} == set(TYPES)


def test_the_schema_in_the_documentation_is_current() -> None:
    """To renew it: python -m projects.jobs.tools.spec_model > docs/reference/spec.schema.json."""
    assert json.loads(SCHEMA.read_text()) == spec_model.json_schema()


@pytest.mark.parametrize(
    "spec", sorted(SATELLITE.glob("test_scripts/*/spec.json")), ids=lambda each: each.parent.name
)
def test_the_schema_takes_the_examples_which_name_it(spec: Path) -> None:
    values = json.loads(spec.read_text())
    jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(values)
    assert (spec.parent / values["$schema"]).resolve() == SCHEMA
