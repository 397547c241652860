"""Files of results: bounded reads whose errors name the file and the place in it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from projects.core.errors import Mark, UsageError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_SMALL = 1024**2
"""Bytes; no settings, exit code or metadata is longer."""

LARGEST = 256 * 1024**2
"""Bytes; no file that a parser reads through these functions is longer."""


class Unreadable(UsageError):
    """A file of a result that is missing, too long, truncated, or not what it should be."""


def read_bytes(path: Path | str, most: int = LARGEST) -> bytes:
    """Return the content of a file of at most `most` bytes; `Unreadable` otherwise."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            content = file.read(most + 1)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from None
    if len(content) > most:
        raise Unreadable(f"{path}: longer than {most} bytes")
    return content


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe without a writer would wait for ever


def read_text(path: Path | str, most: int = LARGEST) -> str:
    """Return the UTF-8 text of a file; `Unreadable` when it is none."""
    try:
        return read_bytes(path, most).decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: byte {error.start} is no UTF-8") from None


def read_json(path: Path | str) -> Any:
    """Return what a JSON file holds; `Unreadable` with line and column when it is truncated.

    NaN and Infinity are read as the numbers: KPIs tell what they do with them.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cut = " (truncated?)" if error.pos >= len(text.rstrip()) - 1 else ""
        where = Mark(str(path), error.lineno, error.colno)
        raise Unreadable(f"no JSON: {error.msg}{cut}", where=where) from None
    except RecursionError:
        raise Unreadable(f"{path}: nested too deep") from None


def read_yaml(path: Path | str, most: int = LARGEST) -> Any:
    """Return what a YAML file holds; `Unreadable` with line and column when it is none."""
    import yaml

    text = read_text(path, most)
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = Mark(str(path), mark.line + 1, mark.column + 1) if mark else None
        said = getattr(error, "problem", None) or str(error)
        raise Unreadable(f"no YAML: {said}", where=where) from None
    except (ValueError, RecursionError) as error:  # a date that is none, a nest of brackets
        raise Unreadable(f"{path}: no YAML: {error}") from None
