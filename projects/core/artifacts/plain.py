"""Foreign values as plain, masked data that JSON and YAML can hold."""

from __future__ import annotations

import math
from typing import Any

from projects.core.secrets import masking
from projects.core.secrets.secret import Secret

DEEPEST = 12
"""Containers nested deeper become text."""


def plain(value: object, *, most_items: int | None = None, most_text: int | None = None) -> Any:
    """Return `value` made of dict, list, str, int, float, bool and None, secrets as `***`.

    Longer containers than `most_items` and longer texts than `most_text` are cut and say so.
    Anything unknown becomes its `str`. Keys become texts.
    """
    return _plain(value, most_items, most_text, DEEPEST)


def _plain(value: object, items: int | None, text: int | None, depth: int) -> Any:
    if depth and isinstance(value, dict):
        return _mapping(value, items, text, depth - 1)
    if depth and isinstance(value, list | tuple | set | frozenset):
        return _sequence(value, items, text, depth - 1)
    return _scalar(value, text)


def _scalar(value: object, text: int | None) -> str | float | bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Secret):
        return "***"
    if type(value) is int or type(value) is float:
        return _number(value)
    try:
        return _text(str(value), text)
    except Exception as error:  # a foreign __str__ may do anything
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _mapping(value: dict[Any, Any], items: int | None, text: int | None, depth: int) -> Any:
    result = {}
    for count, (key, item) in enumerate(value.items()):
        if count == items:
            result["…"] = f"{len(value)} in all"
            break
        result[_text(str(key), text)] = _plain(item, items, text, depth)
    return result


def _sequence(value: Any, items: int | None, text: int | None, depth: int) -> Any:
    result = []
    for count, item in enumerate(value):
        if count == items:
            result.append(f"… {len(value)} in all")
            break
        result.append(_plain(item, items, text, depth))
    return result


def _text(value: str, most: int | None) -> str:
    value = masking.mask(value)
    if not value.isascii():  # a lone surrogate, from a file name that is no UTF-8, fits no file
        value = value.encode("utf-8", "backslashreplace").decode()
    if most is not None and len(value) > most:
        return f"{value[:most]}… ({len(value)} characters)"
    return value


def _number(value: float) -> float | str:
    digits = str(value)
    if masking.mask(digits) != digits:
        return "***"
    return value if math.isfinite(value) else digits  # JSON has no word for NaN and infinity
