"""The settings of a directory, and those that it takes from the directories above it."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

from projects.core.errors import Mark
from projects.matrix_benchmarking.results.reading import (
    LARGEST_SMALL,
    Unreadable,
    read_text,
    read_yaml,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projects.matrix_benchmarking.results.result import Scalar

MAIN = ("settings", "settings.yaml", "settings.yml")
"""Files that make a directory with an `exit_code` a result; `settings` has lines `key=value`."""

MOST_SETTINGS = 1000


def settings_files(names: Iterable[str]) -> list[str]:
    """Return the settings files among the names, in the order in which later ones win."""
    found = [name for name in names if name == "settings" or name.startswith("settings.")]
    if len(found) > 1:
        found = [name for name in found if name in MAIN or name.endswith((".yaml", ".yml"))]
        found.sort(key=lambda name: (name not in MAIN, name))
    return found


def read_settings(directory: str, names: Iterable[str]) -> dict[str, Scalar]:
    """Return what the settings files of one directory say together.

    Errors
    ------
    Unreadable
        One of them cannot be read, or is no mapping of names to values.
    """
    merged: dict[str, Scalar] = {}
    for name in settings_files(names):
        path = os.path.join(directory, name)
        old = not name.endswith((".yaml", ".yml"))
        merged |= _read_lines(path) if old else _read_mapping(path)
    if len(merged) > MOST_SETTINGS:
        raise Unreadable(f"{directory}: {len(merged)} settings, of at most {MOST_SETTINGS}")
    return merged


def _read_mapping(path: str) -> dict[str, Scalar]:
    content = read_yaml(path, LARGEST_SMALL)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Unreadable(f"{path}: settings are a mapping, this is a {type(content).__name__}")
    return {str(key): _scalar(value) for key, value in content.items()}


def _read_lines(path: str) -> dict[str, Scalar]:
    settings: dict[str, Scalar] = {}
    for number, line in enumerate(read_text(path, LARGEST_SMALL).splitlines(), 1):
        if not line.strip():
            continue
        key, equals, value = line.strip().partition("=")
        if not equals:
            raise Unreadable(f'"{line.strip():.80}" is no key=value', where=Mark(path, number, 1))
        settings[key] = value
    return settings


def _scalar(value: Any) -> Scalar:
    """Return a value of YAML as a scalar: containers as JSON text, dates as ISO 8601 text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return str(value)
