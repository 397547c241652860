"""A made-up configuration of a given number of lines, the same for the same seed.

The model knows no file format; it is written out as one file with presets (ours), as one file
with OmegaConf's references, and as Hydra's folder with one file for each preset.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from projects.core.errors import ConfigurationError

_FIXED_LINES = 4  # ci_presets, name, names, to_apply
_LEAST_LINES = 40
_REFERENCES = 0.05


@dataclass(frozen=True, slots=True)
class Reference:
    """The value of another key, as it is, or within a text."""

    target: str
    within_text: bool


@dataclass(frozen=True, slots=True)
class Preset:
    """Changes by dotted key, after those of the preset that it extends."""

    extends: str | None
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class GeneratedConfig:
    """Values as a tree, presets by name, and the names of those that are chosen."""

    values: dict[str, Any]
    presets: dict[str, Preset]
    chosen: list[str]

    def plain_keys(self) -> list[str]:
        """Return the dotted keys of plain scalars, in the order of the file."""
        return [key for key, value in leaves(self.values) if _is_plain(value)]

    def reference_keys(self) -> list[str]:
        """Return the dotted keys of values that refer to another key."""
        return [key for key, value in leaves(self.values) if isinstance(value, Reference)]

    def applied(self) -> list[str]:
        """Return the names of all presets that take effect, in the order in which they do."""
        names: list[str] = []
        for name in self.chosen:
            chain: list[str] = []
            extended: str | None = name
            while extended:
                chain.append(extended)
                extended = self.presets[extended].extends
            names.extend(reversed(chain))
        return names

    def final(self, key: str) -> Any:
        """Return the value of the plain `key` once the chosen presets are applied."""
        value = dict(leaves(self.values))[key]
        for name in self.applied():
            value = self.presets[name].changes.get(key, value)
        return value


def generate(*, lines: int, presets: int, applied: int, seed: int) -> GeneratedConfig:
    """Return a configuration of exactly `lines` lines, of whose presets the first are applied.

    A third of the presets extend the one before; so the first `applied` ones are complete, and
    only the ends of the chains among them have to be chosen. No preset is applied twice, which
    Hydra would refuse. A ConfigurationError when the presets leave no line for values.
    """
    if not 0 <= applied <= presets:
        raise ConfigurationError(
            f"applied is {applied}, must be from 0 to {presets}, the presets there are"
        )
    numbers = random.Random(seed)  # noqa: S311 - made-up test data
    names = [f"preset_{index:02d}" for index in range(presets)]
    extends = [
        names[index - 1] if index and numbers.random() < 1 / 3 else None for index in range(presets)
    ]
    sizes = [numbers.randint(2, 4) for _ in names]
    preset_lines = sum(
        1 + size + (extended is not None) for size, extended in zip(sizes, extends, strict=True)
    )
    left = lines - _FIXED_LINES - preset_lines
    if left < _LEAST_LINES:
        raise ConfigurationError(
            f"{lines} lines are too few for {presets} presets: they take {preset_lines}, "
            f"and {_LEAST_LINES + _FIXED_LINES} more are needed"
        )
    values = _fill(numbers, left)
    keys = _add_references(numbers, values)
    made = {
        name: Preset(extended, {key: _scalar(numbers) for key in numbers.sample(keys, size)})
        for name, extended, size in zip(names, extends, sizes, strict=True)
    }
    extended_ones = set(extends[:applied])
    return GeneratedConfig(values, made, [n for n in names[:applied] if n not in extended_ones])


def _fill(numbers: random.Random, lines: int) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    while lines:
        size = min(lines, numbers.randint(8, 20))
        name = f"section_{len(tree):02d}"
        tree[name] = _section(numbers, size - 1, depth=1) if size > 1 else _scalar(numbers)
        lines -= size
    return tree


def _section(numbers: random.Random, lines: int, *, depth: int) -> dict[str, Any]:
    section: dict[str, Any] = {}
    while lines:
        inner = numbers.randint(2, 5)
        if depth < 3 and inner < lines and numbers.random() < 0.3:  # noqa: PLR2004 - taste
            section[f"group_{len(section)}"] = _section(numbers, inner, depth=depth + 1)
            lines -= inner + 1
        else:
            listed = numbers.random() < 0.1  # noqa: PLR2004 - taste
            value: Any = [_scalar(numbers) for _ in range(3)] if listed else _scalar(numbers)
            section[f"key_{len(section)}"] = value
            lines -= 1
    return section


def _scalar(numbers: random.Random) -> Any:
    return numbers.choice(
        [
            numbers.randint(0, 10_000),
            round(numbers.uniform(0, 100), 3),
            numbers.random() < 0.5,  # noqa: PLR2004 - a coin
            f"word-{numbers.randint(0, 999)}",
            f"a longer text with number {numbers.randint(0, 999)} in it",
        ]
    )


def _add_references(numbers: random.Random, values: dict[str, Any]) -> list[str]:
    """Turn some plain values, at least one, into references; return the keys that stay plain."""
    plain = [key for key, value in leaves(values) if _is_plain(value)]
    numbers.shuffle(plain)
    count = max(1, int(len(plain) * _REFERENCES))
    referring, referred = plain[:count], plain[count:]
    for key in referring:
        *path, last = key.split(".")
        parent = values
        for step in path:
            parent = parent[step]
        parent[last] = Reference(numbers.choice(referred), within_text=numbers.random() < 1 / 3)
    return referred


def leaves(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return dotted key and value of everything that is not a mapping."""
    found: list[tuple[str, Any]] = []
    for name, value in tree.items():
        if isinstance(value, dict):
            found.extend(leaves(value, f"{prefix}{name}."))
        else:
            found.append((prefix + name, value))
    return found


