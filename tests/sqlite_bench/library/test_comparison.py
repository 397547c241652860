from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from projects.sqlite_bench.library.comparison import COLUMNS, as_csv, as_text
from projects.sqlite_bench.library.results import Result

ROOT = Path("/run")

SURROUNDINGS = {
    "sqlite_version": "3.45.1",
    "python_version": "3.12.3",
    "kernel": "Linux 6.8.0",
    "cpu": "Example 9000",
    "cpu_count": 8,
    "file_system": "ext4",
    "device": "/dev/sda1",
    "mount_options": "rw,relatime",
}


def result(name: str, speed: float, batch_size: int = 1, **changed: Any) -> Result:
    numbers = {
        "rows_per_second": speed,
        "rows_per_second_min": speed * 0.9,
        "rows_per_second_max": speed * 1.1,
        "transactions_per_second": speed / batch_size,
        "latency_p50_ms": 0.5,
        "latency_p99_ms": 2.25,
        "latency_max_ms": 10.0,
        "transactions": 500,
        "after_power_loss": "kept",
        "surroundings": SURROUNDINGS,
    }
    settings = {"journal_mode": name, "synchronous": "full", "batch_size": batch_size}
    return Result(ROOT / f"000__{name}_{batch_size}", settings, numbers | changed, 0)


FAILED = Result(
    ROOT / "003__wal",
    {"journal_mode": "wal", "synchronous": "off", "batch_size": 1},
    {},
    2,
)

GOLDEN = """\
SQLite 3.45.1, Python 3.12.3, Linux 6.8.0
Example 9000, 8 processors
ext4 on /dev/sda1 (rw,relatime)

1 row per transaction
journal mode  synchronous       rows/s  spread     cost     p50 ms     p99 ms  after power loss
truncate      full               2,000     20%     1.0x      0.500     2.250   kept
delete        full                 500     20%     4.0x      0.500     2.250*  kept

1,000 rows per transaction
journal mode  synchronous       rows/s  spread     cost     p50 ms     p99 ms  after power loss
delete        full             400,000     20%     1.0x      0.500     2.250   kept

not measured:
  journal_mode=wal synchronous=off batch_size=1: exit code 2, see 003__wal/FAILURE

rows/s: median of the repetitions, the closing checkpoint of a log included
spread: from the slowest to the fastest repetition, in % of the median
cost: time per row, where the fastest line of the block is 1
p50, p99: a transaction from BEGIN to the end of COMMIT, over all repetitions
* fewer than 100 transactions: p99 is the slowest one
"""


def test_the_table_is_what_a_person_expects_to_read() -> None:
    results = [
        result("delete", 400_000, batch_size=1000),
        result("delete", 500, transactions=99),
        FAILED,
        result("truncate", 2_000),
    ]
    assert as_text(results, ROOT) == GOLDEN


def test_memory_is_not_passed_off_as_a_disk() -> None:
    on_memory = result("wal", 1.0, surroundings=SURROUNDINGS | {"file_system": "tmpfs"})
    assert "! tmpfs is memory: these are not the costs of a disk" in as_text([on_memory], ROOT)


def test_only_failures_still_make_a_table() -> None:
    assert as_text([FAILED], ROOT).startswith("not measured:\n")


def test_the_spreadsheet_has_a_line_per_result_and_gaps_for_failures() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv([result("wal", 10.5), FAILED], ROOT))))
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["rows_per_second"], rows[0]["exit_code"]) == ("10.5", "0")
    assert (rows[1]["rows_per_second"], rows[1]["exit_code"]) == ("", "2")
    assert rows[1]["directory"] == "003__wal"
