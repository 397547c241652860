from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.jobs.tools.limits import Limits
from projects.jobs.tools.parameters import TYPES, Integer
from projects.jobs.tools.spec import MAX_BYTES, read_spec
from projects.jobs.tools.tool import SpecError, Tool, UploadSpec
from projects.jobs.tools.values import InvalidParameters
from tests.conftest import CHECKOUT
from tests.jobs.tools.conftest import Make, parameter


def problems(there: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        read_spec(there)
    return [str(each) for each in caught.value.problems]


def test_every_key_is_read(make: Make) -> None:
    there = make(
        "all.of-it_1",
        {
            "$schema": "anything",
            "description": "what it does",
            "parameters": [parameter("users", "integer", min=1, default=3)],
            "timeout": "1h30m",
            "no_logs": True,
            "working_directory": "data",
            "uploads": [{"results_file": "out/r.json", "test_system": "s", "test_name": "n"}],
            "on_restart": "reattach",
            "resources": ["gpu0", "gpu1", "gpu0"],
            "limits": {"memory": "2GiB", "cpus": 1.5, "cpu_seconds": "1m", "files": 10,
                       "processes": 5, "output": "1MB"},
            "unknown_parameters": "allow",
            "env_allow": ["LICENSE_FILE"],
        },
    )  # fmt: skip
    tool = read_spec(there)
    assert tool == Tool(
        name="all.of-it_1",
        directory=str(there),
        argv=(str(there / "run"),),
        description="what it does",
        parameters=(Integer(name="users", doc="about users", min=1, default=3),),
        digest=tool.digest,
        timeout=5400,
        no_logs=True,
        working_directory=str(there / "data"),
        uploads=(UploadSpec("out/r.json", "s", "n"),),
        on_restart="reattach",
        resources=("gpu0", "gpu1"),
        limits=Limits(2 * 1024**3, 1.5, 60, 10, 5, 1000**2),
        unknown_parameters="allow",
        env_allow=("LICENSE_FILE",),
        spec_file=str(there / "spec.json"),
    )


def test_what_is_not_said_has_its_default(make: Make) -> None:
    tool = read_spec(make())
    assert (tool.timeout, tool.no_logs, tool.on_restart) == (None, False, "rerun")
    assert (tool.limits, tool.unknown_parameters, tool.warnings) == (Limits(), "reject", ())


def test_sat_02_what_is_missing_is_named(make: Make) -> None:
    assert problems(make(spec={})) == [
        f"{make('mine', {}) / 'spec.json'}:1:1: {key}: it is missing"
        for key in ("description", "parameters")
    ]
    said = problems(make(spec={"description": "", "parameters": [{"name": "a"}, {}]}))
    assert [each.split(": ", 1)[1] for each in said] == [
        f"parameters[0].type: it is missing. Possible: {', '.join(TYPES)}.",
        f"parameters[1].type: it is missing. Possible: {', '.join(TYPES)}.",
    ]
    said = problems(make(spec={"description": "", "parameters": [{"type": "text"}]}))
    assert [each.split(": ", 1)[1] for each in said] == [
        "parameters[0].name: it is missing",
        "parameters[0].doc: it is missing",
    ]


def test_everything_that_is_wrong_is_told_at_once_with_its_place(make: Make) -> None:
    there = make(
        spec="""{
  "descr": "typed wrong",
  "parameters": [
    {"name": "a", "type": "chioce", "doc": ""},
    {"name": "b", "type": "integer", "doc": "", "default": 11, "max": 10},
    {"name": "c", "type": "integer", "doc": "", "min": "1"},
    {"name": "d", "type": "some", "doc": "", "options": ["x,y"]},
    {"name": "e", "type": "choice", "doc": "", "options": ["x", null]},
    {"name": "f", "type": "text", "doc": ""},
    {"name": "f", "type": "text", "doc": ""},
    {"name": "g", "type": "real", "doc": "", "min": 2, "max": 1},
    4
  ],
  "timeout": "soon",
  "on_restart": "reran",
  "limits": {"memory": -1},
  "uploads": [{"results_file": "../x", "test_system": "s", "test_name": "n"}],
  "env_allow": ["A B"]
}"""
    )
    file = there / "spec.json"
    (there / "run").chmod(0o644)
    said = problems(there)
    for expected in (
        f"{there / 'run'} is not executable: chmod +x {there / 'run'}",
        f'{file}:1:1: description: it is missing; is "descr" meant for it?',
        (
            f'{file}:4:19: parameters[0].type: unknown type "chioce"; did you mean "choice"?'
            " Possible: boolean, choice, date, integer, nat, real, some, string, text."
        ),
        f"{file}:5:49: parameters[1].default: 11 is more than 10, the most",
        f'{file}:6:49: parameters[2].min: "1" is not an integer',
        f"{file}:8:65: parameters[4].options[1]: null is not a text or a number",
        f'{file}:10:6: parameters[6].name: "f" is parameters[5] already',
        f"{file}:11:56: parameters[7].max: max 1 is less than min 2: no number fits",
        f"{file}:12:5: parameters[8]: 4 is not an object",
        f'{file}:14:3: timeout: "soon" is not a time: a number of seconds or a text like 10m is',
        (
            f'{file}:15:3: on_restart: unknown value "reran"; did you mean "rerun"?'
            " Possible: fail, reattach, rerun."
        ),
        f"{file}:16:14: limits.memory: -1 is not a size from 1 byte to 2^53",
        (
            f'{file}:17:16: uploads[0].results_file: "../x" leads out of the job\'s directory;'
            " a path below it has to be"
        ),
    ):
        assert expected in said
    assert any('7:46: parameters[3].options: the option "x,y" can\'t be told' in s for s in said)
    assert any('18:17: env_allow[0]: "A B" doesn\'t fit' in each for each in said)


def test_unknown_keys_are_warned_of_and_do_no_harm(make: Make) -> None:
    there = make(
        timeoutt=3,
        parameters=[
            parameter("a", "nat", min=3, max=5),
            parameter("b", "integer", docs="x", step=2),
        ],
        limits={"memry": 1},
        uploads=[{"results_file": "r", "test_system": "s", "test_name": "n", "format": "csv"}],
    )
    tool = read_spec(there)
    assert [each.split(": ", 1)[1] for each in tool.warnings] == [
        'unknown key "timeoutt"; did you mean "timeout"?',
        'unknown key "memry"; did you mean "memory"?',
        'unknown key "format"; it is ignored',
        '"min" means nothing for the type nat; it is ignored',
        '"max" means nothing for the type nat; it is ignored',
        'unknown key "docs"; did you mean "doc"?',
        'unknown key "step"; it is ignored',
    ]
    assert tool.warnings[0].startswith(f"{there / 'spec.json'}:19:3: ")
    assert tool.validate({"a": 1, "b": 0}).arguments == ["--a=1", "--b=0"]  # sat 9: no bounds


def test_the_older_name_of_the_file_is_read_with_a_warning(make: Make) -> None:
    there = make()
    (there / "spec.json").rename(there / "run_spec.json")
    (warning,) = read_spec(there).warnings
    assert warning.endswith("out of use; it is read; rename it to spec.json")
    make()
    (warning,) = read_spec(there).warnings
    assert warning.endswith("spec.json is read instead")


def test_sat_04_run_has_to_be_an_executable_file(make: Make) -> None:
    there = make()
    (there / "run").unlink()
    assert problems(there) == [f"there is no run in {there}; it is what is started"]
    (there / "run").mkdir()
    assert problems(there) == [f"{there / 'run'} is a directory; a program or script has to be"]
    (there / "run").rmdir()
    os.mkfifo(there / "run", 0o755)
    assert "no file" in problems(there)[0]
    (there / "run").unlink()
    (there / "run").symlink_to("away")
    assert "there is no run" in problems(there)[0]


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("echo no line\n", 'it is no program and has no "#!" line'),
        ("#!/usr/bin/nope -x\n", '"/usr/bin/nope" is not there'),
        ("#!/bin/sh\r\n", "the line ends as on Windows"),
    ],
)
def test_a_run_that_will_hardly_start_is_warned_of(make: Make, run: str, said: str) -> None:
    (warning,) = read_spec(make(run=run)).warnings
    assert said in warning


