"""Two runs side by side: what differs in configuration and environment, KPIs, durations."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.reports.judged import point, varying
from projects.matrix_benchmarking.verdict.judge import LEAST_EFFECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.matrix_benchmarking.kpis.kpi import KpiValue
    from projects.matrix_benchmarking.reports.runs import RunFacts

MISSING = "(not there)"
"""Stands for a value that one of the two does not have."""

FEWEST_SAMPLES = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """A key whose value is not the same; `None` means that the value is null."""

    key: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class KpiPair:
    """One KPI at one point, in both runs.

    `clear` tells whether the middle halves of the samples lie apart and the change is one that the
    verdict would report, too; None without samples.
    """

    name: str
    where: str
    labels: Mapping[str, str]
    a: KpiValue | None
    b: KpiValue | None

    @property
    def change(self) -> float | None:
        """B relative to A, None where one of them is missing, invalid, a curve, or A is 0."""
        a, b = (_number(value) for value in (self.a, self.b))
        return None if a is None or b is None or not a else (b - a) / abs(a)

    @property
    def better(self) -> bool | None:
        """Whether B is better, None without a change."""
        either = self.b or self.a
        if not self.change or either is None:
            return None
        return (self.change < 0) == either.lower_better

    @property
    def clear(self) -> bool | None:
        """Whether the quartiles of the samples lie apart, and the change is worth telling."""
        a, b = (value.samples if value else [] for value in (self.a, self.b))
        if min(len(a), len(b)) < FEWEST_SAMPLES:
            return None
        (a1, _, a3), (b1, _, b3) = (
            statistics.quantiles(v, n=4, method="inclusive") for v in (a, b)
        )
        return (a3 < b1 or b3 < a1) and (self.change is None or abs(self.change) >= LEAST_EFFECT)


@dataclass(frozen=True, slots=True)
class Duration:
    """One command in both runs; seconds, None where it did not run."""

    name: str
    a: float | None
    b: float | None
    outcome_a: str
    outcome_b: str

    @property
    def change(self) -> float | None:
        """B relative to A."""
        return (
            None if self.a is None or self.b is None or not self.a else (self.b - self.a) / self.a
        )


@dataclass(frozen=True)
class Comparison:
    """Run A and run B; `configuration` and `environment` hold only what differs."""

    a: RunFacts
    b: RunFacts
    configuration: tuple[Difference, ...]
    environment: tuple[Difference, ...]
    kpis: tuple[KpiPair, ...]
    durations: tuple[Duration, ...]


def compare(a: RunFacts, b: RunFacts) -> Comparison:
    """Compare two runs."""
    return Comparison(
        a,
        b,
        _differences(a.configuration, b.configuration),
        _differences(a.environment, b.environment),
        _kpis(a, b),
        _durations(a, b),
    )


def _differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Difference, ...]:
    keys = dict.fromkeys((*a, *b))
    pairs = ((key, a.get(key, MISSING), b.get(key, MISSING)) for key in keys)
    return tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])


def _kpis(a: RunFacts, b: RunFacts) -> tuple[KpiPair, ...]:
    left, right = (_by_point(run) for run in (a, b))
    every = {**left, **right}
    names = varying(value.labels for value in every.values())
    return tuple(
        KpiPair(value.name, point(value.labels, names), value.labels, left.get(key), right.get(key))
        for key, value in sorted(every.items(), key=lambda item: item[1].name)
    )


def _by_point(run: RunFacts) -> dict[tuple[str, tuple[tuple[str, str], ...]], KpiValue]:
    values = (value for payload in run.payloads for value in payload.kpis.values())
    return {(value.name, tuple(sorted(value.labels.items()))): value for value in values}


def _durations(a: RunFacts, b: RunFacts) -> tuple[Duration, ...]:
    found = []
    for name in dict.fromkeys((*a.commands, *b.commands)):
        left, right = a.commands.get(name), b.commands.get(name)
        found.append(
            Duration(
                name,
                left.seconds if left else None,
                right.seconds if right else None,
                left.outcome if left else "",
                right.outcome if right else "",
            )
        )
    return tuple(found)


def _number(value: KpiValue | None) -> float | None:
    return float(value.value) if value and isinstance(value.value, int | float) else None
