"""Hydra: compose a folder with one group of presets, get, set."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from hydra import compose, initialize_config_dir  # type: ignore[import-not-found]
from omegaconf import OmegaConf  # type: ignore[import-not-found]

from projects.bench.library.configuration_point import Task, run_probe
from projects.bench.library.timing import seconds_of_calls, seconds_per_call

if TYPE_CHECKING:
    from pathlib import Path


def load(folder: Path, chosen: list[str]) -> Any:
    """Return the composed configuration with the chosen presets applied."""
    path = str((folder / "hydra").resolve())
    with initialize_config_dir(config_dir=path, version_base=None):
        return compose("config", overrides=[f"+preset=[{','.join(chosen)}]"])


def answer(folder: Path, task: Task) -> dict[str, Any]:
    """Return the seconds of each operation and the values read."""
    first_load = seconds_of_calls(partial(load, folder, task.chosen), 1)
    config = load(folder, task.chosen)
    return {
        "plain_value": OmegaConf.select(config, task.plain_key),
        "reference_value": OmegaConf.select(config, task.reference_key),
        "first_load": first_load,
        "load": seconds_per_call(partial(load, folder, task.chosen)),
        "get": seconds_per_call(partial(OmegaConf.select, config, task.plain_key)),
        "get_reference": seconds_per_call(partial(OmegaConf.select, config, task.reference_key)),
        "set": seconds_per_call(partial(OmegaConf.update, config, task.plain_key, 1)),
    }


if __name__ == "__main__":
    run_probe(answer)
