"""What the directories around a result tell about its run; each is read once."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.results.reading import (
    LARGEST_SMALL,
    Unreadable,
    read_bytes,
    read_text,
    read_yaml,
)
from projects.matrix_benchmarking.results.result import Surroundings
from projects.matrix_benchmarking.results.settings import read_settings

if TYPE_CHECKING:
    from projects.matrix_benchmarking.results.result import Scalar
    from projects.matrix_benchmarking.results.walk import Level

# metadata.yaml is written by this toolkit, one key a line: this is ten times faster than YAML.
_MOMENT = re.compile(r"^(start|end): '?([0-9T:.+-]+Z?)'?$", re.MULTILINE)
_VERSIONS = re.compile(r"^versions:\n((?:  \S.*\n)*)", re.MULTILINE)


class Around:
    """Settings and surroundings of the levels of one walk, kept while it lasts."""

    def __init__(self) -> None:
        self._settings: dict[int, dict[str, Scalar]] = {}
        self._levels: dict[int, Surroundings] = {}

    def settings(self, level: Level | None) -> dict[str, Scalar]:
        """Return the settings of a level and all above it; Unreadable if one cannot be read."""
        if level is None:
            return {}
        known = self._settings.get(id(level))
        if known is None:
            known = self.settings(level.above) | read_settings(level.path, level.names)
            self._settings[id(level)] = known
        return known

    def of_result(self, level: Level) -> Surroundings:
        """Return the surroundings of a result, those within it included."""
        outer = self._of(level.above)
        return _inner(level, outer) if level.names & _TOLD else outer

    def _of(self, level: Level | None) -> Surroundings:
        if level is None:
            return Surroundings()
        known = self._levels.get(id(level))
        if known is None:
            known = self._levels[id(level)] = _inner(level, self._of(level.above), run=True)
        return known


_TOLD = frozenset(("fingerprint.yaml", "config.yaml", "presets_applied"))


def _inner(level: Level, outer: Surroundings, *, run: bool = False) -> Surroundings:
    facts: dict[str, Any] = {}
    if "fingerprint.yaml" in level.names:
        inner = _fingerprint(f"{level.path}/fingerprint.yaml")
        facts["fingerprint"] = {**outer.fingerprint, **inner}
    if "presets_applied" in level.names:
        facts["presets"] = _presets(f"{level.path}/presets_applied")
    if "config.yaml" in level.names:
        facts["config_sha256"] = _config(level.path)
    if run and outer.run_start is None:
        metadata = read_metadata(level.path)
        facts |= {"run_start": metadata.get("start"), "versions": metadata.get("versions", {})}
    if not facts:
        return outer
    known = {name: getattr(outer, name) for name in Surroundings.__dataclass_fields__}
    return Surroundings(**known | facts)


def read_metadata(directory: str) -> dict[str, Any]:
    """Return start, end and versions of `_meta/metadata.yaml`, as far as it is there."""
    path = f"{directory}/_meta/metadata.yaml"
    if not os.path.exists(path):
        return {}
    try:
        text = read_text(path, LARGEST_SMALL)
    except Unreadable:
        return {}
    found: dict[str, Any] = dict(_MOMENT.findall(text))
    block = _VERSIONS.search(text)
    if block:
        lines = (line.strip().partition(": ") for line in block[1].splitlines())
        found["versions"] = {name: value.strip("'\"") for name, _, value in lines}
    return found


def _config(directory: str) -> str | None:
    """Return the SHA-256 of a run's configuration: as it began, if that was kept."""
    for path in (f"{directory}/_meta/config.yaml", f"{directory}/config.yaml"):
        try:
            return hashlib.sha256(read_bytes(path)).hexdigest()
        except Unreadable:
            continue
    return None


def _presets(path: str) -> tuple[str, ...]:
    try:
        lines = read_text(path, LARGEST_SMALL).splitlines()
    except Unreadable:
        return ()
    named = (re.match(r"preset\[(.+?)\] ", line) for line in lines)
    return tuple(dict.fromkeys(match[1] for match in named if match))


def _fingerprint(path: str) -> dict[str, Scalar]:
    """Return a fingerprint; one that cannot be read says so, and so equals no other."""
    try:
        content = read_yaml(path, LARGEST_SMALL)
    except Unreadable as error:
        return {"unreadable": str(error)}
    if not isinstance(content, dict):
        return {"unreadable": f"{path}: a {type(content).__name__}"}
    return {
        str(key): value if isinstance(value, str | int | float | bool | None) else str(value)
        for key, value in content.items()
    }
