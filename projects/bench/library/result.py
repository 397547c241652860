"""The file that one measured point leaves: settings, samples, versions, machine."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RESULT_FILE = "result.json"
_LARGEST = 16 * 1024**2


@dataclass(slots=True)
class Result:
    """What one point measured; `seconds` holds one sample for each case and round."""

    bench: str
    settings: dict[str, Any]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    """What is no duration: by case, figures by name."""
    notes: dict[str, str] = field(default_factory=dict)
    """What is to be known about a contestant, as a sentence."""


@contextmanager
def recorded(directory: Path, bench: str, settings: dict[str, Any]) -> Iterator[Result]:
    """Make `directory` a result directory: `settings.yaml`, `result.json`, `exit_code`.

    `exit_code` comes last, 0 or 1; a directory without it was not finished and is not a result.
    """
    settings = {"bench": bench, **settings}
    text = yaml.dump(settings, Dumper=yaml.CSafeDumper, sort_keys=False)
    (directory / "settings.yaml").write_text(text, encoding="utf-8")
    result = Result(bench, settings)
    try:
        yield result
        text = json.dumps(asdict(result), indent=1, ensure_ascii=False)
        (directory / RESULT_FILE).write_text(text + "\n", encoding="utf-8")
    except BaseException:
        (directory / "exit_code").write_text("1\n", encoding="utf-8")
        raise
    (directory / "exit_code").write_text("0\n", encoding="utf-8")


def own_versions(directory: Path) -> dict[str, str]:
    """Return the versions that the metadata of a command's directory names; our commit is one."""
    try:
        text = (directory / "_meta" / "metadata.yaml").read_text(encoding="utf-8")
    except OSError:
        return {}
    named = (yaml.load(text, Loader=yaml.CSafeLoader) or {}).get("versions", {})
    return {name: str(version) for name, version in named.items()}


def read_results(root: Path) -> list[Result]:
    """Return the finished results below `root`, in the order of their directories.

    Files beyond 16 MiB are not ours and raise a ValueError.
    """
    found = []
    for path in sorted(root.rglob(RESULT_FILE)):
        exit_code = path.parent / "exit_code"
        if not exit_code.is_file() or exit_code.read_text(encoding="utf-8").strip() != "0":
            continue
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"{path} is larger than {_LARGEST} bytes")
        found.append(Result(**json.loads(path.read_text(encoding="utf-8"))))
    return found
