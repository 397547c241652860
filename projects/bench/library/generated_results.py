"""Made-up result directories: many runs of a matrix, as a download of them leaves them."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PER_RUN = 100
"""Results of one run."""

_METADATA = """\
name: made up measure
group: made_up
command: measure
parameters:
  users: {users}
  mode: {mode}
  directory: null
versions:
  topgallant: 0.1.0
  python: 3.11.7
  git: 0123456789abcdef0123456789abcdef01234567
host: made-up
user: nobody
pid: {number}
start: '2026-01-01T{hour:02}:{minute:02}:{second:02}.{number:06}Z'
end: '2026-01-01T{hour:02}:{minute:02}:{second:02}.{number:06}Z'
seconds: 0.5
outcome: passed
exit_status: 0
"""


def generate(root: Path, *, count: int, samples: int, seed: int) -> None:
    """Make `count` results below `root`, each with so many samples; same seed, same content."""
    chance = random.Random(seed)  # noqa: S311 - made-up data
    for number in range(count):
        run, point = divmod(number, PER_RUN)
        folder = root / f"run_{run:04}"
        if not point:
            folder.mkdir(parents=True)
            (folder / "settings.from_url_file.yaml").write_text(f"run: {run}\n", encoding="utf-8")
        _write_result(folder / f"{point:03}__made_up__measure", number, samples, chance)


def _write_result(folder: Path, number: int, samples: int, chance: random.Random) -> None:
    users, mode = number % 10, ("fast", "safe")[number // 10 % 2]
    point = number % PER_RUN
    (folder / "_meta").mkdir(parents=True)
    settings = f"users: {users}\nmode: {mode}\npoint: {point}\nversion: 1.2.3\n"
    latencies = [round(chance.lognormvariate(0, 0.2), 6) for _ in range(samples)]
    numbers = {"rows_per_second": 1000 * chance.random(), "latencies_ms": latencies}
    second = number % 86_400
    metadata = _METADATA.format(
        users=users,
        mode=mode,
        number=number,
        hour=second // 3600,
        minute=second // 60 % 60,
        second=second % 60,
    )
    (folder / "settings.yaml").write_text(settings, encoding="utf-8")
    (folder / "results.json").write_text(json.dumps(numbers, indent=1), encoding="utf-8")
    (folder / "_meta" / "metadata.yaml").write_text(metadata, encoding="utf-8")
    (folder / "exit_code").write_text("0\n", encoding="utf-8")
