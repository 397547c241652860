"""Measure several things in turns, A B A B, so that all of them see the same machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from projects.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing to measure; `measure` returns seconds for each case that it knows about."""

    name: str
    measure: Callable[[], Mapping[str, float]]
    may_fail: bool = False
    """A peer that fails is left out and reported; our own failure ends the measurement."""


@dataclass(slots=True)
class Samples:
    """Seconds by case, one for each round, and the probes that failed with their reason."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def alternate(
    probes: Sequence[Probe],
    *,
    rounds: int,
    warm_ups: int = 1,
    after_round: Callable[[int], None] = lambda _: None,
) -> Samples:
    """Run every probe once in each round; the first `warm_ups` rounds do not count.

    A probe that fails and may is not run again, and none of its samples is kept. `after_round`
    gets the number of rounds done, warm-ups included.
    """
    if rounds < 1 or warm_ups < 0:
        raise ConfigurationError(f"rounds is {rounds} and must be ≥ 1, warm_ups is {warm_ups}, ≥ 0")
    samples = Samples()
    cases_of: dict[str, set[str]] = {probe.name: set() for probe in probes}
    for done in range(warm_ups + rounds):
        for probe in probes:
            if probe.name in samples.failed:
                continue
            measured = _measure(probe, samples.failed)
            cases_of[probe.name].update(measured)
            if done >= warm_ups:
                for case, seconds in measured.items():
                    samples.seconds.setdefault(case, []).append(seconds)
        after_round(done + 1)
    for name in samples.failed:
        for case in cases_of[name]:
            samples.seconds.pop(case, None)
    return samples


def _measure(probe: Probe, failed: dict[str, str]) -> Mapping[str, float]:
    try:
        return probe.measure()
    except Exception as error:
        if not probe.may_fail:
            raise
        failed[probe.name] = f"{type(error).__name__}: {error}"
        return {}
