"""A verdict for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.matrix_benchmarking.reports.judged import gravest_first, headline
from projects.matrix_benchmarking.reports.page import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projects.matrix_benchmarking.reports.judged import Judged

MOST_LINES = 40
"""KPI values that are told one by one; the page has them all."""

ACCEPT = (
    "  To accept a regression: ./run_toolbox.py matrix_benchmarking ack KPI FILE --since=DAY "
    "--reason=TEXT --expires=DAY"
)

_QUIET = ("ok", "no history", "not judged")


def verdict_text(judged: Sequence[Judged], notes: Sequence[str] = ()) -> str:
    """Return the verdict: a headline, a line and a sentence for each value that is not quiet."""
    lines = [f"Verdict: {headline(judged)}"]
    told = [each for each in gravest_first(judged) if each.status not in _QUIET]
    for each in told[:MOST_LINES]:
        lines += _lines(each)
    if len(told) > MOST_LINES:
        lines.append(f"  and {len(told) - MOST_LINES} more, see verdict.html")
    lines += [f"  note: {note}" for note in notes]
    lines += [ACCEPT] if any(each.status == "regression" for each in told) else []
    return "\n".join(lines) + "\n"


def _lines(each: Judged) -> Iterator[str]:
    mark = STATES.get(each.status, ("", "·", ""))[1]
    where = f" ({each.where})" if each.where else ""
    yield f"  {mark} {each.status}: {each.kpi.name}{where}: {each.kpi.text}"
    if each.short:
        yield f"      {each.short}"
