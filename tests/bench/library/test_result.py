"""Result directories: written, and found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from projects.bench.library.result import own_versions, read_results, recorded

if TYPE_CHECKING:
    from pathlib import Path


def write(directory: Path, bench: str, seconds: dict[str, list[float]]) -> None:
    directory.mkdir(parents=True)
    with recorded(directory, bench, {"rounds": 5}) as result:
        result.seconds = seconds


def test_a_result_directory_says_its_settings_and_that_it_is_finished(tmp_path: Path) -> None:
    write(tmp_path / "a", "startup", {"x": [1.0]})
    assert yaml.safe_load((tmp_path / "a/settings.yaml").read_text()) == {
        "bench": "startup",
        "rounds": 5,
    }
    assert (tmp_path / "a/exit_code").read_text() == "0\n"


def test_our_versions_are_those_of_the_metadata(tmp_path: Path) -> None:
    assert own_versions(tmp_path) == {}
    (tmp_path / "_meta").mkdir()
    (tmp_path / "_meta/metadata.yaml").write_text("name: x\nversions: {git: abc, python: 3.11.7}\n")
    assert own_versions(tmp_path) == {"git": "abc", "python": "3.11.7"}


def test_results_are_found_at_any_depth_in_order(tmp_path: Path) -> None:
    write(tmp_path / "001__b/000__x", "configuration", {"y": [2.0]})
    write(tmp_path / "000__a", "startup", {"x": [1.0]})
    found = read_results(tmp_path)
    assert [result.bench for result in found] == ["startup", "configuration"]
    assert found[0].seconds == {"x": [1.0]}


def test_what_failed_is_not_a_result(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), recorded(tmp_path, "startup", {}):
        raise RuntimeError
    assert (tmp_path / "exit_code").read_text() == "1\n"
    assert (tmp_path / "settings.yaml").exists()
    assert read_results(tmp_path) == []


def test_an_exit_code_other_than_0_is_not_a_result(tmp_path: Path) -> None:
    write(tmp_path / "a", "startup", {"x": [1.0]})
    (tmp_path / "a/exit_code").write_text("1\n")
    assert read_results(tmp_path) == []


def test_what_was_interrupted_before_its_exit_code_is_not_a_result(tmp_path: Path) -> None:
    write(tmp_path / "a", "startup", {"x": [1.0]})
    (tmp_path / "a/exit_code").unlink()
    assert read_results(tmp_path) == []
