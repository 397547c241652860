"""A submission as a table: which parameters its jobs differ in, and where each job stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.hub.pages import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_COLUMNS = 12


@dataclass(frozen=True, slots=True)
class Matrix:
    """`across` is the parameter of the columns; a row's head are its values of `down`."""

    down: Sequence[str]
    across: str
    columns: Sequence[str]
    rows: Sequence[tuple[Sequence[str], Sequence[Sequence[Mapping[str, Any]]]]]


def arrange(jobs: Sequence[Mapping[str, Any]]) -> Matrix | None:
    """Return the table of `jobs`; None if they don't differ in a way that a table shows."""
    tables = [_values(job) for job in jobs]
    names = list(dict.fromkeys(name for table in tables for name in table))
    kinds = {name: list(dict.fromkeys(t.get(name, "") for t in tables)) for name in names}
    varied = [name for name in names if len(kinds[name]) > 1]
    few = [name for name in varied if len(kinds[name]) <= MOST_COLUMNS]
    if not few or len(jobs) < 2:  # noqa: PLR2004  (one job is no table)
        return None
    across = few[-1]
    down = [name for name in varied if name != across]
    columns = kinds[across]
    rows: dict[tuple[str, ...], list[list[Mapping[str, Any]]]] = {}
    for job, table in zip(jobs, tables, strict=True):
        head = tuple(table.get(name, "") for name in down)
        cells = rows.setdefault(head, [[] for _ in columns])
        cells[columns.index(table.get(across, ""))].append(job)
    return Matrix(down, across, columns, list(rows.items()))


def _values(job: Mapping[str, Any]) -> dict[str, str]:
    return {"tool": job["tool"]} | {k: words.value(v) for k, v in job["params"].items()}
