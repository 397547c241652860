"""What a table has: columns with a type each, and the bounds of what is taken in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_COLUMNS = 500
MOST_NAME = 200
"""Characters in the name of a column, a test system or a test."""
MOST_CELL = 64 << 10
"""Bytes of one value, as UTF-8 text or as JSON."""
MOST_ROWS = 200_000
"""Rows of one upload."""
MARK = "@"
"""Names of what the hub itself knows of a row begin with it."""

EXACT = 1 << 53
"""Integers up to here, either sign, are exact as a double (IEEE 754)."""
LARGEST, SMALLEST = (1 << 63) - 1, -(1 << 63)
"""The integers that a column holds."""

Better = Literal["", "lower", "higher"]
BETTER = get_args(Better)


class Type(StrEnum):
    """What the values of a column are."""

    INTEGER = "integer"
    REAL = "real"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE_TIME = "date-time"
    JSON = "json"


NUMERIC = frozenset({Type.INTEGER, Type.REAL})


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `number` is its place, from 1, and never changes, nor does the name.

    `wide`: it holds integers that are not exact as a double, so it can't become real. `better`
    says which way is good, for verdicts; empty: nobody has said.
    """

    number: int
    name: str
    type: Type
    wide: bool = False
    unit: str = ""
    better: Better = ""

    @property
    def sql(self) -> str:
        """The name of the column in the database: nothing that a client sent."""
        return f"c{self.number}"

    def describe(self) -> dict[str, Any]:
        """Return what clients are shown."""
        return {
            "name": self.name,
            "type": str(self.type),
            "unit": self.unit,
            "better": self.better or None,
        }


def as_text(columns: Iterable[Column]) -> str:
    """Return what is kept of columns."""
    return json.dumps(
        [[c.number, c.name, str(c.type), c.wide, c.unit, c.better] for c in columns],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def from_text(text: str) -> tuple[Column, ...]:
    """Return the columns that `as_text` wrote."""
    return tuple(
        Column(number, name, Type(kind), wide, unit, better)
        for number, name, kind, wide, unit, better in json.loads(text)
    )
