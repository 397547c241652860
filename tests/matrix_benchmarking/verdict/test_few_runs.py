"""Unchanged runs beside histories of 0 to 20 runs, whatever the noise: no false alarm.

The series are made of seeds of their own; the constants of the verdict were chosen with others.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from projects.matrix_benchmarking.verdict.judge import Judgement, judge
from projects.matrix_benchmarking.verdict.series import Point, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
KINDS = {"throughput": False, "latency_p50": True, "latency_p99": True}
OF_A_KIND = 4
KPIS = OF_A_KIND * len(KINDS)
SIGNS = np.repeat([-1.0, 1.0, 1.0], OF_A_KIND)[:, None]
NOISE = np.repeat([0.035, 0.035, 0.08], OF_A_KIND)[:, None]
TRIES = 6


def gaussian(rng: Generator, runs: int) -> NDArray[Any]:
    return np.asarray(NOISE * rng.standard_normal((KPIS, runs)))


def lognormal(rng: Generator, runs: int) -> NDArray[Any]:
    outliers = (rng.random((KPIS, runs)) < 0.03) * 0.2 * abs(rng.standard_normal((KPIS, runs)))
    return np.asarray(gaussian(rng, runs) + outliers)


def two_modes(rng: Generator, runs: int) -> NDArray[Any]:
    return 0.4 * gaussian(rng, runs) + 0.12 * (rng.random((KPIS, runs)) < 0.3)


def rare_mode(rng: Generator, runs: int) -> NDArray[Any]:
    return 0.4 * gaussian(rng, runs) + 0.27 * (rng.random((KPIS, runs)) < 0.08)


def common_mode(rng: Generator, runs: int) -> NDArray[Any]:
    return 0.4 * gaussian(rng, runs) + SIGNS * 0.05 * rng.standard_normal(runs)


def common_rare_mode(rng: Generator, runs: int) -> NDArray[Any]:
    return 0.4 * gaussian(rng, runs) + SIGNS * 0.2 * (rng.random(runs) < 0.15)


def unlike(rng: Generator, runs: int) -> NDArray[Any]:
    return gaussian(rng, runs) * rng.lognormal(0.0, 0.8, KPIS)[:, None]


FAMILIES = [gaussian, lognormal, two_modes, rare_mode, common_mode, common_rare_mode, unlike]


def judged(logarithms: NDArray[Any], pressures: tuple[float, ...] = ()) -> list[Judgement]:
    """Judge the last run of a matrix of KPIs and runs."""
    pressures = pressures or (0.0,) * logarithms.shape[1]
    cases = []
    for number, values in enumerate(100 * np.exp(logarithms)):
        name = list(KINDS)[number // OF_A_KIND]
        times = [FIRST + timedelta(hours=hour) for hour in range(len(values))]
        earlier = Series(
            name,
            tuple(times[:-1]),
            tuple(map(float, values[:-1])),
            KINDS[name],
            {"point": str(number % OF_A_KIND)},
            pressures=pressures[:-1],
        )
        cases.append((earlier, Point(times[-1], float(values[-1]), pressure=pressures[-1])))
    return judge(cases)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unchanged_run_is_no_regression(
    family: Callable[[Generator, int], NDArray[Any]],
) -> None:
    alarms = []
    for earlier in range(21):
        for seed in range(TRIES):
            rng = np.random.default_rng([earlier, seed])
            found = judged(family(rng, earlier + 1))
            statuses = {judgement.status for judgement in found}
            assert (statuses == {"no history"}) == (earlier < 4)
            alarms += [(earlier, seed)] if "regression" in statuses else []
    assert len(alarms) <= 0.01 * 17 * TRIES, alarms


@pytest.mark.parametrize(("earlier", "slowed"), [(4, 2.5), (8, 2.0), (20, 1.8)])
def test_a_slowed_run_is_a_regression_at_once(earlier: int, slowed: float) -> None:
    for seed in range(20):
        values = common_mode(np.random.default_rng([earlier, seed, 1]), earlier + 1)
        values[:, -1] += SIGNS[:, 0] * np.log(slowed)
        found = [each for each in judged(values) if each.status == "regression"]
        assert len(found) >= KPIS / 2
        for each in found:
            assert each.change is not None
            ratio = 1 + each.change.effect
            ratio = ratio if KINDS[each.kpi] else 1 / ratio
            assert ratio == pytest.approx(slowed, rel=0.25)


def test_a_single_slow_kpi_is_found_by_the_second_run() -> None:
    for seed in range(20):
        values = gaussian(np.random.default_rng([seed, 2]), 12)
        values[5, -2:] += np.log(1.5)
        (found,) = [each for each in judged(values) if each.status == "regression"]
        assert found.kpi == "latency_p50"
        assert found.runs_ago == 1


def test_a_busy_machine_is_no_regression() -> None:
    rng = np.random.default_rng(3)
    values = gaussian(rng, 9)
    values[:, -1] += SIGNS[:, 0] * rng.uniform(0.5, 2.0, KPIS)
    assert "regression" in {each.status for each in judged(values)}
    found = judged(values, (0.05,) * 8 + (0.8,))
    assert {each.status for each in found} == {"not comparable"}
    assert "waited for a processor for 80 % of the time, usually 5 %" in found[0].sentence


def test_what_no_load_explains_is_a_regression_on_a_busy_machine_too() -> None:
    values = gaussian(np.random.default_rng(4), 9)
    values[4, -1] += np.log(300)
    statuses = [each.status for each in judged(values, (0.05,) * 8 + (0.5,))]
    assert statuses.count("regression") == 1
    assert statuses[4] == "regression"


def test_a_history_of_two_loads_is_judged_by_its_quiet_runs() -> None:
    values = gaussian(np.random.default_rng(5), 13)
    values[:, 2:10] += SIGNS * 1.5
    pressures = (0.05, 0.05, *(0.9,) * 8, 0.05, 0.05, 0.05)
    assert {each.status for each in judged(values, pressures)} == {"ok"}
    values[:, -1] += SIGNS[:, 0] * 1.2
    assert "regression" in {each.status for each in judged(values, pressures)}


def test_noisy_kpis_of_its_name_do_not_hide_a_quiet_one() -> None:
    values = gaussian(np.random.default_rng(6), 11)
    values[:4] *= 30
    values[0] /= 100
    values[0, -1] -= np.log(20)
    found = [each for each in judged(values) if each.status == "regression"]
    assert [each.labels["point"] for each in found] == ["0"]


def test_busy_runs_tell_which_kpis_stray_then() -> None:
    values = gaussian(np.random.default_rng(7), 13)
    values[5:8, 1:6] += 2.5  # of the latencies the first one is the same on a busy machine
    values[4:6, -1] += np.log(40)
    pressures = (0.05, *(0.75,) * 5, *(0.05,) * 6, 0.75)
    statuses = [each.status for each in judged(values, pressures)]
    assert statuses[4] == "regression"
    assert statuses[5] == "not comparable"
