"""What type a value is of, which type a column gets, and whether a value fits one."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from projects.hub.tables.columns import EXACT, LARGEST, SMALLEST, Type
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)", re.ASCII)
_REAL = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII
)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.ASCII,
)
# Whole columns: at most so many digits that nothing is rounded, nor too large.
_INTEGERS = re.compile(r"(?:(?:[+-]?(?:0|[1-9][0-9]{0,17}))?\n)*+", re.ASCII)
_REALS = re.compile(
    r"(?:(?:[+-]?(?:(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?)?\n)*+",
    re.ASCII,
)
_NOT_FINITE = frozenset(
    ("nan", "inf", "infinity", "+inf", "-inf", "+infinity", "-infinity", "+nan", "-nan")
)
_BOOLEANS = {"true": True, "false": False}
_MOST_DIGITS = 4000  # longer ones int() refuses

_KINDS: dict[type, Type] = {
    bool: Type.BOOLEAN,
    int: Type.INTEGER,
    dict: Type.JSON,
    list: Type.JSON,
}
# Of as many values of two types the column gets the first of these; in CSV, where everything fits
# a column of text, that comes first.
_FIRST = (Type.REAL, Type.INTEGER, Type.DATE_TIME, Type.BOOLEAN, Type.JSON, Type.TEXT)
_FIRST_OF_CSV = (Type.TEXT, *_FIRST[:-1])


class Misfit(ValueError):
    """A value isn't of the type of its column; the message says what it is."""


def kind_of(value: Any) -> Type | None:
    """Return the type of a value of JSON; None of null, and of NaN and infinities."""
    kind = type(value)
    if kind is float:
        return Type.REAL if math.isfinite(value) else None
    if kind is str:
        return Type.DATE_TIME if moment_of(value) is not None else Type.TEXT
    return _KINDS.get(kind)


def kind_of_text(cell: str) -> Type | None:
    """Return the type that a cell of CSV looks like; None of an empty one, NaN and infinities.

    Digits after a leading zero are text: they are names such as 007.
    """
    if not cell:
        return None
    if cell[0] in "+-.0123456789":
        if _INTEGER.fullmatch(cell) and len(cell) < _MOST_DIGITS:
            return Type.INTEGER
        if _REAL.fullmatch(cell):
            return Type.REAL if math.isfinite(float(cell)) else None
        if moment_of(cell) is not None:
            return Type.DATE_TIME
    folded = cell.lower()
    if folded in _NOT_FINITE:
        return None
    return Type.BOOLEAN if folded in _BOOLEANS else Type.TEXT


def numbers_of(cells: list[str]) -> tuple[Type, list[Any]] | None:
    """Return a column of CSV as what it holds if all of it is integers or reals of usual size.

    What `kind_of_text` and `fit_text` say of each cell, several times as quick; None: ask them.
    """
    text = "\n".join([*cells, ""])
    if text.count("\n") != len(cells) or not any(cells):
        return None
    if _INTEGERS.fullmatch(text):
        return Type.INTEGER, [int(cell) if cell else None for cell in cells]
    if _REALS.fullmatch(text):
        return Type.REAL, [float(cell) if cell else None for cell in cells]
    return None


def infer(counts: Mapping[Type | None, int], *, textual: bool = False) -> Type | None:
    """Return the type of a new column whose first rows have so many values of each type.

    That of most of them, whatever their order; integers beside reals are reals. None: there are
    no values of any type. `textual`: they are cells of CSV.
    """
    found = {kind: count for kind, count in counts.items() if kind is not None and count}
    if Type.REAL in found:
        found[Type.REAL] += found.pop(Type.INTEGER, 0)
    first = _FIRST_OF_CSV if textual else _FIRST
    return max(first, key=lambda kind: found.get(kind, 0)) if found else None


def moment_of(text: str) -> int | None:
    """Return the µs of a day or moment in ISO 8601, UTC if it has no zone; None: it is none.

    A fraction finer than µs is not taken: it would be cut.
    """
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return moment.parse_iso(text)
    except (ValueError, OverflowError):
        return None


def fit(value: Any, kind: Type) -> Any:  # noqa: PLR0911  (a line for each type)
    """Return a value of JSON as a column of type `kind` holds it; null is None everywhere.

    Raises
    ------
    Misfit
        It is of another type, or too large for the column.
    """
    if value is None:
        return None
    if kind is Type.JSON:
        return _fit_json(value)
    given = type(value)
    if kind is Type.TEXT and given is str:
        return value
    if kind is Type.BOOLEAN and given is bool:
        return int(value)
    if kind is Type.INTEGER and given is int:
        return _fit_integer(value)
    if kind is Type.REAL and given in (int, float):
        return _fit_real(value)
    if kind is Type.DATE_TIME and given is str:
        at = moment_of(value)
        if at is not None:
            return at
    raise Misfit(f"{_shown(value)} is no {kind}")


def fit_text(cell: str, kind: Type) -> Any:  # noqa: PLR0911  (a line for each type)
    """Return a cell of CSV as a column of type `kind` holds it; an empty cell is null.

    Raises
    ------
    Misfit
        It isn't written as a value of that type.
    """
    if not cell:
        return None
    if kind is Type.TEXT:
        return cell
    if kind is Type.JSON:
        return _fit_json(_json_of(cell))
    if kind is Type.INTEGER and _INTEGER.fullmatch(cell) and len(cell) < _MOST_DIGITS:
        return _fit_integer(int(cell))
    if kind is Type.REAL and _REAL.fullmatch(cell):
        whole = _INTEGER.fullmatch(cell) and len(cell) < _MOST_DIGITS
        return _fit_real(int(cell) if whole else float(cell))
    if kind is Type.BOOLEAN and cell.lower() in _BOOLEANS:
        return int(_BOOLEANS[cell.lower()])
    if kind is Type.DATE_TIME:
        at = moment_of(cell)
        if at is not None:
            return at
    raise Misfit(f"{_shown(cell)} is no {kind}")


def show(stored: Any, kind: Type) -> Any:
    """Return what a column holds as a value of JSON."""
    if stored is None:
        return None
    if kind is Type.DATE_TIME:
        return moment.iso(stored)
    if kind is Type.REAL:
        return float(stored)
    if kind is Type.BOOLEAN:
        return bool(stored)
    return json.loads(stored) if kind is Type.JSON else stored


def keepable(value: Any) -> Any:
    """Return a value that fits nowhere as strict JSON can hold it: NaN and infinities as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else _name(value)
    if isinstance(value, dict | list):
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            return json.dumps(value, ensure_ascii=False)
    return value


def _fit_integer(value: int) -> int:
    if SMALLEST <= value <= LARGEST:
        return value
    raise Misfit(f"{_shown(value)} is beyond the integers of 64 bits")


def _fit_real(value: float) -> float:
    if isinstance(value, int):
        if abs(value) > EXACT and (abs(value) > LARGEST or int(float(value)) != value):
            raise Misfit(f"{_shown(value)} has more digits than a real keeps")
        return float(value)
    if math.isfinite(value):
        return value
    raise Misfit(f"{_name(value)} is no number")


def _fit_json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise Misfit("it holds NaN or an infinity, which are no JSON") from None


def _json_of(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


def _name(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _shown(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**40:
        return f"an integer of {value.bit_length()} bits"
    text = str(keepable(value)) if isinstance(value, float) else json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004  (of a line)
