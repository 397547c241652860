"""Measure what SQLite's settings cost on a disk."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path

from projects.core.errors import NoResults, UsageError
from projects.core.library import env
from projects.sqlite_bench.library.points import JournalMode, Synchronous

logger = logging.getLogger(__name__)


def prepare(
    directory: Path | None = None, *, rows_limit: int = 1_000_000, row_bytes: int = 100
) -> None:
    """Check that the disk can be measured: the directory is writable and has room.

    Args:
      directory: where the data files will be; the artifact directory if not given
      rows_limit: the most rows that one repetition writes
      row_bytes: bytes of a row
    """
    from projects.sqlite_bench.library import scratch, surroundings

    where = directory or env.ARTIFACT_DIR
    free = scratch.check_room(where, scratch.space_needed(rows_limit, row_bytes))
    logger.info("%s: writable, %.0f MB free", where, free / 1e6)
    seen = surroundings.describe(where)
    for name, value in seen.items():
        logger.info("%s: %s", name, value)
    if seen["file_system"] in surroundings.MEMORY_FILE_SYSTEMS:
        logger.warning("%s is %s: this measures memory, not a disk", where, seen["file_system"])


def measure(
    journal_mode: JournalMode,
    synchronous: Synchronous,
    batch_size: int,
    *,
    directory: Path | None = None,
    repetitions: int = 3,
    seconds: float = 1.0,
    warmup_transactions: int = 10,
    rows_limit: int = 1_000_000,
    row_bytes: int = 100,
    delay_ms: float = 0.0,
) -> None:
    """Measure one point: throughput and latency of transactions that insert rows.

    The artifact directory becomes a result: settings.yaml, results.json, exit_code. The data
    files are removed at the end.

    Args:
      journal_mode: where SQLite keeps what it needs to undo a transaction
      synchronous: how often SQLite waits for the disk
      batch_size: rows per transaction
      directory: where the data files are written; the artifact directory if not given
      repetitions: how often to measure, each time with a fresh file
      seconds: how long a repetition lasts
      warmup_transactions: transactions at the start of a repetition that are not timed
      rows_limit: a repetition ends earlier after so many rows
      row_bytes: bytes of a row
      delay_ms: each transaction is held open so long: a slowdown whose size is known
    """
    from projects.core.library import steps
    from projects.matrix_benchmarking.library import visualize
    from projects.sqlite_bench.library import measurement, results, scratch, surroundings
    from projects.sqlite_bench.library.points import Point, after_power_loss
    from projects.sqlite_bench.library.statistics import as_document

    point = Point(journal_mode, synchronous, batch_size)
    load = measurement.Load(seconds, warmup_transactions, rows_limit, row_bytes, delay_ms)
    result, where = env.ARTIFACT_DIR, directory or env.ARTIFACT_DIR
    with results.result_directory(result, asdict(point) | {"row_bytes": row_bytes}):
        load.check(point)
        if repetitions < 1:
            raise UsageError(f"repetitions={repetitions}: at least 1 is needed")
        measured = []
        with (
            scratch.scratch_directory(where) as data,
            visualize.watch_pressure(),
            steps.progress("repetitions", repetitions) as done,
        ):
            for number in range(repetitions):
                measured.append(measurement.repeat(data / f"{number}.sqlite", point, load))
                done.advance()
        numbers = as_document(measured) | {
            "after_power_loss": after_power_loss(point),
            "load": asdict(load),
            "surroundings": surroundings.describe(where),
        }
        results.write_numbers(result, numbers)
    logger.info(
        "%s: %.0f rows/s, p50 %.3f ms, p99 %.3f ms",
        point,
        numbers["rows_per_second"],
        numbers["latency_p50_ms"],
        numbers["latency_p99_ms"],
    )


def compare(results: Path, *, destination: Path | None = None) -> None:
    """Compare all points found below a directory: summary.txt for people, and results.csv.

    Args:
      results: the directory that holds the results, for example that of a run
      destination: where the two files go; the artifact directory if not given
    """
    from projects.sqlite_bench.library import comparison
    from projects.sqlite_bench.library.results import find_results

    found = find_results(results)
    if not found:
        raise NoResults(f"{results}: no point was measured below this directory")
    where = destination or env.ARTIFACT_DIR
    table = comparison.as_text(found, results)
    (where / "summary.txt").write_text(table, encoding="utf-8")
    (where / "results.csv").write_text(comparison.as_csv(found, results), encoding="utf-8")
    logger.info("%d points, kept in %s:\n\n%s", len(found), where / "summary.txt", table)


def cleanup(directory: Path) -> None:
    """Remove data files that an interrupted measurement left in a directory.

    Args:
      directory: where the data files were written
    """
    import shutil

    from projects.sqlite_bench.library import scratch

    found = scratch.leftovers(directory)
    for path in found:
        shutil.rmtree(path)
        logger.info("removed %s", path)
    if not found:
        logger.info("%s: nothing was left behind", directory)
