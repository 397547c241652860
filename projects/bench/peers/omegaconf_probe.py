"""OmegaConf: load a file, apply presets as a user has to write it, get, set."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf  # type: ignore[import-not-found]

from projects.bench.library.configuration_point import Task, run_probe
from projects.bench.library.timing import seconds_of_calls, seconds_per_call

if TYPE_CHECKING:
    from pathlib import Path


def load(folder: Path) -> Any:
    """Return the configuration with the chosen presets applied."""
    config = OmegaConf.load(folder / "omegaconf.yaml")
    presets = OmegaConf.to_container(config.ci_presets)

    def apply(name: str) -> None:
        changes = dict(presets[name])
        for extended in changes.pop("extends", ()):
            apply(extended)
        for key, value in changes.items():
            OmegaConf.update(config, key, value)

    for name in presets["to_apply"]:
        apply(name)
    return config


def answer(folder: Path, task: Task) -> dict[str, Any]:
    """Return the seconds of each operation and the values read."""
    first_load = seconds_of_calls(partial(load, folder), 1)
    config = load(folder)
    return {
        "plain_value": OmegaConf.select(config, task.plain_key),
        "reference_value": OmegaConf.select(config, task.reference_key),
        "first_load": first_load,
        "load": seconds_per_call(partial(load, folder)),
        "get": seconds_per_call(partial(OmegaConf.select, config, task.plain_key)),
        "get_reference": seconds_per_call(partial(OmegaConf.select, config, task.reference_key)),
        "set": seconds_per_call(partial(OmegaConf.update, config, task.plain_key, 1)),
    }


if __name__ == "__main__":
    run_probe(answer)
