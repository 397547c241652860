"""What the command line says of artifacts."""

from __future__ import annotations

from typing import Any

import pytest

from projects.core.errors import UsageError
from projects.server.app.storage import read

PLAIN: dict[str, Any] = {
    "apps": ["hub"],
    "hub_quota": "",
    "user_quota": "",
    "keep_artifacts_days": None,
    "keep_artifacts_last": 10,
}


def test_sizes_are_written_as_people_write_them() -> None:
    kept = read(**{**PLAIN, "hub_quota": "2TiB", "user_quota": "500 MB", "keep_artifacts_days": 90})
    assert kept == {
        "hub_quota": 2 << 40,
        "user_quota": 500_000_000,
        "keep_artifacts_days": 90,
        "keep_artifacts_last": 10,
    }
    assert read(**PLAIN)["hub_quota"] is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hub_quota": "much"}, "--hub_quota=much: .*is not a size"),
        ({"user_quota": "-1"}, "--user_quota=-1: .*is not a size"),
        ({"keep_artifacts_days": 0}, "--keep_artifacts_days=0: above 0"),
        ({"keep_artifacts_days": float("nan")}, "above 0"),
        ({"keep_artifacts_days": 1e9}, "up to 36600"),
        ({"keep_artifacts_last": -1}, "0 or more"),
        ({"hub_quota": "1GB", "apps": ["satellite"]}, "--apps=satellite leaves out"),
    ],
)
def test_what_is_wrong_is_said_with_the_option(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(**{**PLAIN, **given})
