"""The rows of the table: what is judged by which bar, and beside whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.bench.library import (
    change_points,
    command_overhead,
    configuration_speed,
    export_speed,
    job_cases,
    parse_speed,
    startup,
)
from projects.bench.library.bars import BEST, Bar, parse_bars
from projects.bench.library.samples import Summary, differences, ratios, summarize
from projects.core.errors import ConfigurationError, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projects.bench.library.result import Result


@dataclass(frozen=True, slots=True)
class Row:
    """One judged quantity: `subject`, over `base` if there is one, beside `rivals`."""

    key: str
    bench: str
    title: str
    subject: str
    base: str | None
    rivals: tuple[str, ...]
    floors: tuple[str, ...] = ()
    compared: str | None = None
    """The case that does the same work as the rivals, where that is not the subject."""

    @property
    def cases(self) -> tuple[str, ...]:
        """All cases of this row, in the order in which to show them."""
        own = [self.base, *self.floors, self.subject, self.compared]
        return tuple(dict.fromkeys(name for name in [*own, *self.rivals] if name))

    def kind_of(self, case: str) -> str:
        """Return `peer`, `floor` (no program can be faster than that) or `ours`."""
        if case in self.rivals:
            return "peer"
        return "floor" if case in (*self.floors, self.base) else "ours"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a row came to in one result, by one of its bars; seconds."""

    row: Row
    point: str
    measured: Summary
    bar: Bar
    best_rival: str | None
    ahead: Summary | None
    """Time of the best rival by ours, round by round: above 1 we are ahead."""

    against: Summary | None = None
    """The same of the rival that the bar names; None if it names none that was measured."""

    @property
    def reached(self) -> bool | None:
        """Whether the median stays within the bar; None if its rival was not measured."""
        if not self.bar.rival:
            return self.measured.median <= self.bar.value
        return None if self.against is None else self.against.median >= self.bar.value

    @property
    def limit(self) -> float | None:
        """The seconds that are to be reached; None if the bar's rival was not measured."""
        if not self.bar.rival:
            return self.bar.value
        if self.against is None:
            return None
        return self.measured.median * self.against.median / self.bar.value


def _startup_row(key: str, title: str, subject: str, rivals: tuple[str, ...]) -> Row:
    return Row(key, "startup", title, subject, startup.PYTHON, rivals)


def _configuration_row(operation: str, title: str) -> Row:
    case = configuration_speed.case
    return Row(
        key=operation,
        bench="configuration",
        title=title,
        subject=case(configuration_speed.OURS, operation),
        base=None,
        rivals=tuple(case(peer, operation) for peer in configuration_speed.PEERS.values()),
        floors=(case(configuration_speed.FLOOR, operation),),
    )


def _parse_row(state: str, title: str) -> Row:
    case = parse_speed.case
    return Row(
        key=f"parse_{state}",
        bench="parse",
        title=title,
        subject=case(parse_speed.OURS, state),
        base=None,
        rivals=(case(parse_speed.LINEAR, state), case(parse_speed.SERIAL, state)),
    )


def _export_row(key: str, what: str) -> Row:
    files = {"small": export_speed.SMALL, "large": export_speed.LARGE}[key]
    others = (*export_speed.PEERS.values(), export_speed.LOOP)
    return Row(
        key=f"export_{key}",
        bench="export",
        title=f"export to S3: {what}",
        subject=export_speed.case(export_speed.OURS, files),
        base=None,
        rivals=tuple(export_speed.case(other, files) for other in others),
    )


def _job_rows() -> tuple[Row, ...]:
    case, bests = job_cases.case, job_cases.RIVALS
    worst = [case(f"{where}: {job_cases.WORST}", job_cases.P99) for where in ("HTTP", "store")]
    starts = [
        Row(
            key=f"jobs_start_{which}",
            bench="jobs_start",
            title=f"submission to the job's own clock, idle server, {which}",
            subject=case(job_cases.OURS, which),
            base=None,
            rivals=tuple(case(rival, which) for rival in bests),
            floors=(case(job_cases.SPAWN, which),),
        )
        for which in (job_cases.P50, job_cases.P99)
    ]
    return (
        Row(
            key="jobs_throughput",
            bench="jobs_throughput",
            title="one of many jobs, `/bin/true` in two slots",
            subject=job_cases.OURS,
            base=None,
            rivals=(job_cases.MAKE, *bests),
        ),
        *starts,
        Row(
            key="jobs_bulk_submit",
            bench="jobs_bulk_submit",
            title="one job of a submission, acknowledged",
            subject=job_cases.OURS,
            base=None,
            rivals=(job_cases.HYPERQUEUE, job_cases.HUEY_SQLITE, job_cases.HUEY_REDIS),
        ),
        Row(
            key="jobs_million",
            bench="jobs_million",
            title="any list page, filter or count, p99",
            subject=worst[0],
            base=None,
            rivals=(),
            floors=(case(f"SQL: {job_cases.WORST}", job_cases.P99), worst[1]),
        ),
        Row(
            key="hub_pages",
            bench="jobs_million",
            title="any page of a hub with all that, p99",
            subject=case(f"{job_cases.PAGE}: {job_cases.WORST_PAGE}", job_cases.P99),
            base=None,
            rivals=(),
        ),
        Row(
            key="jobs_million_start",
            bench="jobs_million",
            title="start of the server to `/readyz`",
            subject=job_cases.START,
            base=None,
            rivals=(),
            floors=(job_cases.START_EMPTY,),
        ),
        Row(
            key="jobs_ready",
            bench="jobs_faults",
            title="ready again after a kill, p99",
            subject=job_cases.READY_P99,
            base=None,
            rivals=(),
        ),
    )


