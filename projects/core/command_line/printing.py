"""Data on stdout: a value as text, JSON or YAML."""

from __future__ import annotations

from typing import Any

FORMATS = ("text", "json", "yaml")


def render(value: Any, form: str) -> str:
    """Return `value` as `form` says; text of a list or mapping is YAML, of anything else str()."""
    plain = _plain(value)
    if form == "json":
        import json

        return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    if form == "text" and not isinstance(plain, dict | list):
        text = str(value)
        return text if text.endswith("\n") else text + "\n"
    import yaml

    text = yaml.dump(plain, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
    return text.removesuffix("...\n")


def _plain(value: Any) -> Any:
    """Return the value made of what JSON and YAML know."""
    import dataclasses
    import enum

    if isinstance(value, enum.Enum):
        return value.name
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {_key(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(each) for each in value), key=str)
    return _key(value)


def _key(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else str(value)
