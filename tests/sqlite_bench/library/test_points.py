from __future__ import annotations

from typing import get_args

import pytest

from projects.core.errors import ConfigurationError
from projects.sqlite_bench.library.points import (
    SYNCHRONOUS_NUMBERS,
    JournalMode,
    Point,
    Synchronous,
    after_power_loss,
    expand,
    point_of,
)

KEPT = {
    ("delete", "extra"),
    ("truncate", "full"),
    ("truncate", "extra"),
    ("persist", "full"),
    ("persist", "extra"),
    ("wal", "full"),
    ("wal", "extra"),
}


def test_committed_transactions_are_kept_exactly_where_the_manual_promises_it() -> None:
    points = expand([*get_args(JournalMode)], [*get_args(Synchronous)], 1)
    kept = {(p.journal_mode, p.synchronous) for p in points if after_power_loss(p) == "kept"}
    assert len(points) == 24
    assert kept == KEPT


def test_a_write_ahead_log_without_waiting_at_each_commit_loses_the_last_ones_only() -> None:
    assert after_power_loss(Point("wal", "normal", 1)) == "last may be lost"


def test_the_removal_of_the_journal_may_be_undone_below_extra() -> None:
    assert after_power_loss(Point("delete", "full", 1)) == "last may be lost"


@pytest.mark.parametrize("synchronous", get_args(Synchronous))
def test_a_journal_in_memory_is_worth_nothing(synchronous: Synchronous) -> None:
    assert after_power_loss(Point("memory", synchronous, 1)) == "may be corrupt"
    assert after_power_loss(Point("off", synchronous, 1)) == "may be corrupt"


def test_every_level_has_the_number_by_which_sqlite_answers() -> None:
    assert set(SYNCHRONOUS_NUMBERS) == set(get_args(Synchronous))
    assert sorted(SYNCHRONOUS_NUMBERS.values()) == [0, 1, 2, 3]


def test_yaml_s_false_means_off() -> None:
    assert point_of(False, False, 1) == Point("off", "off", 1)


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match='"truncated"; did you mean "truncate"') as error:
        point_of("truncated", "full", 1)
    assert "persist" in str(error.value)
    with pytest.raises(ConfigurationError, match="synchronous level"):
        point_of("wal", "ful", 1)


@pytest.mark.parametrize("batch_size", [True, "10", 1.5, None])
def test_a_batch_size_is_a_whole_number(batch_size: object) -> None:
    with pytest.raises(ConfigurationError, match="a number of rows was expected"):
        point_of("wal", "full", batch_size)


def test_a_matrix_walks_its_last_axis_fastest_and_a_single_value_is_an_axis() -> None:
    assert expand(["wal", False], "full", [1, 10]) == [
        Point("wal", "full", 1),
        Point("wal", "full", 10),
        Point("off", "full", 1),
        Point("off", "full", 10),
    ]


def test_one_wrong_value_is_found_before_anything_is_measured() -> None:
    with pytest.raises(ConfigurationError, match='"wall"; did you mean "wal"'):
        expand(["delete", "wall"], "full", [1, 10])


def test_an_empty_axis_is_an_error_and_not_an_empty_success() -> None:
    with pytest.raises(ConfigurationError, match="empty list"):
        expand(["wal"], [], 1)
