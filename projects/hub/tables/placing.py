"""Values placed into the columns of a table: new columns, wider ones, and what doesn't fit.

Whatever the order of rows and uploads, every value is in its column or beside its row.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from itertools import repeat
from math import isfinite
from typing import TYPE_CHECKING, Any

from projects.hub.tables.batch import check_size, too_many_columns
from projects.hub.tables.columns import EXACT, MOST_CELL, MOST_COLUMNS, Column, Type
from projects.hub.tables.kinds import (
    Misfit,
    fit,
    fit_text,
    infer,
    keepable,
    kind_of,
    kind_of_text,
    numbers_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projects.hub.tables.batch import Batch

_SURE = MOST_CELL // 6  # so many characters fit, whatever they are, escaped


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows as they are stored: `cells[i]` are those of `used[i]`.

    `columns` are all that the table has now; `errors[n]` is what row `n`, from 0, has beside it,
    `{name: {"value", "error"}}`.
    """

    columns: tuple[Column, ...]
    added: tuple[Column, ...]
    widened: tuple[Column, ...]
    used: tuple[Column, ...]
    cells: tuple[list[Any], ...]
    errors: dict[int, dict[str, Any]]


def place(columns: Sequence[Column], batch: Batch) -> Placed:
    """Return how the rows of `batch` go into a table that has `columns` by now.

    Raises
    ------
    BadRows
        The table would have too many columns, or a value is too large.
    """
    known = {column.name: column for column in columns}
    added: list[Column] = []
    widened: list[Column] = []
    used: list[Column] = []
    cells: list[list[Any]] = []
    errors: dict[int, dict[str, Any]] = {}
    for name, values in zip(batch.names, batch.columns, strict=True):
        old = known.get(name)
        quick = numbers_of(values) if batch.textual else None
        kind = _type_for(old, values, quick[0] if quick else None, textual=batch.textual)
        if kind is None:
            continue  # nothing but nulls: the column is made when there is a value
        if quick and quick[0] is kind:
            values = quick[1]  # noqa: PLW2901  (the same values, read)
        stored, wrong = _fitted(
            values, kind, textual=batch.textual and not (quick and quick[0] is kind)
        )
        if kind is Type.JSON:
            _check_large(name, enumerate(stored))
        for row, said in wrong.items():
            beside = {"value": keepable(values[row]), "error": said}
            _check_large(name, [(row, json.dumps(beside["value"], ensure_ascii=False))])
            errors.setdefault(row, {})[name] = beside
        column = old or Column(len(known) + 1, name, kind)
        if column.type is not kind:
            column = replace(column, type=kind)
            widened.append(column)
        if kind is Type.INTEGER and not column.wide:
            column = replace(column, wide=_is_wide(stored))
        if old is None:
            added.append(column)
        known[name] = column
        used.append(column)
        cells.append(stored)
    if len(known) > MOST_COLUMNS:
        raise too_many_columns(len(known))
    return Placed(
        tuple(known.values()), tuple(added), tuple(widened), tuple(used), tuple(cells), errors
    )


def _type_for(
    column: Column | None, values: list[Any], numbers: Type | None, *, textual: bool
) -> Type | None:
    """Return the type that a column is to have from now on; None: there is nothing to tell from.

    `numbers`: all values are known to be of that type.
    """
    if column is not None and (column.type is not Type.INTEGER or column.wide):
        return column.type
    counts: Counter[Type | None]
    counts = Counter({numbers: 1}) if numbers else _count(values, textual=textual)
    if column is not None:
        return Type.REAL if counts.get(Type.REAL) else column.type
    found = infer(counts, textual=textual)
    if found is None and any(value is not None and value != "" for value in values):
        return Type.REAL  # NaN or infinite, all of them
    return found


def _count(values: list[Any], *, textual: bool) -> Counter[Type | None]:
    kinds = set(map(type, values))
    if not textual and kinds <= {int, type(None)}:
        return Counter({Type.INTEGER: len(values) - values.count(None)})
    return Counter(map(kind_of_text if textual else kind_of, values))


def _fitted(values: list[Any], kind: Type, *, textual: bool) -> tuple[list[Any], dict[int, str]]:
    if not textual and _all_fit(values, kind):
        return values, {}
    if textual and kind is Type.TEXT:
        return [cell or None for cell in values], {}
    one = fit_text if textual else fit
    try:
        return list(map(one, values, repeat(kind))), {}
    except Misfit:
        pass
    stored: list[Any] = []
    wrong: dict[int, str] = {}
    for row, value in enumerate(values):
        try:
            stored.append(one(value, kind))
        except Misfit as misfit:
            stored.append(None)
            wrong[row] = str(misfit)
    return stored, wrong


def _all_fit(values: list[Any], kind: Type) -> bool:
    """Return whether all values can be stored as they are, seen without a look at each."""
    kinds = set(map(type, values)) - {type(None)}
    if kind is Type.TEXT:
        return kinds <= {str}
    if kind is Type.REAL:
        return kinds <= {float} and all(isfinite(value) for value in values if value is not None)
    return False


def _is_wide(stored: list[Any]) -> bool:
    return any(value is not None and abs(value) > EXACT for value in stored)


def _check_large(name: str, texts: Iterable[tuple[int, str | None]]) -> None:
    """Refuse texts of JSON that are too large, each of a row."""
    for row, text in texts:
        if text is not None and len(text) > _SURE:
            check_size(row + 1, name, len(text.encode()))