ROWS = (
    Row(
        key="command",
        bench="command_overhead",
        title="one toolbox command over the function itself",
        subject=command_overhead.COMMAND,
        base=command_overhead.FUNCTION,
        rivals=(
            command_overhead.PYINFRA.further,
            command_overhead.PYINFRA.one,
            command_overhead.ANSIBLE.further,
            command_overhead.ANSIBLE.one,
        ),
        floors=(command_overhead.SPAWN,),
        compared=command_overhead.COMMAND_WITH_PROCESS,
    ),
    _startup_row(
        "version",
        "`--version` over `python -c pass`",
        startup.OUR_VERSION,
        tuple(f"{program} --version" for program in startup.PROGRAMS),
    ),
    _startup_row(
        "help",
        "`--help` over `python -c pass`",
        startup.OUR_HELP,
        tuple(f"{program} --help" for program in startup.PROGRAMS),
    ),
    _startup_row(
        "noop",
        "a command that does nothing over `python -c pass`",
        startup.OUR_NOOP,
        (startup.HYDRA_APP,),
    ),
    _configuration_row("first_load", "configuration: the first load of a process"),
    _configuration_row("load", "configuration: load, with presets and provenance"),
    _configuration_row("get", "configuration: get a value"),
    _configuration_row("get_reference", "configuration: get a value behind a reference"),
    _configuration_row("set", "configuration: set a value"),
    _parse_row("cold", "results parsed to KPIs, nothing cached"),
    _parse_row("warm", "results parsed to KPIs again"),
    _export_row("small", "small files"),
    _export_row("large", "large files"),
    Row(
        key="change_points",
        bench="change_points",
        title="change points: one series",
        subject=change_points.case(change_points.OURS),
        base=None,
        rivals=tuple(change_points.case(peer) for peer in change_points.PEERS),
    ),
    *_job_rows(),
)


def read_bars(bars: Mapping[str, str]) -> dict[str, list[Bar]]:
    """Return the bars by row.

    Errors
    ------
    ConfigurationError
        A row that does not exist, a bad bar, or a rival that the row does not have.
    """
    rows = {row.key: row for row in ROWS}
    for key in bars:
        if key not in rows:
            raise ConfigurationError(unknown("bar", key, list(rows)))
    found = {key: parse_bars(str(text)) for key, text in bars.items()}
    for key, some in found.items():
        rivals = rows[key].rivals
        for bar in some:
            if bar.rival not in ("", BEST) and not _named(bar.rival, rivals):
                raise ConfigurationError(unknown(f"rival of {key}", bar.rival, [BEST, *rivals]))
    return found


def _named(beginning: str, rivals: Sequence[str]) -> list[str]:
    return [name for name in rivals if name.startswith(beginning)]


def judge(results: Sequence[Result], bars: Mapping[str, str]) -> list[Verdict]:
    """Return a verdict for every bar of a row, in every result that measured the row.

    A bar of a row that does not exist is a ConfigurationError.
    """
    limits = read_bars(bars)
    return [
        _judge(row, result, bar)
        for row in ROWS
        if row.key in limits
        for result in results
        if result.bench == row.bench and row.subject in result.seconds
        for bar in limits[row.key]
    ]


def _judge(row: Row, result: Result, bar: Bar) -> Verdict:
    seconds = result.seconds
    own = seconds[row.subject]
    compared = seconds.get(row.compared or row.subject, own)
    rivals = [name for name in row.rivals if name in seconds]

    def ahead_of(some: Sequence[str]) -> tuple[str | None, Summary | None]:
        best = min(some, key=lambda name: summarize(seconds[name]).median, default=None)
        return best, summarize(ratios(seconds[best], compared)) if best else None

    best, ahead = ahead_of(rivals)
    named = rivals if bar.rival == BEST else _named(bar.rival, rivals)
    return Verdict(
        row=row,
        point=point_of(result),
        measured=summarize(differences(own, seconds[row.base]) if row.base else own),
        bar=bar,
        best_rival=best,
        ahead=ahead,
        against=ahead_of(named)[1] if bar.rival else None,
    )


def point_of(result: Result) -> str:
    """Return what sets this result apart from others of its kind, as words; may be empty."""
    if result.bench == "parse":
        return f"{result.settings['results']} results"
    if result.bench == "export":
        return f"{result.settings['files']} files, {result.settings['megabytes']} MiB"
    settings = result.settings
    if "jobs" in settings:
        return f"{settings['jobs']:,} jobs"
    if result.bench == "jobs_faults":
        return f"{settings['rounds']:,} rounds"
    if settings.get("bench") == "change_points":
        return f"{settings['length']} points, steps of {settings['effect']:.0%}"
    applied = settings.get("applied")
    return "" if applied is None else f"{applied} presets applied"
