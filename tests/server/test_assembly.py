"""The parts of a server, put together."""

from __future__ import annotations

import resource

import pytest

from projects.server.app.assembly import most_streams


@pytest.mark.parametrize(
    ("files", "most"), [(1024, 256), (65_536, 1000), (resource.RLIM_INFINITY, 1000), (3, 0)]
)
def test_streams_leave_half_of_the_files_to_jobs_and_others(files: int, most: int) -> None:
    assert most_streams(files) == most
