"""What is made of a made-up result: parsed by the toolkit, and the same by the serial walk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.kpis.kpi import KPI, collect
from projects.matrix_benchmarking.results.parser import SimpleParser
from projects.matrix_benchmarking.results.reading import read_json

if TYPE_CHECKING:
    from pathlib import Path

    from projects.matrix_benchmarking.kpis.payload import Payload


class MadeUpParser(SimpleParser):
    """Reads the one file that there is."""

    important_files = ("results.json",)

    def parse_once(self, directory: Path) -> Any:
        """Return the numbers with the latencies sorted."""
        numbers = read_json(directory / "results.json")
        return numbers | {"latencies_ms": sorted(numbers["latencies_ms"])}


@KPI(unit="rows/s", help="rows per second")
def throughput(payload: Payload) -> float:
    """Return rows per second."""
    return float(payload.results["rows_per_second"])


@KPI(unit="ms", help="median latency", better="lower")
def latency_p50(payload: Payload) -> float:
    """Return the median of the latencies."""
    return _percentile(payload, 50)


@KPI(unit="ms", help="99th percentile of the latency", better="lower")
def latency_p99(payload: Payload) -> float:
    """Return the 99th percentile of the latencies."""
    return _percentile(payload, 99)


def _percentile(payload: Payload, percent: int) -> float:
    latencies = payload.results["latencies_ms"]
    return float(latencies[len(latencies) * percent // 100])


PARSER = MadeUpParser()
KPIS = collect(globals())
