"""A verdict as `verdict.md`: the comment of a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.reports.judged import NOTHING, gravest_first, headline, outcome
from projects.matrix_benchmarking.reports.kpi_table import number, percent, relative
from projects.matrix_benchmarking.reports.page import STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.matrix_benchmarking.reports.judged import Judged

MOST_ROWS = 60
"""Rows of a table; comments are cut by those who show them (65,536 characters at GitHub)."""

_QUIET = ("ok", "no history", "not judged")
_HEAD = "| | KPI | | value | last run | change |\n|---|---|---|--:|--:|--:|"


def verdict_markdown(judged: Sequence[Judged], notes: Sequence[str] = ()) -> str:
    """Return the comment: what changed first, everything else folded; text of others is escaped."""
    loud = [each for each in gravest_first(judged) if each.status not in _QUIET]
    quiet = [each for each in judged if each.status in _QUIET]
    lines = [f"### {outcome(judged)[1]}: {headline(judged)}", ""]
    lines += [_bullet(each) for each in loud[:MOST_ROWS]]
    if len(loud) > MOST_ROWS:
        lines.append(f"- and {len(loud) - MOST_ROWS} more")
    if loud:
        lines.append("")
    if quiet:
        lines += [f"<details><summary>{len(quiet)} without a change</summary>", "", _HEAD]
        lines += [_row(each) for each in quiet[:MOST_ROWS]]
        if len(quiet) > MOST_ROWS:
            lines.append(f"| | and {len(quiet) - MOST_ROWS} more | | | | |")
        lines += ["", "</details>", ""]
    lines += [f"> {_safe(note)}" for note in notes]
    return "\n".join(lines).rstrip() + "\n"


def _bullet(each: Judged) -> str:
    mark = STATES.get(each.status, ("", "·", ""))[1]
    where = f" ({_safe(each.where)})" if each.where else ""
    share = relative(each)
    change = f", {percent(share)} since the last run" if share is not None else ""
    said = f"<br>{_safe(each.short)}" if each.short else ""
    return f"- {mark} **{_safe(each.kpi.name)}**{where}: {_safe(each.kpi.text)}{change}{said}"


def _row(each: Judged) -> str:
    share = relative(each)
    cells = (
        STATES.get(each.status, ("", "·", ""))[1],
        _safe(each.kpi.name),
        _safe(each.where),
        _safe(each.kpi.text),
        number(each, each.before),
        NOTHING if share is None else percent(share),
    )
    return "| " + " | ".join(cells) + " |"


_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>@-])")


def _safe(words: str) -> str:
    """Return text that markdown shows as it is: no link, no mention, no HTML."""
    one_line = " ".join(words.split())
    return _SPECIAL.sub(lambda found: f"&#{ord(found[1])};", one_line.replace("&", "&amp;"))
