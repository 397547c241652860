"""PyYAML alone: what reading the file costs at least, and what a plain dict would."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import yaml

from projects.bench.library.configuration_point import Task, run_probe
from projects.bench.library.timing import seconds_of_calls, seconds_per_call

if TYPE_CHECKING:
    from pathlib import Path


def load(path: Path) -> Any:
    """Return the file as plain values; nothing is applied or resolved."""
    with path.open("rb") as stream:
        return yaml.load(stream, Loader=yaml.CSafeLoader)


def get(tree: Any, path: list[str]) -> Any:
    """Walk down nested dicts."""
    for step in path:
        tree = tree[step]
    return tree


def put(tree: Any, path: list[str], value: Any) -> None:
    """Set a value in nested dicts."""
    get(tree, path[:-1])[path[-1]] = value


def answer(folder: Path, task: Task) -> dict[str, Any]:
    """Return the seconds of each operation; there are no presets or references to compare."""
    read = partial(load, folder / "config.yaml")
    first_load = seconds_of_calls(read, 1)
    tree = read()
    path = task.plain_key.split(".")
    return {
        "first_load": first_load,
        "load": seconds_per_call(read),
        "get": seconds_per_call(partial(get, tree, path)),
        "set": seconds_per_call(partial(put, tree, path, 1)),
    }


if __name__ == "__main__":
    run_probe(answer)
