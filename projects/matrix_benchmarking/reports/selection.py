"""`plots.yaml`: which plots go on which page, and of which results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.configuration.document import Document
from projects.core.errors import ConfigurationError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from projects.core.errors import Mark

KEYS = ("id", "generate", "filters")
MOST_PAGES = 200


@dataclass(frozen=True, slots=True)
class Selection:
    """One page: its plots by name, and the filter (`k=v1:v2,k2=v`) of its results."""

    id: str
    generate: tuple[str, ...]
    filter: str = ""


def read_selection(path: Path) -> list[Selection]:
    """Return the pages that a file asks for.

    The format: `visualize: [{id: throughput, generate: ["Name", …], filters: ["", "k=v"]}]`.
    Each filter makes a page of its own; without one there is one page of all results.

    Errors
    ------
    ConfigurationError
        The file is something else, with its line; or there are more than MOST_PAGES pages.
    InfrastructureError
        The file cannot be read.
    """
    document = Document.load(path)
    values = document.values
    entries = values.get("visualize") if isinstance(values, dict) else None
    if not isinstance(entries, list):
        raise ConfigurationError(
            f"{path}: visualize: [{{id: NAME, generate: [PLOT], filters: [FILTER]}}] is needed"
        )
    pages: list[Selection] = []
    for number, entry in enumerate(entries):
        where = document.origin(("visualize", number)).value
        found = _pages(entry, where)
        if any(page.id == found[0].id for page in pages):
            raise ConfigurationError(f'a second entry has the id "{found[0].id}"', where=where)
        pages += found
    if len(pages) > MOST_PAGES:
        raise ConfigurationError(f"{path} asks for {len(pages)} pages; at most {MOST_PAGES}")
    return pages


def every_plot(names: Iterable[str]) -> list[Selection]:
    """Return the one page of a workload that has no `plots.yaml`."""
    return [Selection("plots", tuple(names))]


def _pages(entry: Any, where: Mark) -> list[Selection]:
    if not isinstance(entry, dict):
        raise ConfigurationError(f"{entry!r:.60}: a mapping was expected", where=where)
    for key in entry:
        if key not in KEYS:
            raise ConfigurationError(unknown("key of visualize", str(key), KEYS), where=where)
    name = entry.get("id")
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError("this entry has no id", where=where)
    generate = _texts(entry.get("generate"), "generate", where)
    filters = _texts(entry.get("filters") or [""], "filters", where)
    return [Selection(name, generate, each) for each in filters]


def _texts(value: Any, key: str, where: Mark) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed or not all(isinstance(t, str) for t in listed):
        raise ConfigurationError(
            f"{key} is {value!r:.60}: a list of names was expected", where=where
        )
    return tuple(listed)
