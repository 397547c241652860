from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from projects.core.errors import UsageError
from projects.jobs.tools.options import MAX_LINES, OptionProvider
from projects.jobs.tools.spec import read_spec
from projects.jobs.tools.tool import Tool
from projects.jobs.tools.values import InvalidParameters
from tests.jobs.tools.conftest import Make, parameter


def tool_with(make: Make, shell: str, kind: str = "choice", **more: Any) -> Tool:
    return read_spec(make(parameters=[parameter("x", kind, options=["a"], shell=shell, **more)]))


def test_sat_07_lines_follow_the_static_options_in_order_each_once(make: Make) -> None:
    tool = tool_with(make, "printf 'c\\nb  d\\r\\n\\na\\nc\\n'; cat names")
    (Path(tool.directory) / "names").write_text("last")
    found = OptionProvider().options(tool, "x")
    assert (found.options, found.warning) == (("a", "c", "b  d", "last"), None)


def test_sat_07_values_are_checked_against_both(make: Make) -> None:
    tool = tool_with(make, "echo b")
    options = OptionProvider().of(tool)
    assert tool.validate({"x": "b"}, options).arguments == ["--x=b"]
    with pytest.raises(InvalidParameters, match="Possible: a, b"):
        tool.validate({"x": "c"}, options)


def test_lines_with_a_comma_are_no_options_of_some(make: Make) -> None:
    found = OptionProvider().options(tool_with(make, "printf 'b,c\\nd\\n'", "some"), "x")
    assert found.options == ("a", "d")
    assert found.warning == "1 lines with a comma are left out"


@pytest.mark.parametrize(
    ("shell", "said"),
    [
        ("echo b; echo why >&2; exit 1", "exit status 1: why"),
        ("printf 'b\\n\\377'", "byte 3 of what it printed is not UTF-8"),
        (f"seq {MAX_LINES + 2}", f"more than {MAX_LINES:,} lines"),
        ("yes", "more than 1,048,576 bytes"),
    ],
)
def test_sat_36_after_a_failure_there_are_the_static_options_and_a_warning(
    make: Make, shell: str, said: str
) -> None:
    found = OptionProvider().options(tool_with(make, shell), "x")
    assert found.options == ("a",)
    assert found.warning is not None
    assert found.warning.startswith("the command for options failed: ")
    assert said in found.warning


def test_sat_36_a_command_has_so_much_time(make: Make) -> None:
    found = OptionProvider(timeout=0.1).options(tool_with(make, "sleep 100"), "x")
    assert found.options == ("a",)
    assert found.warning == "the command for options failed: it took longer than 0.1 s"


def test_an_answer_is_kept_for_a_while_and_for_this_spec(make: Make) -> None:
    shell = "echo x >> asked; wc -l < asked"
    provider = OptionProvider()
    tool = tool_with(make, shell)
    assert provider.options(tool, "x").options == ("a", "1")
    assert provider.options(tool, "x").options == ("a", "1")
    other = tool_with(make, shell, default="a")
    assert provider.options(other, "x").options == ("a", "2")
    assert OptionProvider(kept=0).options(tool, "x").options == ("a", "3")


def test_many_that_ask_at_once_share_one_run(make: Make) -> None:
    tool = tool_with(make, "echo x >> asked; until [ -e go ]; do :; done; wc -l < asked")
    provider = OptionProvider(timeout=60)
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(provider.options(tool, "x").options))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    (Path(tool.directory) / "go").touch()
    for thread in threads:
        thread.join()
    assert found == [("a", "1")] * 8


@pytest.mark.parametrize("path", ["spec.json", "."])
def test_sat_36_a_spec_that_others_may_write_is_not_trusted(make: Make, path: str) -> None:
    tool = tool_with(make, "echo b")
    (Path(tool.directory) / path).chmod(0o777)
    found = OptionProvider().options(tool, "x")
    assert found.options == ("a",)
    assert found.warning is not None
    assert "is not run: others may write to" in found.warning


def test_sat_36_nor_is_one_of_another_user(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tool_with(make, "echo b")
    seen = os.stat(tool.spec_file)
    stranger = os.stat_result([*seen[:4], 12345, *seen[5:10]])
    monkeypatch.setattr("projects.jobs.tools.options.os.stat", lambda _path: stranger)
    found = OptionProvider().options(tool, "x")
    assert found.options == ("a",)
    assert "belongs to user 12345" in str(found.warning)


def test_only_parameters_with_options_have_them(make: Make) -> None:
    tool = read_spec(
        make(parameters=[parameter("n", "nat"), parameter("c", "choice", options=["a"])])
    )
    provider = OptionProvider()
    assert provider.options(tool, "c").options == ("a",)
    with pytest.raises(UsageError, match=r"n \(nat\) has no options"):
        provider.options(tool, "n")
    with pytest.raises(UsageError, match='unknown parameter "cc"; did you mean "c"'):
        provider.options(tool, "cc")