def test_a_spec_that_is_no_file_or_too_large_is_refused(make: Make) -> None:
    there = make()
    (there / "spec.json").unlink()
    assert problems(there) == [f"there is no spec.json in {there}"]
    os.mkfifo(there / "spec.json")
    assert problems(there) == [f"{there / 'spec.json'} is not a file"]
    (there / "spec.json").unlink()
    (there / "spec.json").mkdir()
    assert "spec.json" in problems(there)[0]
    (there / "spec.json").rmdir()
    make(spec="[" + " " * MAX_BYTES + "]")
    assert "larger than 1 MiB" in problems(there)[0]


@pytest.mark.parametrize("spec", ["3", "[]", "null", '"x"'])
def test_a_spec_is_an_object(make: Make, spec: str) -> None:
    assert "a spec has to be an object" in problems(make(spec=spec))[0]


def test_only_so_many_problems_are_told(make: Make) -> None:
    spec = {f"{n}": 1 for n in range(1000)} | {"parameters": [3] * 200, "description": ""}
    said = problems(make(spec=spec))
    assert len(said) < 60
    assert "only 50 problems are listed" in said[-1]


def test_the_digest_is_that_of_spec_and_run(make: Make) -> None:
    first = read_spec(make()).digest
    assert read_spec(make()).digest == first
    assert read_spec(make(run="#!/bin/sh\nexit 1\n")).digest != first
    assert read_spec(make(timeout=3)).digest != first


def test_whoever_only_checks_parameters_does_not_pay_for_pydantic() -> None:
    code = (
        "import sys; from projects.jobs.tools import catalog, spec, words, options, values;"
        "sys.exit('pydantic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=True)


KEYS = st.sampled_from(
    ["description", "parameters", "name", "type", "doc",
     "options", "default", "shell", "min",
     "max", "no_duplicates", "optional", "uploads", "limits", "memory",
     "timeout", "results_file", "resources", "env_allow", "working_directory"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)
PARAMETER = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", ""]), "type": st.sampled_from(list(TYPES)), "doc": JSON},
    optional=dict.fromkeys(("options", "default", "min", "max", "shell", "optional"), JSON),
)
SPEC = st.fixed_dictionaries(
    {"description": st.just(""), "parameters": st.lists(PARAMETER, max_size=3)},
    optional=dict.fromkeys(("uploads", "limits", "timeout", "working_directory"), JSON),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SPEC | JSON)
def test_whatever_a_spec_says_it_is_read_or_refused(make: Make, spec: Any) -> None:
    there = make(spec=json.dumps(spec))
    try:
        tool = read_spec(there)
    except SpecError as error:
        tool, said = None, error.problems
    if tool is None:
        assert said
    else:
        json.dumps([tool.describe(), tool.json_schema()])


def test_sat_09_nat_ignores_min_and_max(make: Make) -> None:
    tool = read_spec(make(parameters=[parameter("n", "nat", min=3, max=5)]))
    for number in (0, 2, 6, 2**53):
        assert tool.validate({"n": number}).arguments == [f"--n={number}"]
    with pytest.raises(InvalidParameters, match="less than 0"):
        tool.validate({"n": -1})