def _is_plain(value: Any) -> bool:
    return not isinstance(value, Reference | list)


def as_our_file(config: GeneratedConfig) -> str:
    """Return `config.yaml` with `ci_presets` and `@` references."""
    return _one_file(config, _our_reference)


def as_omegaconf_file(config: GeneratedConfig) -> str:
    """Return the same file with `${…}` references."""
    return _one_file(config, _omegaconf_reference)


def as_hydra_folder(config: GeneratedConfig) -> dict[str, str]:
    """Return text by relative path: `config.yaml`, and `preset/NAME.yaml` for each preset."""
    files = {"config.yaml": "\n".join(_tree_lines(config.values, _omegaconf_reference)) + "\n"}
    for name, preset in config.presets.items():
        lines = ["# @package _global_"]
        if preset.extends:
            lines += ["defaults:", f"  - {preset.extends}", "  - _self_"]
        lines += _tree_lines(_nested(preset.changes), _omegaconf_reference)
        files[f"preset/{name}.yaml"] = "\n".join(lines) + "\n"
    return files


def _one_file(config: GeneratedConfig, write: Any) -> str:
    lines = ["ci_presets:", "  name: null", "  names: null"]
    lines.append(f"  to_apply: {json.dumps(config.chosen)}")
    for name, preset in config.presets.items():
        lines.append(f"  {name}:")
        if preset.extends:
            lines.append(f"    extends: [{preset.extends}]")
        lines += [f"    {key}: {json.dumps(value)}" for key, value in preset.changes.items()]
    return "\n".join([*lines, *_tree_lines(config.values, write)]) + "\n"


def _tree_lines(tree: dict[str, Any], write: Any, indent: str = "") -> list[str]:
    lines: list[str] = []
    for name, value in tree.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", *_tree_lines(value, write, indent + "  ")]
        else:
            text = write(value) if isinstance(value, Reference) else json.dumps(value)
            lines.append(f"{indent}{name}: {text}")
    return lines


def _our_reference(reference: Reference) -> str:
    target = reference.target
    return json.dumps(f"see {{@{target}}} for it" if reference.within_text else f"@{target}")


def _omegaconf_reference(reference: Reference) -> str:
    target = f"${{{reference.target}}}"
    return json.dumps(f"see {target} for it" if reference.within_text else target)


def _nested(changes: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in changes.items():
        *path, last = key.split(".")
        parent = tree
        for step in path:
            parent = parent.setdefault(step, {})
        parent[last] = value
    return tree
