"""The verdict on a run: every KPI beside its history, all of them together."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal

from projects.matrix_benchmarking.verdict import explain
from projects.matrix_benchmarking.verdict.detect import DEFAULT, detect
from projects.matrix_benchmarking.verdict.difference import PER_WAITING, excess, strayed
from projects.matrix_benchmarking.verdict.fdr import discoveries
from projects.matrix_benchmarking.verdict.fresh import (
    LEAST_BEFORE,
    Fresh,
    Kind,
    Levels,
    established,
    last_change,
)
from projects.matrix_benchmarking.verdict.level import Level, Run
from projects.matrix_benchmarking.verdict.noise import Scale, noise_floor, run_noise
from projects.matrix_benchmarking.verdict.series import Point, Series, moment
from projects.matrix_benchmarking.verdict.standing import Standing, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from projects.matrix_benchmarking.verdict.acknowledgement import Acknowledgement
    from projects.matrix_benchmarking.verdict.change import Change

Status = Literal[
    "ok",
    "regression",
    "improvement",
    "no history",
    "not comparable",
    "invalid",
    "acknowledged",
]

LEAST_EFFECT = 0.02
"""A change by less, a share of the level, is nothing that anybody would act on."""

_NEAR = 3
"""An acknowledgement is about a change found up to so many runs beside its `since`."""

_SAME_PRESSURE = 0.15
_LARGEST = 1e150
_SEEN = 0.05  # p-value; of a change that somebody has acknowledged, no more proof is needed


@dataclass(frozen=True, slots=True)
class Rules:
    """How to judge.

    `detectors` and `floors` are by the name of the KPI. A floor is the deviation of runs of
    unchanged software (A/A), a share of the level: no run is taken to be quieter, and no effect
    below it is reported. Nor is one below `least_effect`.
    """

    detector: str = DEFAULT
    options: Mapping[str, Any] = field(default_factory=dict)
    detectors: Mapping[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    fdr: float = 0.01
    any_dependence: bool = False
    least_effect: float = LEAST_EFFECT
    least_history: int = LEAST_BEFORE
    floors: Mapping[str, float] = field(default_factory=dict)
    improvement_runs: int = 10
    """Runs for which an improvement is reported; a regression stays until acknowledged."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one KPI.

    `change.index` counts the points of the given series in their order of time, the judged one
    after them. `baseline` is the level that the value was compared with, `noise_floor` the share
    of it that runs stray by anyway; `runs_ago` of the change is 0 in the judged run.
    """

    kpi: str
    labels: Mapping[str, str]
    status: Status
    sentence: str
    value: float
    change: Change | None = None
    interval: tuple[float, float] | None = None
    first_seen: datetime | None = None
    runs_ago: int | None = None
    baseline: float | None = None
    noise_floor: float | None = None
    p_value: float | None = None
    detector: str = DEFAULT


@dataclass(slots=True)
class _Case:
    """One KPI on its way to a verdict; `places` are the points' indexes in the whole series."""

    series: Series
    new: Point
    points: list[Point]
    places: list[int]
    scale: Scale
    runs: list[Run]
    floor: float
    detector: str
    per_waiting: float = PER_WAITING
    starts: list[int] = field(default_factory=list)
    fresh: Fresh | None = None
    accepted: int = 0
    acknowledgement: Acknowledgement | None = None
    note: str = ""
    known: dict[tuple[int, int], Level] = field(default_factory=dict)

    @property
    def levels(self) -> Levels:
        """The runs, parted where a level begins."""
        return Levels(self.runs, self.starts, self.per_waiting, self.known)


