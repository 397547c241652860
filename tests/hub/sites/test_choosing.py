from __future__ import annotations

import pytest

from projects.hub.sites.choosing import Candidate, NoneCan, choose

BUSY = Candidate("busy", {"sort", "scan"}, running=2, waiting=6, capacity=2)
LARGE = Candidate("large", {"sort"}, running=4, waiting=4, capacity=16)
IDLE = Candidate("idle", {"scan"}, running=0, waiting=0, capacity=1)


def test_the_least_busy_one_that_has_the_tool_is_taken() -> None:
    assert choose([BUSY, LARGE, IDLE], {"sort"}) == "large"
    assert choose([BUSY, LARGE, IDLE], {"scan"}) == "idle"
    assert choose([BUSY, LARGE, IDLE], {"scan", "sort"}) == "busy"


def test_of_equal_ones_the_first_by_name_is_taken() -> None:
    twins = [Candidate(name, {"sort"}, 0, 0, 4) for name in ("b", "a", "c")]
    assert choose(twins, ["sort"]) == "a"


def test_one_that_says_it_has_no_places_is_no_mistake() -> None:
    assert choose([Candidate("odd", {"sort"}, 0, 0, 0)], ["sort"]) == "odd"


def test_nobody_can() -> None:
    with pytest.raises(NoneCan, match="no satellite has fly; asked: busy, large"):
        choose([BUSY, LARGE], ["fly"])
    with pytest.raises(NoneCan, match="no satellite is online"):
        choose([], ["fly"])
