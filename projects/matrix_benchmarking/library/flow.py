"""The whole way from a directory of results to pages, history and verdict; same for a replot."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from projects.core.errors import ConfigurationError, NoResults, TestFailed, TopgallantError, unknown
from projects.matrix_benchmarking.kpis import payload as payloads
from projects.matrix_benchmarking.library import analysis, drawing
from projects.matrix_benchmarking.reports.judged import gravest_first, headline, tally
from projects.matrix_benchmarking.reports.pages import Drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from projects.core.secrets.secret import Secret
    from projects.matrix_benchmarking.history.registry import Plan
    from projects.matrix_benchmarking.library.analysis import Parsed
    from projects.matrix_benchmarking.reports.judged import Judged
    from projects.matrix_benchmarking.reports.selection import Selection
    from projects.matrix_benchmarking.results.load import CacheUse
    from projects.matrix_benchmarking.verdict.acknowledgement import Acknowledgement
    from projects.matrix_benchmarking.verdict.judge import Rules

_log = logging.getLogger(__name__)


class Regression(TestFailed):
    """A KPI is worse than its history, beyond the noise, and nobody has acknowledged it."""


class Incomplete(TopgallantError):
    """A plot raised, a value is invalid, or the history failed; the rest was done."""


class Unjudged(NoResults):
    """A history is required, and values have none that they can be compared with."""


@dataclass(frozen=True)
class Request:
    """What is to be done with the results below `results`; everything goes to `directory`.

    `plan` says which histories; `fingerprint_keys` None means that results have to agree in all
    keys to be comparable. `test_failed`: the results are plotted, but not kept in a history.
    """

    results: Path
    directory: Path
    workload: str
    selection: Sequence[Selection]
    plan: Plan
    read_secret: Callable[[str], Secret]
    rules: Rules | None = None
    acknowledgements: tuple[Acknowledgement, ...] = ()
    fingerprint_keys: tuple[str, ...] | None = None
    require_history: bool = False
    write_lts: bool = True
    upload: bool = True
    analyse: bool = True
    test_failed: bool = False
    cache: CacheUse = "verify"


@dataclass
class Outcome:
    """What came of it; `problems` fail the run, `notes` are only told."""

    parsed: Parsed | None = None
    judged: list[Judged] = field(default_factory=list)
    drawn: Drawn = field(default_factory=Drawn)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def process(request: Request) -> Outcome:
    """Parse, judge, append to the histories, draw; write all reports.

    Errors
    ------
    NoResults
        No result could be read; there is an error report all the same.
    ConfigurationError
        The workload, a detector, or a name in the plots does not exist.
    InfrastructureError
        A report cannot be written.
    """
    _check_detectors(request.rules)
    outcome = Outcome()
    try:
        outcome.parsed = parsed = analysis.parse(
            request.results, request.workload, cache=request.cache
        )
        if request.write_lts:
            payloads.write(parsed.payloads, request.directory)
        where = _judge(request, parsed, outcome)
        _append(request, parsed, outcome)
        outcome.drawn = drawing.draw(
            parsed, outcome.judged, request.selection, request.workload, request.directory
        )
        _log.info("%s", _tell(request, parsed, outcome, where))
    finally:
        drawing.write_errors(outcome.parsed, request.results, request.directory, outcome.drawn)
    return outcome


def conclude(request: Request, outcome: Outcome) -> None:
    """Raise what the outcome means: a regression before what is incomplete, that before no history.

    Errors
    ------
    Regression, Incomplete, Unjudged
        See there; exit status 1, 2 and 3.
    """
    counts = tally(outcome.judged)
    problems = list(outcome.problems)
    problems += [f"plot {b.plot} raised {b.headline}" for b in outcome.drawn.broken]
    problems += [
        f"{e.kpi.name} ({e.where}): {e.sentence}" for e in outcome.judged if e.status == "invalid"
    ]
    if counts.get("regression") and request.plan.fail_test_on_regression:
        first = gravest_first(outcome.judged)[0]
        error = Regression(f"{headline(outcome.judged)}: {first.sentence}")
        for problem in problems:
            error.add_note(f"then also: {problem}")
        raise error
    if problems:
        more = f" (and {len(problems) - 1} more, see error_report.html)" if problems[1:] else ""
        raise Incomplete(problems[0] + more)
    without = counts.get("no history", 0) + counts.get("not comparable", 0)
    if request.require_history and (without or not outcome.judged):
        raise Unjudged(f"history is required: {headline(outcome.judged)}")


def _check_detectors(rules: Rules | None) -> None:
    """Refuse a detector that does not exist, even where there is no history to detect in yet."""
    if rules is None:
        return
    from projects.matrix_benchmarking.verdict.detect import DETECTORS

    for name in (rules.detector, *(name for name, _ in rules.detectors.values())):
        if name not in DETECTORS:
            raise ConfigurationError(unknown("detector", name, DETECTORS))


def _judge(request: Request, parsed: Parsed, outcome: Outcome) -> str:
    """Judge all values; return where the history is."""
    wanted = request.plan.baseline if request.analyse else None
    outcome.judged = analysis.judge_all(parsed, None)
    if wanted is None:
        return ""
    from projects.matrix_benchmarking.history.registry import open_history

    try:
        history = open_history(wanted, request.read_secret)
        try:
            baseline = analysis.Baseline(
                history, request.rules, request.acknowledgements, request.fingerprint_keys
            )
            outcome.judged = analysis.judge_all(parsed, baseline)
            return history.address
        finally:
            history.close()
    except TopgallantError as error:
        said = f"not judged, the history cannot be read: {error.message}"
        _report(outcome, said, fatal=request.plan.fail_test_on_regression)
        return ""


def _append(request: Request, parsed: Parsed, outcome: Outcome) -> None:
    """Append the payloads to every history that asks for them."""
    if not request.upload or not request.plan.export:
        return
    if request.test_failed:
        outcome.notes.append("The test failed: its results are not added to the history.")
        return
    regressed = tally(outcome.judged).get("regression")
    if regressed and not request.plan.upload_lts_on_regression:
        outcome.notes.append("A regression: these results are not added to the history.")
        return
    from projects.matrix_benchmarking.history.registry import open_history

    for wanted in request.plan.export:
        try:
            history = open_history(wanted, request.read_secret)
            try:
                added = history.append(parsed.payloads)
                _log.info(
                    "history %s: %d of %d results added",
                    history.address,
                    added,
                    len(parsed.payloads),
                )
            finally:
                history.close()
        except TopgallantError as error:
            said = f"not added to the history: {error.message}"
            _report(outcome, said, fatal=wanted.fail_test_on_fail)


def _report(outcome: Outcome, said: str, *, fatal: bool) -> None:
    _log.log(logging.ERROR if fatal else logging.WARNING, "%s", said)
    outcome.notes.append(said)
    if fatal:
        outcome.problems.append(said)


def _tell(request: Request, parsed: Parsed, outcome: Outcome, where: str) -> str:
    unread = len(parsed.collection.findings)
    if unread:
        said = "1 directory has" if unread == 1 else f"{unread} directories have"
        outcome.notes.append(f"{said} a problem, see error_report.html.")
    fingerprint = parsed.payloads[0].metadata.fingerprint
    cores = fingerprint.get("cores")
    machine = [
        fingerprint.get("processor"),
        f"{cores} cores" if cores else None,
        fingerprint.get("kernel"),
    ]
    facts: dict[str, object] = {
        "results": len(parsed.payloads),
        "earlier runs": max((len(each.earlier) for each in outcome.judged), default=0),
        "history": where or "none",
        "machine": ", ".join(str(value) for value in machine if value is not None),
        "workload": request.workload,
    }
    return drawing.write_verdict(outcome.judged, request.directory, outcome.notes, facts)
