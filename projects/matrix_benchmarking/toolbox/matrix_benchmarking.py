"""Look at results: compare two runs, parse, judge, acknowledge."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from projects.core.errors import ConfigurationError, UsageError, unreadable
from projects.core.library import env

logger = logging.getLogger(__name__)


def compare(run_a: Path, run_b: Path, *, output: Literal["text", "json"] = "text") -> str:
    """Compare two runs: configuration, environment, KPIs, durations of commands.

    Leaves comparison.html, comparison.json and comparison.txt.

    Args:
      run_a: the directory of a run
      run_b: the directory of another one
      output: what to print
    """
    import json

    from projects.matrix_benchmarking.library.drawing import write
    from projects.matrix_benchmarking.reports import comparison_page
    from projects.matrix_benchmarking.reports.comparison import compare as compare_runs
    from projects.matrix_benchmarking.reports.runs import read_run

    found = compare_runs(read_run(run_a), read_run(run_b))
    text = comparison_page.comparison_text(found)
    data = comparison_page.comparison_data(found)
    document = json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n"
    write(env.ARTIFACT_DIR / "comparison.html", comparison_page.comparison_page(found))
    write(env.ARTIFACT_DIR / "comparison.json", document)
    write(env.ARTIFACT_DIR / "comparison.txt", text)
    return document if output == "json" else text


def parse(directory: Path, *, workload: str = "", filter: str = "") -> list[dict[str, Any]]:  # noqa: A002
    """Print the results below a directory: settings, exit code and KPIs of each.

    Leaves lts_payload.json and its schema.

    Args:
      directory: where the results are, for example that of a run
      workload: PROJECT.NAME of the parser and KPIs; that of the run if not given
      filter: only results with these settings, `k=v1:v2,k2=v`
    """
    from projects.matrix_benchmarking.kpis import payload as payloads
    from projects.matrix_benchmarking.library.analysis import parse as parse_results

    parsed = parse_results(directory, workload or _workload_of(directory))
    kept = parsed.filtered(filter)
    payloads.write(kept, env.ARTIFACT_DIR)
    return [
        {
            "settings": dict(payload.metadata.settings),
            "exit_code": payload.metadata.exit_code,
            "kpis": {name: kpi.text for name, kpi in payload.kpis.items()},
        }
        for payload in kept
    ]


def analyze(
    directory: Path,
    *,
    history: Path | None = None,
    workload: str = "",
    acknowledgements: Path | None = None,
    detector: str = "topgallant",
    require_history: bool = False,
) -> None:
    """Judge the results below a directory by a history in a folder; nothing is added to that.

    Exit status 1 for a regression, 2 for invalid values, 3 without history where it is required.

    Args:
      directory: where the results are, for example that of a run
      history: the folder of the history; `history` beside the directory if not given
      workload: PROJECT.NAME of the parser and KPIs; that of the run if not given
      acknowledgements: the file of changes that are accepted
      detector: how to find changes
      require_history: a value that cannot be compared is exit status 3
    """
    from projects.matrix_benchmarking.history.registry import Plan, Wanted
    from projects.matrix_benchmarking.library import flow
    from projects.matrix_benchmarking.verdict.acknowledgement import read_acknowledgements
    from projects.matrix_benchmarking.verdict.judge import Rules

    folder = history or directory.absolute().parent / "history"
    known = read_acknowledgements(acknowledgements) if acknowledgements else []
    request = flow.Request(
        results=directory,
        directory=env.ARTIFACT_DIR,
        workload=workload or _workload_of(directory),
        selection=(),
        plan=Plan(
            baseline=Wanted("sqlite", {"directory": str(folder)}), fail_test_on_regression=True
        ),
        read_secret=_no_secret,
        rules=Rules(detector=detector),
        acknowledgements=tuple(known),
        require_history=require_history,
        write_lts=False,
        upload=False,
    )
    flow.conclude(request, flow.process(request))


def ack(
    kpi: str,
    file: Path,
    *,
    reason: str,
    expires: date,
    since: datetime | None = None,
    labels: dict[str, str] | None = None,
) -> None:
    """Acknowledge that a KPI has changed: it is not reported any more until a day.

    Args:
      kpi: the name, or a pattern like `latency_*`
      file: acknowledgements.yaml, beside the configuration of the project; made if missing
      reason: why the change is accepted, for those who come later
      expires: the last day on which it is
      since: when the KPI changed (UTC), as the verdict says; now if not given, which accepts what
        was first seen in one of the last three runs, from the next run on
      labels: only series with these labels, {journal_mode: wal}
    """
    from projects.matrix_benchmarking.verdict.acknowledgement import (
        Acknowledgement,
        as_yaml,
        read_acknowledgements,
    )

    if expires < datetime.now(UTC).date():
        raise UsageError(f"expires={expires}: that day is over")
    if not reason.strip():
        raise UsageError("reason is empty: those who come later need one")
    moment = since or datetime.now(UTC)
    entry = Acknowledgement(kpi, moment, reason.strip(), expires, labels or {})
    if file.exists():
        read_acknowledgements(file)  # what is wrong in it is told before it grows
    try:
        with file.open("a", encoding="utf-8") as opened:
            opened.write(as_yaml([entry]))
    except OSError as error:
        raise unreadable(file, error) from error
    logger.info("%s: %s is acknowledged until %s", file, kpi, expires)


def _workload_of(directory: Path) -> str:
    """Return `matbench.workload` of the configuration that a run has left.

    Errors
    ------
    ConfigurationError
        There is none.
    """
    from projects.core.configuration.document import Document

    path = directory / "config.yaml"
    values = Document.load(path).values if path.is_file() else {}
    matbench = values.get("matbench") if isinstance(values, dict) else None
    workload = matbench.get("workload") if isinstance(matbench, dict) else None
    if not workload:
        raise ConfigurationError(f"{path} names no matbench.workload: give --workload=PROJECT.NAME")
    return str(workload)


def _no_secret(name: str) -> Any:
    raise ConfigurationError(f"secret file {name}: a history in a folder needs none")
