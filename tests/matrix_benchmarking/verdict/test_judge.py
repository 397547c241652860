"""A run beside its history: caught when it is slow, left alone when it is not."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.matrix_benchmarking.verdict.acknowledgement import Acknowledgement
from projects.matrix_benchmarking.verdict.judge import Judgement, Rules, exit_status, judge
from projects.matrix_benchmarking.verdict.series import Point, Series

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
LABELS = {"journal_mode": "wal", "rows": "100"}


def points(levels: list[float], seed: int, noise: float = 0.02, samples: int = 3) -> list[Point]:
    """Return runs a day apart; noise between the runs and as much within."""
    rng = np.random.default_rng(seed)
    made = []
    for number, level in enumerate(levels):
        run = level * (1 + noise * rng.standard_normal())
        within = run * (1 + noise * rng.standard_normal(samples))
        made.append(
            Point(
                time=FIRST + timedelta(days=number),
                value=float(np.median(within)),
                samples=tuple(float(sample) for sample in within),
                fingerprint="here",
                run=str(number),
            )
        )
    return made


def series_of(earlier: list[Point], name: str = "latency", *, lower: bool = True) -> Series:
    return Series(
        name=name,
        times=tuple(p.time for p in earlier),
        values=tuple(p.value for p in earlier),
        lower_better=lower,
        labels=LABELS,
        fingerprints=tuple(p.fingerprint for p in earlier),
        samples=tuple(p.samples for p in earlier),
        runs=tuple(p.run for p in earlier),
    )


def judged(made: list[Point], *, lower: bool = True, **more: object) -> Judgement:
    (judgement,) = judge([(series_of(made[:-1], lower=lower), made[-1])], **more)  # type: ignore[arg-type]
    return judgement


@pytest.mark.parametrize(
    ("history", "slowed", "effect"),
    [(4, 200, 1.0), (5, 175, 0.75), (8, 150, 0.5), (10, 150, 0.5), (30, 130, 0.3)],
)
def test_a_slowed_run_is_caught_in_20_of_20_tries(
    history: int, slowed: float, effect: float
) -> None:
    for seed in range(20):
        found = judged(points([100.0] * history + [slowed], seed))
        assert found.status == "regression"
        assert found.change is not None
        assert found.change.effect == pytest.approx(effect, abs=0.15)
        assert found.change.index == history
        assert found.runs_ago == 0
        assert exit_status([found]) == 1


@pytest.mark.parametrize("history", [4, 5, 7, 10, 30])
def test_an_unchanged_run_is_left_alone_in_20_of_20_tries(history: int) -> None:
    for seed in range(20):
        cases = [points([100.0] * (history + 1), 1000 * seed + kpi) for kpi in range(8)]
        found = judge([(series_of(made[:-1]), made[-1]) for made in cases])
        assert {judgement.status for judgement in found} == {"ok"}
        assert exit_status(found) == 0


@pytest.mark.parametrize("after", [*range(1, 13), 30])
def test_a_change_that_persists_stays_reported(after: int) -> None:
    found = judged(points([100.0] * 10 + [150.0] * after, seed=after))
    assert found.status == "regression"
    assert found.first_seen == FIRST + timedelta(days=10)
    assert found.runs_ago == after - 1


def test_direction_decides_what_is_worse() -> None:
    made = points([100.0] * 10 + [60.0], seed=1)
    assert judged(made, lower=True).status == "improvement"
    assert judged(made, lower=False).status == "regression"
    assert exit_status([judged(made, lower=True)]) == 0


def test_an_improvement_is_not_news_for_ever() -> None:
    made = points([100.0] * 20 + [60.0] * 20, seed=2)
    assert judged(made[:25]).status == "improvement"
    assert judged(made).status == "ok"


def test_what_came_back_is_over() -> None:
    made = points([100.0] * 15 + [140.0] * 15 + [100.0] * 15, seed=3)
    assert judged(made[:30]).status == "regression"
    assert judged(made).status == "ok"


def test_what_improved_is_the_measure_from_then_on() -> None:
    made = points([140.0] * 15 + [100.0] * 15 + [140.0] * 15, seed=4)
    found = judged(made)
    assert found.status == "regression"
    assert found.baseline == pytest.approx(100, rel=0.03)


def acknowledged(day: int, expires: date = date(2027, 1, 1), **labels: str) -> Acknowledgement:
    since = FIRST + timedelta(days=day)
    return Acknowledgement("lat*", since, "the new fsync", expires, labels)


@pytest.mark.parametrize("after", [1, 2, 4, 8, 20])
@pytest.mark.parametrize("said", [10, 11, 9])
def test_an_acknowledged_change_is_quiet(after: int, said: int) -> None:
    made = points([100.0] * 10 + [140.0] * after, seed=5)
    if said - 10 >= after:
        return
    found = judged(made, acknowledgements=[acknowledged(said, journal_mode="wal")])
    assert found.status == "acknowledged"
    assert "the new fsync" in found.sentence
    assert exit_status([found]) == 0


def test_a_further_change_after_an_acknowledged_one_is_reported() -> None:
    made = points([100.0] * 10 + [140.0] * 6 + [210.0], seed=6)
    found = judged(made, acknowledgements=[acknowledged(10)])
    assert found.status == "regression"
    assert found.change is not None
    assert found.change.effect == pytest.approx(0.5, abs=0.1)


def test_an_acknowledgement_of_other_labels_or_expired_does_not_count() -> None:
    made = points([100.0] * 10 + [140.0] * 5, seed=7)
    other = acknowledged(10, journal_mode="delete")
    assert judged(made, acknowledgements=[other]).status == "regression"
    over = acknowledged(10, expires=date(2026, 11, 12))
    found = judged(made, acknowledgements=[over])
    assert found.status == "regression"
    assert "expired on 2026-11-12" in found.sentence
    assert judged(made, acknowledgements=[over], today=date(2026, 11, 12)).status == "acknowledged"


def test_the_sentence_says_what_how_much_when_and_how_noisy() -> None:
    sentence = judged(points([100.0] * 10 + [60.0] * 3, seed=8), lower=False).sentence
    assert sentence.startswith("latency (wal, rows 100) fell by ")
    assert "(95 % CI " in sentence
    assert "at run 10 of 2026-11-11, 2 runs ago; noise floor " in sentence


def test_without_earlier_runs_there_is_no_history() -> None:
    made = points([100.0] * 3, seed=9)
    found = judged(made)
    assert found.status == "no history"
    assert "2 earlier runs, 4 are needed" in found.sentence
    assert exit_status([found]) == 0
    assert exit_status([found], require_history=True) == 3


def test_another_machine_is_not_comparable() -> None:
    made = points([100.0] * 10 + [200.0], seed=10)
    there = Point(made[-1].time, 200.0, "elsewhere")
    found = judged([*made[:-1], there])
    assert found.status == "not comparable"
    assert "no earlier run was in this environment" in found.sentence
    unknown = Point(made[-1].time, 200.0, "")
    assert judged([*made[:-1], unknown]).status == "regression"


def test_indexes_count_runs_of_other_machines_too() -> None:
    made = points([100.0] * 10 + [200.0], seed=11)
    there = Point(FIRST - timedelta(days=1), 50.0, "elsewhere")
    found = judged([there, *made])
    assert found.change is not None
    assert found.change.index == 11


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_invalid(value: float) -> None:
    made = points([100.0] * 10, seed=12)
    found = judged([*made, Point(FIRST + timedelta(days=10), value)])
    assert found.status == "invalid"
    assert exit_status([found]) == 2


def test_the_run_itself_and_later_ones_are_no_history() -> None:
    made = points([100.0] * 10 + [150.0], seed=13)
    later = points([100.0] * 15, seed=14)[11:]
    (found,) = judge([(series_of([*made, *later]), made[-1])])
    assert found.status == "regression"


def test_times_out_of_order_change_nothing() -> None:
    made = points([100.0] * 10 + [150.0] * 2, seed=15)
    mixed = [*reversed(made[:-1])]
    (found,) = judge([(series_of(mixed), made[-1])])
    assert found == judged(made)


def test_a_constant_history_has_a_change_when_it_changes() -> None:
    def constant(value: float, count: int) -> list[Point]:
        return [Point(FIRST + timedelta(days=n), value) for n in range(count)]

    assert judged(constant(7.0, 8)).status == "ok"
    assert judged(constant(0.0, 8)).status == "ok"
    worse = Point(FIRST + timedelta(days=20), 14.0)
    assert judged([*constant(7.0, 8), worse]).status == "regression"
    found = judged([*constant(0.0, 8), worse])
    assert found.status == "regression"
    assert "from 0 to 14" in found.sentence


def test_repetitions_that_scatter_make_a_run_doubtful() -> None:
    made = points([100.0] * 10, seed=16)
    last = FIRST + timedelta(days=10)
    sure = Point(last, 160.0, samples=(159.0, 160.0, 161.0))
    doubtful = Point(last, 160.0, samples=(100.0, 160.0, 250.0))
    assert judged([*made, sure]).status == "regression"
    assert judged([*made, doubtful]).status == "ok"


def test_a_floor_of_unchanged_runs_is_respected() -> None:
    made = points([100.0] * 30 + [115.0], seed=17, noise=0.005)
    assert judged(made).status == "regression"
    assert judged(made, rules=Rules(floors={"latency": 0.1})).status == "ok"


def test_another_detector_can_be_chosen_by_kpi() -> None:
    made = points([100.0] * 10 + [104.0], seed=18, noise=0.005)
    strict = Rules(detectors={"latency": ("threshold", {"limit": 0.02})})
    assert judged(made, rules=strict).detector == "threshold"
    assert judged(made, rules=strict).status == "regression"


@given(st.permutations(range(6)))
@settings(max_examples=10)
def test_the_order_of_kpis_and_labels_does_not_matter(order: list[int]) -> None:
    cases = [points([100.0] * 9 + [100.0 + 8 * kpi], seed=kpi) for kpi in range(6)]
    plain = judge([(series_of(made[:-1], str(k)), made[-1]) for k, made in enumerate(cases)])
    mixed = judge([(series_of(cases[k][:-1], str(k)), cases[k][-1]) for k in order])
    assert [plain[k] for k in order] == mixed


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=40), st.booleans())
@settings(max_examples=60)
def test_any_history_is_judged(values: list[float], lower: bool) -> None:
    made = [Point(FIRST + timedelta(days=n), value) for n, value in enumerate(values)]
    new = Point(FIRST + timedelta(days=99), 1.0)
    with np.errstate(all="ignore"):
        assert judged([*made, new], lower=lower).sentence
