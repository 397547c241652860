"""The values that one KPI had in run after run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Point:
    """What one run measured of a KPI: `value` in the KPI's unit.

    `samples` are the repetitions within the run that the value is made of, if there are any;
    an empty fingerprint is one that nobody took. `pressure` is the share of the time in which work
    waited for a processor.
    """

    time: datetime
    value: float
    fingerprint: str = ""
    samples: tuple[float, ...] = ()
    run: str = ""
    pressure: float = 0.0


@dataclass(frozen=True, slots=True)
class Series:
    """The values of a KPI at one point of the matrix (`labels`), a run each.

    `fingerprints`, `samples`, `runs` and `pressures` are as long as `values`, or empty where
    nobody knows. Times without a zone are UTC. They may be out of order; `points` sorts them.
    """

    name: str
    times: tuple[datetime, ...]
    values: tuple[float, ...]
    lower_better: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    fingerprints: tuple[str, ...] = ()
    unit: str = ""
    samples: tuple[tuple[float, ...], ...] = ()
    runs: tuple[str, ...] = ()
    pressures: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        length = len(self.values)
        if len(self.times) != length:
            raise ValueError(f"{self.name}: {length} values and {len(self.times)} times")
        for what in ("fingerprints", "samples", "runs", "pressures"):
            given = len(getattr(self, what))
            if given not in (0, length):
                raise ValueError(f"{self.name}: {length} values and {given} {what}")

    @property
    def points(self) -> list[Point]:
        """The points, oldest first; those of the same moment in their order."""
        length = len(self.values)
        rows = zip(
            self.times,
            self.values,
            self.fingerprints or ("",) * length,
            self.samples or ((),) * length,
            self.runs or ("",) * length,
            self.pressures or (0.0,) * length,
            strict=True,
        )
        points = [Point(moment(time), *rest) for time, *rest in rows]
        return sorted(points, key=lambda point: point.time)


def moment(time: datetime) -> datetime:
    """Return `time` with a zone: UTC where it has none."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)
