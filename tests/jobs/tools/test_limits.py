from __future__ import annotations

from typing import Any

import pytest

from projects.core.errors import UsageError
from projects.jobs.tools.limits import Limits, read_limits


def test_limits_of_a_submission_are_read() -> None:
    limits = read_limits({"memory": "1GiB", "cpus": 2, "files": None, "cpu_seconds": "5m"})
    assert limits.given() == {"memory": 1024**3, "cpus": 2, "cpu_seconds": 300}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"memry": 1}, 'unknown limit "memry"; did you mean "memory"'),
        ({"memory": "much"}, 'limits.memory: "much" is not a size'),
        ({"files": 0}, "limits.files: 0 is not a whole number from 1"),
        ({"processes": 1.5}, "limits.processes: 1.5 is not a whole number"),
        ({"cpus": 0}, "limits.cpus: 0 is not a number of processors"),
    ],
)
def test_what_is_none_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_limits(given)


def test_a_submission_can_only_ask_for_less() -> None:
    spec = Limits(memory=100, files=10)
    assert spec.tightened(Limits(memory=200, files=5, cpus=1)) == Limits(100, 1, files=5)
