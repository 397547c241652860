"""A result directory: `settings.yaml`, `results.json`, `exit_code`; written once, found again."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError, exit_status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SETTINGS, NUMBERS, EXIT_CODE = "settings.yaml", "results.json", "exit_code"


@dataclass(frozen=True, slots=True)
class Result:
    """One result that was found: `numbers` is empty unless `exit_code` is 0."""

    directory: Path
    settings: Mapping[str, Any]
    numbers: Mapping[str, Any]
    exit_code: int


@contextmanager
def result_directory(directory: Path, settings: Mapping[str, object]) -> Iterator[None]:
    """Make `directory` a result: its settings first, its exit code last, whatever happens."""
    import yaml

    text = yaml.dump(dict(settings), Dumper=yaml.CSafeDumper, sort_keys=False)
    (directory / SETTINGS).write_text(text, encoding="utf-8")
    status = 0
    try:
        yield
    except BaseException as error:
        status = exit_status_of(error)
        raise
    finally:
        (directory / EXIT_CODE).write_text(f"{status}\n", encoding="utf-8")


def write_numbers(directory: Path, numbers: Mapping[str, object]) -> None:
    """Write `results.json`; the name of a number says its unit."""
    text = json.dumps(numbers, indent=2, allow_nan=False) + "\n"
    (directory / NUMBERS).write_text(text, encoding="utf-8")


def find_results(root: Path) -> list[Result]:
    """Return the results below `root` in the order of their paths.

    A directory without a readable `exit_code` is a measurement that never ended: left out.
    Raises `UsageError` where a file of a result cannot be read.
    """
    found = []
    for path in sorted(root.rglob(SETTINGS)):
        exit_code = _exit_code(path.with_name(EXIT_CODE))
        if exit_code is None:
            continue
        numbers = path.with_name(NUMBERS)
        measured = exit_code == 0 and numbers.is_file()
        found.append(
            Result(
                directory=path.parent,
                settings=_mapping(path, _read_yaml),
                numbers=_mapping(numbers, json.loads) if measured else {},
                exit_code=exit_code,
            )
        )
    return found


def _read_yaml(text: str) -> object:
    import yaml

    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _mapping(path: Path, read: Callable[[str], object]) -> dict[str, Any]:
    try:
        content = read(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: a mapping was expected, this is {type(content).__name__}")
    return content


def _exit_code(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
