"""Tables, groups and acknowledgements as JSON shows them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from projects.jobs.model.moment import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.hub.tables.values import Group, Known, ResultTable


def table_info(one: ResultTable) -> dict[str, Any]:
    """Return a table."""
    return {
        "test_system": one.test_system,
        "test_name": one.test_name,
        "owner": one.owner,
        "groups": list(one.groups),
        "created": iso(one.created),
        "updated": iso(one.updated),
        "version": one.version,
        "rows": one.rows,
        "errors": one.errors,
        "columns": [column.describe() for column in one.columns],
    }


def group_row(one: Group, names: Sequence[str]) -> dict[str, Any]:
    """Return a group; `names` are those of its key."""
    return {
        "key": dict(zip(names, one.key, strict=True)),
        "count": one.count,
        "values": one.values,
        "min": _finite(one.min),
        "median": _finite(one.median),
        "mean": _finite(one.mean),
        "max": _finite(one.max),
    }


def accepted(one: Known) -> dict[str, Any]:
    """Return an acknowledgement."""
    return {
        "number": one.number,
        "column": one.column,
        "labels": dict(one.labels),
        "since": iso(one.since),
        "reason": one.reason,
        "expires": one.expires,
        "by": one.by,
        "at": iso(one.at),
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
