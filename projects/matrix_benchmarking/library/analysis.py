"""From a directory of results to payloads, history and judgements: one path for run and replot."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from projects.core.artifacts import journal
from projects.core.errors import NoResults
from projects.matrix_benchmarking.kpis import payload as payloads_of
from projects.matrix_benchmarking.kpis.kpi import find_kpis
from projects.matrix_benchmarking.reports.judged import Judged
from projects.matrix_benchmarking.results.load import load
from projects.matrix_benchmarking.results.matrix import Matrix
from projects.matrix_benchmarking.results.parser import find_parser, workload_package
from projects.matrix_benchmarking.verdict.fingerprint import identity, pressure_of
from projects.matrix_benchmarking.verdict.series import Point, Series

if TYPE_CHECKING:
    from pathlib import Path

    from projects.matrix_benchmarking.history.history import History, StoredSeries
    from projects.matrix_benchmarking.kpis.kpi import KpiValue
    from projects.matrix_benchmarking.kpis.payload import Payload
    from projects.matrix_benchmarking.results.load import CacheUse
    from projects.matrix_benchmarking.results.result import Collection, Settings
    from projects.matrix_benchmarking.verdict.acknowledgement import Acknowledgement
    from projects.matrix_benchmarking.verdict.judge import Rules

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parsed:
    """What was found below a directory: results, and a payload for each that could be read."""

    collection: Collection
    matrix: Matrix
    payloads: tuple[Payload, ...]

    @property
    def values(self) -> list[KpiValue]:
        """Every KPI value, in the order of the results."""
        return [value for payload in self.payloads for value in payload.kpis.values()]

    def filtered(self, text: str) -> tuple[Payload, ...]:
        """Return the payloads of the results that a filter `k=v1:v2,k2=v` lets through."""
        kept = {result.test_uuid for result in self.matrix.filter(text)}
        return tuple(p for p in self.payloads if p.metadata.test_uuid in kept)


@dataclass(frozen=True)
class Baseline:
    """What values are judged against: a history, and how.

    `fingerprint_keys`: where results have to agree to be comparable; None means in every key.
    """

    history: History
    rules: Rules | None = None
    acknowledgements: tuple[Acknowledgement, ...] = ()
    fingerprint_keys: tuple[str, ...] | None = None


def parse(directory: Path, workload: str, *, cache: CacheUse = "verify") -> Parsed:
    """Return the results below `directory` as the workload's parser and KPIs read them.

    Errors
    ------
    ConfigurationError
        There is no such workload, parser or KPIs.
    NoResults
        No result at all could be read, with the first reason if there is one.
    """
    parser, kpis = find_parser(workload), find_kpis(workload)
    with journal.span("step", "parse"):
        collection = load(directory, parser, cache=cache)
        matrix = Matrix.of(collection.results).sort()
        made = payloads_of.build_all(matrix.results, kpis, workload=workload_package(workload))
    _log.info("%s: %d results, %d of them parsed", directory, len(collection.results), len(matrix))
    for finding in collection.findings[:20]:
        _log.warning("%s: %s", finding.directory, finding.message)
    if not made:
        first = collection.findings[0] if collection.findings else None
        why = f"; {first.message}" if first else ""
        if first and str(first.directory) not in first.message:
            why = f"; {first.directory}: {first.message}"
        raise NoResults(f"{directory}: no result below it can be read{why}")
    return Parsed(collection, matrix, tuple(made))


def judge_all(parsed: Parsed, baseline: Baseline | None) -> list[Judged]:
    """Return every KPI value with its history and its judgement; without a baseline, bare.

    Of the history counts what was measured before, and nothing of these results themselves: a
    replot of an old run is judged as it was on its day.

    Errors
    ------
    InfrastructureError
        The history cannot be read.
    """
    if baseline is None:
        return [Judged(value) for value in parsed.values]
    from projects.matrix_benchmarking.verdict.judge import judge

    mine = {str(payload.metadata.test_uuid) for payload in parsed.payloads}
    with journal.span("step", "judge"):
        found = [
            (value, *_beside_history(payload, value, baseline, mine))
            for payload in parsed.payloads
            for value in payload.kpis.values()
        ]
        counted = [(series, point) for _, series, point in found if series and point]
        judgements = iter(judge(counted, baseline.rules, baseline.acknowledgements))
    return [
        Judged(value, series, next(judgements) if series and point else None)
        for value, series, point in found
    ]


def _beside_history(
    payload: Payload, value: KpiValue, baseline: Baseline, mine: set[str]
) -> tuple[Series | None, Point | None]:
    """Return the earlier values of a KPI, and the new one if it is to be judged."""
    metadata, keys = payload.metadata, baseline.fingerprint_keys
    if isinstance(value.value, list):
        return None, None
    stored = baseline.history.series(value.name, value.labels, workload=metadata.workload)
    series = _series(stored, value, mine, keys)
    if value.value is None or value.ignored_for_regression or metadata.exit_code:
        return series, None
    point = Point(
        time=value.timestamp,
        value=value.value,
        fingerprint=_identity(metadata.fingerprint, keys),
        samples=tuple(value.samples),
        run=_name(metadata.run_id),
        pressure=pressure_of(metadata.fingerprint),
    )
    return series, point


def _series(
    stored: StoredSeries, value: KpiValue, mine: set[str], keys: tuple[str, ...] | None
) -> Series:
    places = [
        place
        for place, (time, uuid) in enumerate(zip(stored.times, stored.test_uuids, strict=True))
        if time <= value.timestamp and uuid not in mine
    ]
    return Series(
        value.name,
        tuple(stored.times[place] for place in places),
        tuple(stored.values[place] for place in places),
        value.lower_better,
        value.labels,
        tuple(_identity(stored.fingerprints[place], keys) for place in places),
        value.unit,
        tuple(stored.samples[place] for place in places),
        tuple(_name(stored.runs[place]) for place in places),
        tuple(pressure_of(stored.fingerprints[place]) for place in places),
    )


def _name(run: str) -> str:
    """Return what to call a run: nothing where its id is only the moment of its start."""
    try:
        datetime.fromisoformat(run)
    except ValueError:
        return run
    return ""


def _identity(fingerprint: Settings, keys: tuple[str, ...] | None) -> str:
    return identity(fingerprint, sorted(fingerprint) if keys is None else keys)
