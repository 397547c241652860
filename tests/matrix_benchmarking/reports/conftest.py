from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from projects.matrix_benchmarking.kpis.kpi import KpiValue
from projects.matrix_benchmarking.kpis.payload import Metadata, Payload
from projects.matrix_benchmarking.reports.judged import Judged
from projects.matrix_benchmarking.verdict.judge import judge
from projects.matrix_benchmarking.verdict.series import Point, Series

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

MakeValue = Callable[..., KpiValue]
MakeJudged = Callable[..., Judged]


def value_of(number: float | None, name: str = "throughput", **given: Any) -> KpiValue:
    facts: dict[str, Any] = {
        "unit": "rows/s",
        "help": "rows per second",
        "lower_better": False,
        "labels": {"mode": "wal", "rows": "100"},
        "timestamp": NOW,
        "test_uuid": UUID(int=7),
        "format": "{:,.0f}",
    }
    if number is None:
        facts |= {"status": "invalid", "problem": "value is nan"}
    return KpiValue(name=name, value=number, **facts | given)


def judged_of(number: float | None, earlier: Sequence[float] = (), **given: Any) -> Judged:
    kpi = value_of(number, **given)
    times = tuple(NOW - timedelta(days=len(earlier) - at) for at in range(len(earlier)))
    series = Series(kpi.name, times, tuple(earlier), kpi.lower_better, kpi.labels)
    if number is None:
        return Judged(kpi, series)
    (judgement,) = judge([(series, Point(NOW, number))])
    return Judged(kpi, series, judgement)


@pytest.fixture
def make_value() -> MakeValue:
    return value_of


@pytest.fixture
def make_judged() -> MakeJudged:
    return judged_of


@pytest.fixture
def make_payload() -> Callable[..., Payload]:
    def make(settings: dict[str, Any], *kpis: KpiValue, uuid: int = 7) -> Payload:
        metadata = Metadata(
            test_uuid=UUID(int=uuid),
            settings=settings,
            start=NOW,
            end=NOW,
            status="passed",
            exit_code=0,
        )
        return Payload(metadata=metadata, kpis={kpi.name: kpi for kpi in kpis})

    return make


STEADY = [100.0, 101.0, 99.0, 100.5, 99.5, 100.0, 101.0, 99.0, 100.0, 100.0]


@pytest.fixture
def steady() -> list[float]:
    """Return ten runs of about 100."""
    return STEADY
