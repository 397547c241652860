"""A satellite that runs, for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.satellite.live import Live


@pytest.fixture(scope="module")
def satellite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    live = Live(tmp_path_factory.mktemp("satellite"), "--parallel_submissions=3")
    try:
        live.start()
        yield live
    finally:
        live.end()
