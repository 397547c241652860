"""Read what `sqlite measure` leaves: `results.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.results.parser import SimpleParser
from projects.matrix_benchmarking.results.reading import read_json

if TYPE_CHECKING:
    from pathlib import Path


class SqliteParser(SimpleParser):
    """Takes the numbers as they were written; their names say their units."""

    version = "1"
    important_files = ("results.json",)

    def parse_once(self, directory: Path) -> Any:
        """Return the numbers of one point."""
        return read_json(directory / "results.json")


PARSER = SqliteParser()
