"""Made-up payloads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from projects.matrix_benchmarking.kpis.kpi import KpiValue
from projects.matrix_benchmarking.kpis.payload import Metadata, Payload

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LABELS = {"mode": "wal", "batch": "100"}


def payload(
    number: int,
    value: Any = None,
    *,
    labels: dict[str, str] | None = None,
    workload: str = "P.W",
    run_id: str | None = None,
    status: str = "passed",
    minutes: int | None = None,
    **kpi: Any,
) -> Payload:
    """Return the payload of run `number`, `minutes` (or number) after MOMENT; its KPI is speed."""
    uuid = uuid5(UUID(int=1), str(number))
    end = MOMENT + timedelta(minutes=number if minutes is None else minutes)
    metadata = Metadata(
        workload=workload,
        run_id=f"run-{number}" if run_id is None else run_id,
        test_uuid=uuid,
        settings={"mode": "wal"},
        start=end - timedelta(minutes=1),
        end=end,
        status=status,
        exit_code=0 if status == "passed" else 1,
        fingerprint={"cpu": "Made Up", "memory": 8},
    )
    facts: dict[str, Any] = {
        "name": "speed",
        "value": float(number) if value is None else value,
        "unit": "rows/s",
        "help": "rows per second",
        "lower_better": False,
        "labels": LABELS if labels is None else labels,
        "timestamp": end,
        "test_uuid": uuid,
        "samples": [1.0, 2.5],
    }
    speed = KpiValue(**facts | kpi)
    return Payload(metadata=metadata, results={"rows": number}, kpis={speed.name: speed})
