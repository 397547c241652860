"""KPIs declared, evaluated, invalid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from projects.core.errors import ConfigurationError
from projects.matrix_benchmarking.kpis.kpi import (
    KPI,
    Curve,
    Format,
    FormatDivisor,
    HigherBetter,
    IgnoredForRegression,
    Kpi,
    KPIMetadata,
    LowerBetter,
    Sampled,
    collect,
    find_kpis,
)
from projects.matrix_benchmarking.kpis.payload import build
from projects.matrix_benchmarking.results.result import Result

if TYPE_CHECKING:
    from projects.matrix_benchmarking.kpis.kpi import KpiValue, Returned


def value_of(kpi: Kpi) -> KpiValue:
    result = Result(Path("x"), {"b": 2, "a": True}, 0, {"n": 3})
    return build(result, collect(kpi)).kpis[kpi.name]


def returning(value: Any) -> KpiValue:
    def anything(_: Any) -> Returned:
        return value  # type: ignore[no-any-return]

    return value_of(KPI(unit="s", help="h")(anything))


def test_a_kpi_says_what_it_is() -> None:
    @KPI(unit="ms", help="how long", better="lower", format="{:.1f}", ignored_for_regression=True)
    def latency(payload: Any) -> float:
        return float(payload.results["n"])

    value = value_of(latency)
    assert (value.name, value.value, value.unit, value.help) == ("latency", 3.0, "ms", "how long")
    assert value.lower_better
    assert value.ignored_for_regression
    assert value.labels == {"a": "True", "b": "2"}
    assert value.text == "3.0 ms"


def test_the_seed_s_decorators_work_in_any_order() -> None:
    @LowerBetter
    @IgnoredForRegression
    @FormatDivisor(1024, unit="KiB", format="{:.3f}")
    @KPIMetadata(help="h", unit="B")
    def after(_: Any) -> float:
        return 1536.0

    @KPIMetadata(help="h", unit="B")
    @LowerBetter
    @IgnoredForRegression
    @FormatDivisor(1024, unit="KiB", format="{:.3f}")
    def before(_: Any) -> float:
        return 1536.0

    for kpi in (after, before):
        value = value_of(kpi)
        assert (value.value, value.unit, value.text) == (1.5, "KiB", "1.500 KiB")
        assert value.lower_better
        assert value.ignored_for_regression


def test_higher_is_better_unless_said() -> None:
    assert not returning(1).lower_better
    assert not HigherBetter(LowerBetter(KPI(unit="", help="")(lambda _: 1))).lower_better
    assert Format("{:.0f}")(KPI(unit="", help="")(lambda _: 1)).format == "{:.0f}"


def test_samples_and_curves_are_kept_and_divided() -> None:
    sampled = value_of(
        FormatDivisor(2, unit="x")(KPI(unit="", help="")(lambda _: Sampled(4, [2, 6])))
    )
    assert (sampled.value, sampled.samples) == (2.0, [1.0, 3.0])
    curve = returning(Curve([1, 2], [3, 4.5], x_unit="users"))
    assert (curve.value, curve.x, curve.x_unit) == ([3.0, 4.5], [1.0, 2.0], "users")
    assert returning([1, 2]).text == "1.00, 2.00 s"
    assert returning(list(range(9))).text.endswith("7.00, … s")


INVALID = [
    (float("nan"), "value is nan"),
    (float("inf"), "value is inf"),
    (10**400, "value is inf"),
    ([1.0, float("-inf")], "value 1 is -inf"),
    ([], "no value at all"),
    ("fast", "value is 'fast', no number"),
    (None, "value is None, no number"),
    (True, "value is True, no number"),
    (Curve([1], [1, 2]), "a curve of 1 x and 2 y"),
    (Curve([float("nan")], [1]), "x 0 is nan"),
    (Sampled(1, []), "no sample at all"),
    ([0] * 100_001, "100001 values, of at most 100000"),
]


@pytest.mark.parametrize(("returned", "said"), INVALID)
def test_what_is_no_number_is_invalid_and_reported(returned: Any, said: str) -> None:
    value = returning(returned)
    assert (value.value, value.status, value.problem, value.text) == (
        None,
        "invalid",
        said,
        "invalid",
    )


def test_one_that_raises_is_invalid_and_the_others_count() -> None:
    @KPI(unit="", help="")
    def broken(payload: Any) -> float:
        return float(payload.results["missing"])

    @KPI(unit="", help="")
    def fine(_: Any) -> int:
        return 1

    found = build(Result(Path("x"), {}, 0, {}), collect(broken, fine)).kpis
    assert found["broken"].problem == "KeyError: 'missing'"
    assert found["fine"].value == 1.0


def test_numbers_of_numpy_are_numbers() -> None:
    import numpy as np

    assert returning(np.float32(0.5)).value == 0.5
    assert returning(np.int64(3)).value == 3.0
    assert returning([np.float64(1)]).value == [1.0]


def test_two_of_a_name_are_refused() -> None:
    kpi = KPI(unit="", help="", name="twice")(lambda _: 1)
    with pytest.raises(ConfigurationError, match='two KPIs are named "twice"'):
        collect(kpi, {"other": kpi})


def test_what_a_decorator_cannot_take_is_refused() -> None:
    with pytest.raises(ConfigurationError, match='better="more"'):
        KPI(unit="", help="", better="more")(lambda _: 1)  # type: ignore[arg-type]
    for text in ("{:d}", "{}{}", "{x}", "{", "{0.y}"):
        with pytest.raises(ConfigurationError, match="is no format of one number"):
            Format(text)
    with pytest.raises(ConfigurationError, match="a number other than 0"):
        FormatDivisor(0, unit="")


def test_the_kpis_of_a_workload_are_found() -> None:
    names = [kpi.name for kpi in find_kpis("sqlite_bench.sqlite")]
    assert names == ["throughput", "latency_p50", "latency_p99", "latency_max"]


@pytest.mark.parametrize(
    ("workload", "said"),
    [
        ("sqlite_bench.nothing", "there is no module projects.sqlite_bench.visualizations.nothing"),
        ("sqlite_bench", "write PROJECT.NAME"),
        ("../x.y", "write PROJECT.NAME"),
        ("projects.bench.library", "there is no module projects.bench.library.kpis"),
    ],
)
def test_a_workload_that_is_none_is_named(workload: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        find_kpis(workload)
