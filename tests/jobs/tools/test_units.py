from __future__ import annotations

from typing import Any

import pytest

from projects.jobs.tools import units
from projects.jobs.tools.texts import Invalid


@pytest.mark.parametrize(
    ("given", "size"),
    [(1, 1), ("512", 512), ("2GiB", 2 * 1024**3), ("1.5 kB", 1500), ("3m", 3 * 1000**2),
     ("1TiB", 1024**4), ("7 b", 7)],
)  # fmt: skip
def test_sizes(given: Any, size: int) -> None:
    assert units.size(given) == size


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(90, 90), (0.5, 0.5), ("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2 d", 172800),
     ("500ms", 0.5), ("10 min", 600), ("1h 5s", 3605)],
)  # fmt: skip
def test_times(given: Any, seconds: float) -> None:
    assert units.seconds(given) == seconds


@pytest.mark.parametrize("given", [0, -1, True, None, "", "x", "1 2", "-1s", "2GiBs", [], 1e300,
                                   float("nan"), float("inf"), "9" * 400])  # fmt: skip
def test_nothing_else(given: Any) -> None:
    with pytest.raises(Invalid, match="is not a size"):
        units.size(given)
    if given != "1 2":
        with pytest.raises(Invalid, match="is not a time"):
            units.seconds(given)
