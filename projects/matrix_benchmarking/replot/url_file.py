"""The file that lists several sources for one matrix of results."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.core.destinations.manifest import is_inside
from projects.core.errors import ConfigurationError, unknown, unreadable
from projects.matrix_benchmarking.replot.source import parse_source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.matrix_benchmarking.replot.source import Source
    from projects.matrix_benchmarking.results.result import Scalar

LARGEST = 1024 * 1024
"""Bytes of one file."""

MOST_ENTRIES = 10_000
_DEEPEST = 8
_KEYS = ("url", "dest_dir", "settings", "files")


@dataclass(frozen=True, slots=True)
class Entry:
    """One source: where it comes from, the directory of the results it goes to, its settings."""

    source: Source
    dest_dir: str
    settings: Mapping[str, Scalar] = field(default_factory=dict)


def read_url_file(path: Path) -> list[Entry]:
    """Return the entries of a file.

    It is a mapping with `download`, or just a list, of entries with `url`, `dest_dir` and perhaps
    `settings`, or with `files`: other such files, relative to this one and in its directory. Other
    keys are for others: the `visualize` of a file that selects plots too.

    Errors
    ------
    ConfigurationError
        It isn't that; two entries have the same `dest_dir`; files include each other.
    InfrastructureError
        It cannot be read.
    """
    root = Path(os.path.realpath(path.parent))
    entries = _entries_of(root, root / path.name, ())
    seen: dict[str, Entry] = {}
    for entry in entries:
        if entry.dest_dir in seen:
            first = seen[entry.dest_dir].source.given
            raise ConfigurationError(
                f'{path}: "{entry.dest_dir}" is the dest_dir of {first} and of {entry.source.given}'
            )
        seen[entry.dest_dir] = entry
    return entries


def _entries_of(root: Path, path: Path, above: tuple[Path, ...]) -> list[Entry]:
    chain = (*above, path)
    if path in above or len(chain) > _DEEPEST:
        said = " → ".join(one.name for one in chain)
        raise ConfigurationError(f"{path}: files include each other, or too deep: {said}")
    content = _load(path)
    if isinstance(content, dict):
        if "download" not in content:
            raise ConfigurationError(f"{path}: no key download, which lists what to fetch")
        content = content["download"]
    if not isinstance(content, list):
        raise ConfigurationError(f"{path}: download is a list of entries with url and dest_dir")
    entries: list[Entry] = []
    for number, one in enumerate(content, 1):
        where = f"{path}, entry {number}"
        _check_keys(one, where)
        if "files" in one:
            for name in _names(one["files"], where):
                entries += _entries_of(root, _inside(root, path.parent, name, where), chain)
        else:
            entries.append(_entry(one, where))
        if len(entries) > MOST_ENTRIES:
            raise ConfigurationError(f"{path}: more than {MOST_ENTRIES} entries")
    return entries


def _load(path: Path) -> Any:
    import yaml

    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(text) > LARGEST:
        raise ConfigurationError(f"{path} has more than {LARGEST} bytes")
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _check_keys(one: Any, where: str) -> None:
    if not isinstance(one, dict):
        raise ConfigurationError(f"{where}: a mapping with url and dest_dir, or files")
    for key in one:
        if key not in _KEYS:
            raise ConfigurationError(f"{where}: {unknown('key', str(key), _KEYS)}")
    if "files" in one and len(one) > 1:
        raise ConfigurationError(f"{where}: files stands alone")


def _names(value: Any, where: str) -> list[str]:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    raise ConfigurationError(f"{where}: files is a list of names of files")


def _inside(root: Path, folder: Path, name: str, where: str) -> Path:
    path = Path(os.path.realpath(folder / name))
    if not path.is_relative_to(root):
        raise ConfigurationError(f'{where}: "{name}" leads out of {root}')
    return path


def _entry(one: Mapping[str, Any], where: str) -> Entry:
    url, dest_dir = one.get("url"), one.get("dest_dir")
    if not isinstance(url, str):
        raise ConfigurationError(f"{where}: url is missing, or no text")
    if not isinstance(dest_dir, str) or not is_inside(dest_dir.strip("/") or "."):
        raise ConfigurationError(f"{where}: dest_dir is a directory of its own below the results")
    settings = one.get("settings") or {}
    if not isinstance(settings, dict) or any(
        isinstance(value, list | dict) for value in settings.values()
    ):
        raise ConfigurationError(f"{where}: settings is a mapping of names to plain values")
    named = {str(key): value for key, value in settings.items()}
    return Entry(parse_source(url), dest_dir.strip("/"), named)