def judge(
    values: Iterable[tuple[Series, Point]],
    rules: Rules | None = None,
    acknowledgements: Sequence[Acknowledgement] = (),
    today: date | None = None,
) -> list[Judgement]:
    """Return the verdict on every value of a run, each given with the series of earlier runs.

    Only earlier runs of the same fingerprint count, or of one that is unknown. Changes that were
    established earlier and still stand are reported as well as those of the last runs; of the
    latter, together, at most a share of `rules.fdr` is false. `today` (the day of the value,
    unless given) decides which acknowledgements have expired.

    Raises
    ------
    ConfigurationError
        A rule names a detector that does not exist, or an option it does not have.

    """
    rules = rules or Rules()
    prepared = [_prepare(series, new, rules, acknowledgements, today) for series, new in values]
    cases = [case for case in prepared if isinstance(case, _Case)]
    kinds = _kinds(cases)
    for case in cases:
        _establish(case, kinds[case.series.name], rules.fdr / len(cases) / len(case.runs))
    kinds = _kinds(cases)
    for case in cases:
        if case.detector == DEFAULT:
            case.fresh = last_change(case.levels, kinds[case.series.name], case.floor)
    counted = discoveries(
        [case.fresh.p_value if case.fresh else 1.0 for case in cases],
        rules.fdr,
        any_dependence=rules.any_dependence,
    )
    for case, counts in zip(cases, counted, strict=True):
        if case.fresh and counts:
            case.starts.append(case.fresh.index)
    kinds = _kinds(cases)
    return [
        _decide(case, kinds[case.series.name], rules) if isinstance(case, _Case) else case
        for case in prepared
    ]


def _kinds(cases: Sequence[_Case]) -> dict[str, Kind]:
    """Return the series of each name: throughput at every point of the matrix is one kind."""
    names = dict.fromkeys(case.series.name for case in cases)
    return {
        name: Kind([case.levels for case in cases if case.series.name == name]) for name in names
    }


def exit_status(judgements: Iterable[Judgement], *, require_history: bool = False) -> int:
    """Return 1 for a regression, else 2 for an invalid value, else 3 when history is required.

    The latter if any value has none, or none that is comparable.
    """
    statuses = {judgement.status for judgement in judgements}
    if "regression" in statuses:
        return 1
    if "invalid" in statuses:
        return 2
    if require_history and (not statuses or statuses & {"no history", "not comparable"}):
        return 3
    return 0


def _prepare(
    series: Series,
    new: Point,
    rules: Rules,
    acknowledgements: Sequence[Acknowledgement],
    today: date | None,
) -> _Case | Judgement:
    what = explain.subject(series.name, series.labels)
    if not _measured(new.value):
        return _without(series, new, "invalid", f"{what} is {new.value}, which is no measurement")
    at = moment(new.time)
    earlier = [
        (place, point)
        for place, point in enumerate(series.points)
        if _measured(point.value) and point.time <= at and not (new.run and point.run == new.run)
    ]
    usable = [pair for pair in earlier if _comparable(pair[1], new)]
    if len(usable) < rules.least_history:
        return _too_few(series, new, len(earlier), len(usable), rules.least_history)
    most = _most_pressure(usable, rules.least_history)
    quiet = [pair for pair in usable if pair[1].pressure <= most]
    points = [*(point for _, point in quiet), new]
    scale = Scale.of(point.value for point in points)
    name, options = rules.detectors.get(series.name, (rules.detector, rules.options))
    case = _Case(
        series=series,
        new=new,
        points=points,
        places=[*(place for place, _ in quiet), len(series.values)],
        scale=scale,
        runs=[scale.run(point) for point in points],
        floor=rules.floors.get(series.name, 0.0),
        detector=name,
    )
    busy = [point for _, point in usable if point.pressure > most]
    if busy and (scale.unit or min(point.value for point in busy) > 0):
        case.per_waiting = strayed(Level(case.runs[:-1]), [scale.run(point) for point in busy])
    case.starts = [change.index for change in detect([p.value for p in points], name, **options)]
    _acknowledge(case, acknowledgements, today or at.astimezone(UTC).date())
    return case


