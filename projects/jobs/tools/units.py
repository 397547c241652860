"""Amounts as people write them: `2GiB`, `500M`, `10m`, `1h30m`."""

from __future__ import annotations

import math
import re

from projects.jobs.tools.texts import Invalid, shown

_SIZES = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_SIZES |= {f"{unit}i": 1024**power for power, unit in enumerate("kmgt", 1)}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([kmgt]i?)?b?\Z", re.IGNORECASE)

_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_PART = r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?(d|h|min|ms|m|s)"
_DURATION = re.compile(rf"(?:{_PART} ?)+\Z", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?\Z")
_PARTS = re.compile(_PART, re.IGNORECASE)

LONGEST = 10 * 366 * 86400
"""Seconds that a time may be at most: ten years."""

LARGEST = 2**53
"""Bytes that a size may be at most."""


def size(value: object) -> int:
    """Return bytes from a number of them or a text; `2GiB` is 2·1024^3, `2GB` and `2G` 2·1000^3."""
    number: float
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Invalid(f"{shown(value)} is not a size: a number of bytes or a text like 2GiB is")
    if isinstance(value, str):
        found = _SIZE.match(value)
        if not found:
            raise Invalid(f"{shown(value)} is not a size: a number of bytes or a text like 2GiB is")
        number = float(found[1]) * _SIZES[(found[2] or "").lower()]
    else:
        number = value
    if not 0 < number <= LARGEST:
        raise Invalid(f"{shown(value)} is not a size from 1 byte to 2^53")
    return int(number)


def seconds(value: object) -> float:
    """Return seconds from a number of them or a text: `90s`, `10m`, `1h30m`, `2d`."""
    number: float = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and _NUMBER.match(value):
        number = float(value)
    elif isinstance(value, str) and _DURATION.match(value):
        parts = _PARTS.findall(value)
        number = sum(float(n) * _SECONDS[unit.lower().removesuffix("in")] for n, unit in parts)
    else:
        raise Invalid(f"{shown(value)} is not a time: a number of seconds or a text like 10m is")
    if not 0 < number <= LONGEST:
        raise Invalid(f"{shown(value)} is not a time above 0 and up to ten years")
    return number
