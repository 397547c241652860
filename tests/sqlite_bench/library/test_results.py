from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from projects.core.errors import InfrastructureError, UsageError
from projects.sqlite_bench.library.results import find_results, result_directory, write_numbers

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = {"journal_mode": "off", "synchronous": "full", "batch_size": 10}


def make_result(directory: Path, **numbers: float) -> None:
    directory.mkdir(parents=True)
    with result_directory(directory, SETTINGS):
        write_numbers(directory, numbers)


def test_what_was_written_is_found(tmp_path: Path) -> None:
    make_result(tmp_path / "000__a", rows_per_second=1e-7)
    (found,) = find_results(tmp_path)
    assert found.settings == SETTINGS
    assert found.numbers == {"rows_per_second": 1e-7}
    assert (found.exit_code, found.directory) == (0, tmp_path / "000__a")


def test_off_stays_a_word_in_the_settings(tmp_path: Path) -> None:
    make_result(tmp_path / "a")
    assert "journal_mode: 'off'" in (tmp_path / "a" / "settings.yaml").read_text()


def test_results_are_found_in_the_order_of_their_directories(tmp_path: Path) -> None:
    for name in ("002__c", "000__a", "001__b/000__deep"):
        make_result(tmp_path / name)
    names = [str(found.directory.relative_to(tmp_path)) for found in find_results(tmp_path)]
    assert names == ["000__a", "001__b/000__deep", "002__c"]


def test_a_failure_leaves_its_exit_code_and_no_numbers(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError), result_directory(tmp_path, SETTINGS):
        raise InfrastructureError("refused")
    (found,) = find_results(tmp_path)
    assert found.exit_code == 2
    assert found.numbers == {}


def test_an_interruption_is_an_exit_code_too(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), result_directory(tmp_path, SETTINGS):
        raise KeyboardInterrupt
    assert (tmp_path / "exit_code").read_text() == "130\n"


def test_a_measurement_that_never_ended_is_no_result(tmp_path: Path) -> None:
    make_result(tmp_path / "a")
    (tmp_path / "a" / "exit_code").unlink()
    assert find_results(tmp_path) == []
    (tmp_path / "a" / "exit_code").write_text("")
    assert find_results(tmp_path) == []


@pytest.mark.parametrize(("name", "text"), [("settings.yaml", "a: ["), ("results.json", "{")])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, text: str) -> None:
    make_result(tmp_path / "a")
    (tmp_path / "a" / name).write_text(text)
    with pytest.raises(UsageError, match=f"{name} cannot be read"):
        find_results(tmp_path)


def test_settings_that_are_no_mapping_are_named(tmp_path: Path) -> None:
    make_result(tmp_path / "a")
    (tmp_path / "a" / "settings.yaml").write_text("- 1\n")
    with pytest.raises(UsageError, match="a mapping was expected, this is list"):
        find_results(tmp_path)


def test_a_number_that_is_none_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_numbers(tmp_path, {"rows_per_second": float("nan")})
