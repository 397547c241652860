"""Ours: load a file with presets and provenance, get, set, through the doors that projects use."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from projects.bench.library.configuration_point import Task, run_probe
from projects.bench.library.timing import seconds_of_calls, seconds_per_call
from projects.core.library import config, env

if TYPE_CHECKING:
    from pathlib import Path


def answer(folder: Path, task: Task) -> dict[str, Any]:
    """Return the seconds of each operation and the values read."""
    env.init()
    load = partial(config.load, folder, {})
    first_load = seconds_of_calls(load, 1)
    project = config.Project(load(), folder)
    get = partial(project.get_config, print=False)
    return {
        "plain_value": get(task.plain_key),
        "reference_value": get(task.reference_key),
        "first_load": first_load,
        "load": seconds_per_call(load),
        "get": seconds_per_call(partial(get, task.plain_key)),
        "get_reference": seconds_per_call(partial(get, task.reference_key)),
        "set": seconds_per_call(
            partial(project.set_config, task.plain_key, task.plain_value, print=False)
        ),
    }


if __name__ == "__main__":
    run_probe(answer)
