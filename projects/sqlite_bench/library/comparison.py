"""The closing table: all points side by side, for people and for a spreadsheet."""

from __future__ import annotations

import csv
import io
from itertools import groupby
from typing import TYPE_CHECKING, Any

from projects.sqlite_bench.library.surroundings import MEMORY_FILE_SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from projects.sqlite_bench.library.results import Result

SETTINGS = ("journal_mode", "synchronous", "batch_size")

COLUMNS = (
    *SETTINGS,
    "rows_per_second",
    "rows_per_second_min",
    "rows_per_second_max",
    "transactions_per_second",
    "latency_p50_ms",
    "latency_p99_ms",
    "latency_max_ms",
    "transactions",
    "after_power_loss",
    "exit_code",
    "directory",
)
"""The columns of `results.csv`."""

ENOUGH_FOR_P99 = 100
"""With fewer transactions the 99th percentile is the slowest one."""

LEGEND = (
    "rows/s: median of the repetitions, the closing checkpoint of a log included",
    "spread: from the slowest to the fastest repetition, in % of the median",
    "cost: time per row, where the fastest line of the block is 1",
    "p50, p99: a transaction from BEGIN to the end of COMMIT, over all repetitions",
)

_HEADER = (
    f"{'journal mode':<12}  {'synchronous':<11}  {'rows/s':>11}  {'spread':>6}  {'cost':>7}  "
    f"{'p50 ms':>9}  {'p99 ms':>9}  after power loss"
)


def as_csv(results: Sequence[Result], root: Path) -> str:
    """Return one line per result; what a failed one did not measure stays empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for result in results:
        values: dict[str, Any] = {
            **result.settings,
            **result.numbers,
            "exit_code": result.exit_code,
            "directory": result.directory.relative_to(root),
        }
        table.writerow(values.get(column, "") for column in COLUMNS)
    return text.getvalue()


def as_text(results: Sequence[Result], root: Path) -> str:
    """Return the table that a person reads: a block per batch size, fastest first."""
    measured = [result for result in results if result.numbers]
    failed = [result for result in results if not result.numbers]
    blocks = [_surroundings_lines(measured)]
    ordered = sorted(measured, key=_block_and_speed)
    for batch_size, block in groupby(ordered, key=lambda result: result.settings["batch_size"]):
        blocks.append(_block_lines(batch_size, list(block)))
    if failed:
        blocks.append(["not measured:", *(f"  {_failed_line(each, root)}" for each in failed)])
    blocks.append(_notes(measured))
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _block_and_speed(result: Result) -> tuple[int, float]:
    return result.settings["batch_size"], -result.numbers["rows_per_second"]


def _block_lines(batch_size: int, block: list[Result]) -> list[str]:
    fastest = block[0].numbers["rows_per_second"]
    plural = "" if batch_size == 1 else "s"
    return [
        f"{batch_size:,} row{plural} per transaction",
        _HEADER,
        *(_line(result.settings, result.numbers, fastest) for result in block),
    ]


def _line(settings: Mapping[str, Any], numbers: Mapping[str, Any], fastest: float) -> str:
    speed = numbers["rows_per_second"]
    spread = (numbers["rows_per_second_max"] - numbers["rows_per_second_min"]) / speed
    mark = " " if numbers["transactions"] >= ENOUGH_FOR_P99 else "*"
    return (
        f"{settings['journal_mode']:<12}  {settings['synchronous']:<11}  {speed:>11,.0f}  "
        f"{spread:>6.0%}  {fastest / speed:>6.1f}x  {numbers['latency_p50_ms']:>9.3f}  "
        f"{numbers['latency_p99_ms']:>8.3f}{mark}  {numbers['after_power_loss']}"
    )


def _failed_line(result: Result, root: Path) -> str:
    settings = " ".join(f"{name}={result.settings.get(name)}" for name in SETTINGS)
    where = result.directory.relative_to(root)
    return f"{settings}: exit code {result.exit_code}, see {where}/FAILURE"


def _surroundings_lines(measured: Sequence[Result]) -> list[str]:
    if not measured:
        return []
    of = measured[0].numbers["surroundings"]
    return [
        f"SQLite {of['sqlite_version']}, Python {of['python_version']}, {of['kernel']}",
        f"{of['cpu']}, {of['cpu_count']} processors",
        f"{of['file_system']} on {of['device']} ({of['mount_options']})",
    ]


def _notes(measured: Sequence[Result]) -> list[str]:
    notes = [*LEGEND] if measured else []
    if any(result.numbers["transactions"] < ENOUGH_FOR_P99 for result in measured):
        notes.append(f"* fewer than {ENOUGH_FOR_P99} transactions: p99 is the slowest one")
    file_systems = {result.numbers["surroundings"]["file_system"] for result in measured}
    notes += [
        f"! {name} is memory: these are not the costs of a disk"
        for name in sorted(file_systems & MEMORY_FILE_SYSTEMS)
    ]
    return notes