def _most_pressure(pairs: Sequence[tuple[int, Point]], least: int) -> float:
    """Return the pressure of a quiet machine: as a quarter of the runs had, or `least` of them."""
    pressures = sorted(point.pressure for _, point in pairs)
    usual = pressures[(len(pressures) - 1) // 4] + _SAME_PRESSURE
    return max(usual, pressures[max(least, 1) - 1])


def _measured(value: float) -> bool:
    """Return whether it can be a measurement; beyond the limit squares leave what a float holds."""
    return math.isfinite(value) and abs(value) <= _LARGEST


def _comparable(point: Point, new: Point) -> bool:
    known = point.fingerprint and new.fingerprint
    return not known or point.fingerprint == new.fingerprint


def _too_few(series: Series, new: Point, earlier: int, usable: int, least: int) -> Judgement:
    what = explain.subject(series.name, series.labels)
    if earlier >= least:
        said = f"{usable} of {earlier} earlier runs were" if usable else "no earlier run was"
        sentence = f"{what}: {said} in this environment, {least} are needed to compare"
        return _without(series, new, "not comparable", sentence)
    said = f"{usable or 'no'} earlier run{'s' if usable != 1 else ''}"
    return _without(series, new, "no history", f"{what}: {said}, {least} are needed to compare")


def _without(series: Series, new: Point, status: Status, sentence: str) -> Judgement:
    return Judgement(series.name, series.labels, status, sentence, new.value)


def _acknowledge(case: _Case, acknowledgements: Sequence[Acknowledgement], today: date) -> None:
    """Note the latest acknowledgement of the series, and what it accepts."""
    about = [a for a in acknowledgements if a.covers(case.series.name, case.series.labels)]
    for each in sorted(about, key=lambda a: a.since):
        start = sum(1 for point in case.points if point.time < each.since)
        if start == len(case.points):
            continue
        if each.expired(today):
            case.note = f"; its acknowledgement expired on {each.expires}"
            continue
        case.acknowledgement, case.accepted, case.note = each, start, ""


def _establish(case: _Case, kind: Kind, most: float) -> None:
    """Keep the changes that noise is no reason for, and the one that somebody has accepted."""
    if case.detector == DEFAULT:
        case.starts = established(case.levels, kind, most, case.floor)
    if case.acknowledgement and case.accepted:
        fresh = last_change(case.levels, kind, case.floor)
        seen = [*case.starts, *([fresh.index] if fresh and fresh.p_value < _SEEN else [])]
        near = [start for start in seen if abs(start - case.accepted) <= _NEAR]
        # One that cannot be seen is where it was said to be.
        case.accepted = max(near, default=case.accepted)
        case.starts = sorted({*case.starts, case.accepted})


def _decide(case: _Case, kind: Kind, rules: Rules) -> Judgement:
    series = case.series
    scatter = kind.scatter() if case.detector == DEFAULT else None
    noise = run_noise(case.levels.parted(), scatter, case.floor)
    state = standing(
        case.levels,
        noise,
        case.scale,
        lower_better=series.lower_better,
        least_effect=max(rules.least_effect, case.floor),
        accepted=case.accepted if case.acknowledgement else 0,
    )
    floor = noise_floor(state.level, noise, case.scale)
    last = len(case.points) - 1
    if state.worse:
        return _reported(case, floor, state.worse, "regression")
    if state.better and last - state.better.index < rules.improvement_runs:
        return _reported(case, floor, state.better, "improvement")
    return _quiet(case, state, floor)


def _reported(case: _Case, floor: float, change: Change, status: Status) -> Judgement:
    series, point = case.series, case.points[change.index]
    runs_ago = len(case.points) - 1 - change.index
    sentence = explain.moved(
        explain.subject(series.name, series.labels),
        change,
        point,
        runs_ago=runs_ago,
        noise_floor=floor,
        better=status == "improvement",
    )
    searched = case.fresh.p_value if case.fresh and case.fresh.index == change.index else None
    return Judgement(
        kpi=series.name,
        labels=series.labels,
        status=status,
        sentence=sentence + case.note,
        value=case.new.value,
        change=change.moved(case.places[change.index]),
        interval=change.interval,
        first_seen=moment(point.time),
        runs_ago=runs_ago,
        baseline=change.before,
        noise_floor=floor,
        p_value=change.p_value if searched is None else searched,
        detector=case.detector,
    )


def _quiet(case: _Case, state: Standing, floor: float) -> Judgement:
    series, ack = case.series, case.acknowledgement
    what = explain.subject(series.name, series.labels)
    status: Status = "ok"
    sentence = f"{what} is as before; noise floor {explain.percent(floor)}"
    if excess(Level(case.runs[:-1]), Level(case.runs[-1:])):
        status = "not comparable"
        usual = statistics.median(run.pressure for run in case.runs[:-1])
        sentence = explain.disturbed(what, case.new.pressure, usual)
    elif ack and case.accepted > 0:
        status = "acknowledged"
        sentence = (
            f"{what} changed on {ack.since:%Y-%m-%d}, acknowledged until {ack.expires}: "
            f"{ack.reason}"
        )
    return Judgement(
        kpi=series.name,
        labels=series.labels,
        status=status,
        sentence=sentence,
        value=case.new.value,
        baseline=case.scale.back(state.level),
        noise_floor=floor,
        p_value=case.fresh.p_value if case.fresh else None,
        detector=case.detector,
    )
