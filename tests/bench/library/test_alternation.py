"""Turns, warm-ups, and contestants that fail."""

from __future__ import annotations

import pytest

from projects.bench.library.alternation import Probe, alternate
from projects.core.errors import ConfigurationError


class Recorder:
    """Probes that note when they had their turn."""

    def __init__(self) -> None:
        self.turns: list[str] = []

    def probe(self, name: str, *, fails_at: int | None = None) -> Probe:
        def measure() -> dict[str, float]:
            self.turns.append(name)
            turn = self.turns.count(name)
            if fails_at == turn:
                raise RuntimeError(f"turn {turn} of {name}")
            return {name: float(turn)}

        return Probe(name, measure, may_fail=fails_at is not None)


def test_everybody_has_a_turn_in_each_round() -> None:
    recorder = Recorder()
    samples = alternate([recorder.probe("a"), recorder.probe("b")], rounds=3, warm_ups=0)
    assert recorder.turns == ["a", "b"] * 3
    assert samples.seconds == {"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]}


def test_warm_ups_are_run_and_do_not_count() -> None:
    recorder = Recorder()
    samples = alternate([recorder.probe("a")], rounds=2, warm_ups=2)
    assert len(recorder.turns) == 4
    assert samples.seconds == {"a": [3.0, 4.0]}


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_peer_that_fails_is_left_out_from_then_on_and_named(turn: int) -> None:
    recorder = Recorder()
    probes = [recorder.probe("ours"), recorder.probe("peer", fails_at=turn)]
    samples = alternate(probes, rounds=3, warm_ups=1)
    assert recorder.turns.count("peer") == turn
    assert list(samples.seconds) == ["ours"]
    assert len(samples.seconds["ours"]) == 3
    assert samples.failed == {"peer": f"RuntimeError: turn {turn} of peer"}


def test_our_own_failure_ends_the_measurement() -> None:
    def measure() -> dict[str, float]:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        alternate([Probe("ours", measure)], rounds=1)


def test_progress_counts_all_rounds() -> None:
    done: list[int] = []
    alternate([Recorder().probe("a")], rounds=2, warm_ups=1, after_round=done.append)
    assert done == [1, 2, 3]


@pytest.mark.parametrize(("rounds", "warm_ups"), [(0, 0), (1, -1)])
def test_impossible_numbers_of_rounds_are_an_error(rounds: int, warm_ups: int) -> None:
    with pytest.raises(ConfigurationError, match="rounds"):
        alternate([], rounds=rounds, warm_ups=warm_ups)
