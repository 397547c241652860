"""What is known of result tables, their rows, and where rows come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from projects.jobs.http.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projects.hub.tables.columns import Column


class Conflict(Refusal):
    """The same Idempotency-Key came with something else before."""

    http_status = 409


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table; moments are µs. `version` grows with whatever changes what it shows."""

    number: int
    test_system: str
    test_name: str
    owner: str
    groups: tuple[str, ...]
    created: int
    updated: int
    version: int
    rows: int
    errors: int
    """Rows that have a value beside them that doesn't fit its column."""
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        """Both names, for people."""
        return f"{self.test_system}/{self.test_name}"

    @property
    def sql(self) -> str:
        """The name of the SQL table of its rows."""
        return f"hub_rows_{self.number}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from."""

    submitter: str
    satellite: str | None = None
    job: str | None = None
    artifact: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row; `values` are JSON by the names of columns, missing ones None.

    `errors` is what didn't fit its column: `{name: {"value", "error"}}`.
    """

    number: int
    at: int
    origin: Origin
    values: Mapping[str, Any]
    errors: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows; `next` leads to those after them, None: there are none."""

    rows: Sequence[Row]
    next: str | None
    matching: int | None = None
    """How many fit the filter, if that was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of an upload; `replayed`: it was done before."""

    body: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with the same `key`; figures are None where no row has a value."""

    key: tuple[Any, ...]
    count: int
    values: int
    min: float | None = None
    median: float | None = None
    mean: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A change that somebody accepts for a while; `since` in µs, `expires` the last day."""

    number: int
    column: str
    since: int
    reason: str
    expires: str
    by: str
    at: int
    labels: Mapping[str, str] = field(default_factory=dict)
