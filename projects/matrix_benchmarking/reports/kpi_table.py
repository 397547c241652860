"""The table of KPIs: value, history, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.matrix_benchmarking.reports.drawing.panel import escape
from projects.matrix_benchmarking.reports.judged import NOTHING, point, varying
from projects.matrix_benchmarking.reports.page import row, state, table
from projects.matrix_benchmarking.reports.sparkline import sparkline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projects.matrix_benchmarking.reports.judged import Judged

_HEAD = ("Value", "Last run", "Change", "History", "Verdict", "")

MINUS = "\N{MINUS SIGN}"

MOST_COLUMNS = 5
"""Labels that have a column each; more of them stand in one."""


def kpi_table(judged: Sequence[Judged], *, caption: str = "") -> str:
    """Return one row per KPI value, grouped by KPI; `judged` in the order of the results."""
    if not judged:
        return '<p class="soft">There are no KPIs.</p>'
    names = varying(each.kpi.labels for each in judged)
    columns = tuple(names) if 1 <= len(names) <= MOST_COLUMNS else ("",)
    by_kpi: dict[str, list[Judged]] = {}
    for each in judged:
        by_kpi.setdefault(each.kpi.name, []).append(each)
    rows = [line for group in by_kpi.values() for line in _group(group, columns, names)]
    first = len(columns)
    head = (*columns, *_HEAD)
    return table(head, rows, numbers=range(first, first + 3), caption=caption)


def _group(values: list[Judged], columns: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    kpi = values[0].kpi
    better = "lower is better" if kpi.lower_better else "higher is better"
    said = f" <small>{escape(kpi.help)} · {better}</small>"
    span = len(columns) + len(_HEAD)
    head = f'<tr class="group"><th scope="rowgroup" colspan="{span}">'
    yield f"{head}{escape(kpi.name)}{said}</th></tr>"
    for each in values:
        places = (
            [each.kpi.labels.get(name, NOTHING) for name in columns]
            if columns != ("",)
            else [point(each.kpi.labels, names) or "all"]
        )
        yield _row(each, [escape(place) for place in places])


def _row(each: Judged, places: Sequence[str]) -> str:
    return row(
        *places[1:],
        f"={escape(each.kpi.text)}",
        f"={escape(number(each, each.before))}",
        f"={change_text(each)}",
        _history(each),
        state(each.status),
        f'<span class="soft">{escape(each.short)}</span>',
        first=places[0],
        kind=each.kind if each.kind in ("bad", "good", "warn") else "",
    )


def number(each: Judged, value: float | None) -> str:
    """Return a value of the KPI as people read it, without the unit."""
    return NOTHING if value is None else each.kpi.format.format(value)


def relative(each: Judged) -> float | None:
    """Return the change since the last run, relative to it; None where there is none."""
    if each.number is None or not each.before:
        return None
    return (each.number - each.before) / abs(each.before)


def percent(share: float) -> str:
    """Return a relative change with its sign: +3.2 %, -12 %."""
    size = abs(share) * 100
    digits = 0 if size >= 10 else 1  # noqa: PLR2004 - two digits tell
    return f"{'+' if share >= 0 else MINUS}{size:.{digits}f} %"


def change_text(each: Judged) -> str:
    """Return the change since the last run as a cell."""
    share = relative(each)
    return f'<span class="soft">{NOTHING}</span>' if share is None else escape(percent(share))


def _history(each: Judged) -> str:
    values = [*each.earlier, *([each.number] if each.number is not None else [])]
    if not each.earlier:
        return '<span class="soft">first value</span>'
    return sparkline(values, kind=each.kind, changed_at=each.changed_at)
