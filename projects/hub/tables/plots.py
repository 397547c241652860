"""Plots and verdicts of tables: made when asked for, kept until the table changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from projects.hub.tables import accepting, filters, reading, verdicts
from projects.hub.tables.columns import Column, Type
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects.hub.tables.filters import Field
    from projects.hub.tables.plot import Shade
    from projects.hub.tables.store import Tables
    from projects.hub.tables.values import ResultTable
    from projects.hub.tables.verdicts import Drawn

MOST_KEPT = 256
"""Pictures and verdicts that are kept; some 100 kB at most each."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be drawn: a numeric column, maybe a series for each value of another one."""

    column: str
    group: str | None = None
    time: str | None = None
    where: str | None = None


class Plots:
    """Draws columns of tables; any thread may call anything."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def picture(self, table: ResultTable, wanted: Wanted, shade: Shade) -> bytes:
        """Return the picture, as SVG.

        Raises
        ------
        BadWords
            There is no such column, or it can't be drawn.
        """
        return bytes(self._once(table, (wanted, shade), lambda: self._draw(table, wanted, shade)))

    def verdict(self, table: ResultTable, wanted: Wanted) -> dict[str, Any]:
        """Return the verdicts as JSON shows them; raises as `picture` does."""
        _, drawn, time, remarks = self._judged(table, wanted)
        return {
            "column": wanted.column,
            "time": time.name,
            "series": [verdicts.describe(one) for one in drawn],
            "remarks": remarks,
        }

    @staticmethod
    def rehearse() -> None:
        """Judge and draw what is made up: all that the first picture would have to import."""
        from projects.hub.tables.plot import picture

        column = Column(1, "latency", Type.REAL)
        rows = [(1.0 + number % 3, number, number * moment.SECOND) for number in range(100)]
        drawn, _ = verdicts.judged(column, None, rows, ())
        picture(column, drawn, verdicts.AT.name)

    def _draw(self, table: ResultTable, wanted: Wanted, shade: Shade) -> bytes:
        from projects.hub.tables.plot import picture

        column, drawn, time, remarks = self._judged(table, wanted)
        return picture(column, drawn, time.name, remarks, shade)

    def _judged(
        self, table: ResultTable, wanted: Wanted
    ) -> tuple[Column, list[Drawn], Field, list[str]]:
        made: tuple[Column, list[Drawn], Field, list[str]] = self._once(
            table, (wanted,), lambda: self._judge(table, wanted)
        )
        return made

    def _judge(
        self, table: ResultTable, wanted: Wanted
    ) -> tuple[Column, list[Drawn], Field, list[str]]:
        columns = table.columns
        column = verdicts.numeric(wanted.column, columns)
        time = verdicts.time_field(wanted.time, columns)
        group = None if wanted.group is None else filters.field_of(wanted.group, columns)
        tests = filters.parse(wanted.where, columns)
        fields = [
            filters.field_of(column.name, columns),
            filters.field_of("@row", columns),
            time,
            *([group] if group else []),
        ]
        rows = reading.series(self._tables.database, table, fields, tests, verdicts.MOST_POINTS + 1)
        remarks = []
        if len(rows) > verdicts.MOST_POINTS:
            rows = rows[1:]
            remarks.append(f"The newest {verdicts.MOST_POINTS:,} values are shown.")
        known = accepting.all_of(self._tables.database, table)
        drawn, left = verdicts.judged(column, group, rows, known)
        if left:
            remarks.append(f"{left:,} smaller series are not shown.")
        return column, drawn, time, remarks

    def _once(self, table: ResultTable, what: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        # The day is part of it: acknowledgements expire.
        today = datetime.now(UTC).date()
        key = (table.number, table.version, today, *what)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return made
