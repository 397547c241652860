import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.jobs.model import moment


def test_a_moment_is_shown_in_utc_with_microseconds() -> None:
    assert moment.iso(1_590_512_842_844_929) == "2020-05-26T17:07:22.844929Z"
    assert moment.iso(0) == "1970-01-01T00:00:00.000000Z"


@given(st.integers(0, 4_000_000_000_000_000))
def test_every_moment_comes_back(at: int) -> None:
    assert moment.parse_iso(moment.iso(at)) == at


def test_a_zone_counts_and_none_is_utc() -> None:
    assert moment.parse_iso("2020-05-26T19:07:22+02:00") == moment.parse_iso("2020-05-26 17:07:22")


def test_what_is_no_date_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        moment.parse_iso("yesterday")


def test_a_clock_that_is_set_back_does_not_go_back_here(monkeypatch: pytest.MonkeyPatch) -> None:
    first = moment.now()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000)
    assert moment.now() >= first
