"""Texts that reach a script: what may be in them, and how numbers are written."""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_VALUE_BYTES = 64 * 1024
"""Bytes (UTF-8) of the value of one parameter."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
"""Names of parameters and of environment variables."""

_LONGEST_SHOWN = 60


class Invalid(ValueError):
    """A value that doesn't fit; the text is a sentence, `key` what of a definition is wrong."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


def text_of(value: Any) -> str:
    """Return a text or number as the text that reaches a script.

    Raises
    ------
    Invalid
        It is neither, or a text that no script can be given.
    """
    kind = type(value)
    if kind is str:
        return checked(value)
    if kind is int:
        return str(value) if -(10**30) < value < 10**30 else _refuse_long(value)
    if kind is float:
        return number_text(value)
    raise Invalid(f"{shown(value)} is not a text")


def _refuse_long(_value: int) -> str:
    raise Invalid("a number of more than 30 digits; give it as a text")


def checked(text: str) -> str:
    """Return `text`; Invalid when it holds NUL, is not Unicode, or is longer than 64 KiB."""
    if "\0" in text:
        raise Invalid("the text holds a NUL character, which no argument of a program can")
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError as error:
        raise Invalid(
            f"character {error.start + 1} is half of a surrogate pair, which UTF-8 doesn't have"
        ) from None
    if size > MAX_VALUE_BYTES:
        raise Invalid(f"the value has {size:,} bytes; the most is {MAX_VALUE_BYTES:,}")
    return text


def number_text(number: float) -> str:
    """Return the shortest text that reads back as the same double; 3.0 is `3`."""
    if not math.isfinite(number):
        raise Invalid(f"{number} is not a number that can be passed on")
    return repr(number).removesuffix(".0")


def any_text(value: Any) -> str:
    """Return the text of a value that no parameter describes: as text, else as JSON.

    A boolean becomes `True` or `False`, as it does for a declared parameter.
    """
    kind = type(value)
    if kind is bool:
        return str(value)
    if kind in (list, tuple, dict):
        try:
            return checked(json.dumps(value, ensure_ascii=False, allow_nan=False))
        except (ValueError, TypeError, RecursionError) as error:
            if isinstance(error, Invalid):
                raise
            raise Invalid(f"the value can't be written as JSON: {error}") from None
    return text_of(value)


def shown(value: Any) -> str:
    """Return a value as messages show it: as JSON, shortened."""
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**30:
        return "a number of more than 30 digits"
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        value = value[: _LONGEST_SHOWN - 1] + "…"
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return f"a {type(value).__name__}"
