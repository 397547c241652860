"""What every history does: keep the payloads of runs, and give the values of a KPI back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - readers of the annotations need it
from typing import TYPE_CHECKING, Protocol

from projects.core.errors import UsageError
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projects.matrix_benchmarking.kpis.kpi import KpiValue
    from projects.matrix_benchmarking.kpis.payload import Payload
    from projects.matrix_benchmarking.results.result import Settings

MOST_POINTS = 10_000
"""Points of a series, unless a `limit` says otherwise."""


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """The values that one KPI had at one point of the matrix (`labels`), oldest first.

    All tuples have the length of `values`; times are in UTC; a fingerprint is as the payload had
    it, empty where there was none. `lower_better` and `unit` are those of the newest value.
    """

    name: str
    labels: Mapping[str, str]
    times: tuple[datetime, ...] = ()
    values: tuple[float, ...] = ()
    lower_better: bool = False
    unit: str = ""
    fingerprints: tuple[Settings, ...] = ()
    samples: tuple[tuple[float, ...], ...] = ()
    runs: tuple[str, ...] = ()
    test_uuids: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run: `results` of it are kept; `end` is that of the last one, in UTC."""

    run_id: str
    workload: str
    end: datetime
    results: int


class History(Protocol):
    """A place where payloads are kept, each once.

    Every method raises InfrastructureError, naming the place and the reason, when the world is in
    the way. Only passed results with a valid number are points of a series; curves, and what
    failed, are kept but are no points.
    """

    @property
    def address(self) -> str:
        """Where it is, for people."""

    def append(self, payloads: Sequence[Payload]) -> int:
        """Keep payloads; one with a known `test_uuid` is skipped. Return how many are new."""

    def series(
        self,
        kpi: str,
        labels: Mapping[str, str],
        *,
        workload: str = "",
        limit: int = MOST_POINTS,
    ) -> StoredSeries:
        """Return the newest `limit` values of a KPI with exactly these labels; none is no error."""

    def runs(self, *, workload: str = "", limit: int = 100) -> list[StoredRun]:
        """Return the newest runs, the newest first."""

    def next_build_index(self, identifier: str) -> int:
        """Return 1, 2, 3, … for each call with the same identifier, whoever calls."""

    def close(self) -> None:
        """Give back what is open."""


def series_key(workload: str, kpi: str, labels: Mapping[str, str]) -> str:
    """Return what names a series: the same for the same labels in any order, secrets masked."""
    text = json.dumps([workload, kpi, dict(sorted(labels.items()))], ensure_ascii=False)
    return masking.mask(text)


def points_of(payload: Payload) -> Iterator[tuple[KpiValue, float]]:
    """Yield the KPIs of a payload that are points of a series, with their values."""
    if payload.metadata.status != "passed":
        return
    for kpi in payload.kpis.values():
        if kpi.status == "valid" and isinstance(kpi.value, float):
            yield kpi, kpi.value


def check_limit(limit: int) -> int:
    """Return a limit of at least 1; UsageError otherwise."""
    if limit < 1:
        raise UsageError(f"limit={limit}: at least 1 is needed")
    return limit


@dataclass(frozen=True, slots=True)
class PointOfSeries:
    """One point while a series is put together."""

    time: datetime
    value: float
    lower_better: bool
    unit: str
    fingerprint: Settings
    samples: tuple[float, ...]
    run: str
    test_uuid: str


def assemble(kpi: str, labels: Mapping[str, str], points: Sequence[PointOfSeries]) -> StoredSeries:
    """Return the series of points in any order."""
    ordered = sorted(points, key=lambda point: (point.time, point.test_uuid))
    return StoredSeries(
        name=kpi,
        labels=dict(labels),
        times=tuple(point.time for point in ordered),
        values=tuple(point.value for point in ordered),
        lower_better=ordered[-1].lower_better if ordered else False,
        unit=ordered[-1].unit if ordered else "",
        fingerprints=tuple(point.fingerprint for point in ordered),
        samples=tuple(point.samples for point in ordered),
        runs=tuple(point.run for point in ordered),
        test_uuids=tuple(point.test_uuid for point in ordered),
    )


def point_of(payload: Payload, kpi: KpiValue, value: float) -> PointOfSeries:
    """Return the point that a KPI of a payload is."""
    return PointOfSeries(
        time=payload.metadata.end,
        value=value,
        lower_better=kpi.lower_better,
        unit=kpi.unit,
        fingerprint=payload.metadata.fingerprint,
        samples=tuple(kpi.samples),
        run=payload.metadata.run_id,
        test_uuid=str(payload.metadata.test_uuid),
    )


def summarise(payloads: Sequence[tuple[str, str, datetime]], limit: int) -> list[StoredRun]:
    """Return the runs of (run id, workload, end) of payloads, the newest first."""
    runs: dict[tuple[str, str], StoredRun] = {}
    for run_id, workload, end in payloads:
        known = runs.get((run_id, workload), StoredRun(run_id, workload, end, 0))
        newest = max(known.end, end)
        runs[run_id, workload] = StoredRun(run_id, workload, newest, known.results + 1)
    ordered = sorted(runs.values(), key=lambda run: (run.end, run.run_id), reverse=True)
    return ordered[:limit]
