from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.errors import ConfigurationError
from projects.jobs.tools.spec import read_spec
from tests.jobs.tools.conftest import Make, parameter


def test_sat_15_the_command_is_run_and_its_words(make: Make) -> None:
    there = make(parameters=[parameter("b", "nat"), parameter("a", "string", default="x y")])
    tool = read_spec(there)
    values = tool.validate({"b": 1})
    assert tool.command(values) == [str(there / "run"), "--b=1", "--a=x y"]
    assert tool.environment(values, "/job") == values.environment


def test_sat_17_it_runs_in_the_jobs_directory_or_where_the_spec_says(
    make: Make, tmp_path: Path
) -> None:
    assert read_spec(make()).place(str(tmp_path)) == str(tmp_path)
    there = make(working_directory="data/../data")
    with pytest.raises(ConfigurationError, match=r"working_directory: .*data is not a directory"):
        read_spec(there).place(str(tmp_path))
    (there / "data").mkdir()
    assert read_spec(there).place(str(tmp_path)) == str(there / "data")
    absolute = read_spec(make(working_directory=str(tmp_path)))
    assert absolute.place("/nowhere") == str(tmp_path)
