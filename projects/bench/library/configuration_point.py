"""The configuration that every system reads, and what a probe is asked and answers about it.

A probe is `python -m MODULE FOLDER` in an interpreter of its own. It reads `task.json` there, and
prints one JSON object with the seconds of the OPERATIONS and the values it read, so that a system
that is fast because it is wrong is found out.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.bench.library import generated_config

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATIONS = ("first_load", "load", "get", "get_reference", "set")


@dataclass(frozen=True, slots=True)
class Task:
    """What a probe reads and writes, by dotted keys, and what it should find."""

    plain_key: str
    plain_value: Any
    reference_key: str
    reference_value: Any
    chosen: list[str]


def write_task(folder: Path, config: generated_config.GeneratedConfig) -> Task:
    """Write the configuration in all formats, and the task, to an existing empty folder."""
    reference_key = config.reference_keys()[0]
    reference = dict(generated_config.leaves(config.values))[reference_key]
    referred = config.final(reference.target)
    plain_key = _telling_key(config)
    task = Task(
        plain_key=plain_key,
        plain_value=config.final(plain_key),
        reference_key=reference_key,
        reference_value=f"see {referred} for it" if reference.within_text else referred,
        chosen=config.chosen,
    )
    files = {
        "config.yaml": generated_config.as_our_file(config),
        "omegaconf.yaml": generated_config.as_omegaconf_file(config),
        "task.json": json.dumps(asdict(task)),
    }
    for name, text in generated_config.as_hydra_folder(config).items():
        files[f"hydra/{name}"] = text
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return task


def _telling_key(config: generated_config.GeneratedConfig) -> str:
    """Return the deepest key, preferring those whose value shows that presets were applied."""
    written = dict(generated_config.leaves(config.values))
    keys = config.plain_keys()
    changed = [key for key in keys if config.final(key) != written[key]]
    return max(changed or keys, key=lambda key: key.count("."))


def read_task(folder: Path) -> Task:
    """Read what `write_task` wrote."""
    return Task(**json.loads((folder / "task.json").read_text(encoding="utf-8")))


def read_answer(text: str, task: Task) -> dict[str, float]:
    """Return the seconds by operation of a probe's output; a ValueError when its values are wrong.

    Only the last line counts, as programs like to talk before they start.
    """
    lines = text.strip().splitlines()
    if not lines:
        raise ValueError("the probe printed nothing")
    answer = json.loads(lines[-1])
    for what, expected in (
        ("plain_value", task.plain_value),
        ("reference_value", task.reference_value),
    ):
        if what in answer and answer[what] != expected:
            raise ValueError(f"{what} is {answer[what]!r}, expected {expected!r}")
    return {name: float(answer[name]) for name in OPERATIONS if name in answer}


def run_probe(answer: Callable[[Path, Task], dict[str, Any]]) -> None:
    """Be a probe: give the folder of the command line to `answer` and print what it returns."""
    folder = Path(sys.argv[1])
    sys.stdout.write(json.dumps(answer(folder, read_task(folder))) + "\n")
