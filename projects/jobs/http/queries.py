"""The names of query parameters: one that a route doesn't know is a mistake, and is said."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from projects.core.errors import unknown
from projects.jobs.http.refusals import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import Request

MOST_SHOWN = 5
"""So many mistakes of one call are said."""


def check_names(request: Request) -> None:
    """Refuse query parameters that the route doesn't have, or that are given twice.

    Raises
    ------
    Invalid
        With the nearest name that it has.
    """
    possible = _names_of(request.scope.get("route"))
    items = request.query_params.multi_items()
    wrong = {name[:100]: "holds a NUL character" for name, value in items if "\0" in value}
    for name, times in Counter(name for name, _ in items).items():
        if name not in possible:
            wrong[name[:100]] = unknown("parameter", name[:100], possible)
        elif times > 1:
            wrong[name] = f"{name} is given {times} times"
        if len(wrong) >= MOST_SHOWN:
            break
    if wrong:
        raise Invalid("; ".join(wrong.values()), fields=wrong)


def _names_of(route: Any) -> frozenset[str]:
    """Return the names of the parameters of a route, which keeps them once they were asked for."""
    known: frozenset[str] | None = getattr(route, "topgallant_names", None)
    if known is None:
        known = frozenset(_names(getattr(route, "dependant", None)))
        if route is not None:
            route.topgallant_names = known
    return known


def _names(dependant: Any) -> Iterator[str]:
    for parameter in getattr(dependant, "query_params", ()):
        kind = parameter.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, field in kind.model_fields.items():
                yield field.alias or name
        else:
            yield parameter.alias
