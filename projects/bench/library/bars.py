"""What is to be reached: a duration, or to be so many times as fast as somebody."""

from __future__ import annotations

import re
from dataclasses import dataclass

from projects.bench.library.samples import format_ratio, format_seconds
from projects.core.errors import ConfigurationError

BEST = "best"
"""Stands for the fastest of those that were measured beside us."""

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|ms|us|µs)\s*")
_RATIO = re.compile(r"\s*(\d+(?:\.\d+)?)\s*x\s+(\S.*?)\s*")


@dataclass(frozen=True, slots=True)
class Bar:
    """At most `value` seconds, or, with a rival, at least `value` times as fast as that one.

    `rival` is how the names of its cases begin, or BEST.
    """

    value: float
    rival: str = ""

    def __str__(self) -> str:
        if self.rival:
            return f"≥ {format_ratio(self.value)} {self.rival}"
        return f"≤ {format_seconds(self.value)}"


def parse_bars(text: str) -> list[Bar]:
    """Return the bars of a text like `3 ms` (s, ms, us, µs) or `5 x aws, 0.8 x best`.

    Errors
    ------
    ConfigurationError
        It is neither.
    """
    return [_parse_bar(one) for one in text.split(",")]


def _parse_bar(text: str) -> Bar:
    if matched := _DURATION.fullmatch(text):
        return Bar(float(matched[1]) * _UNITS[matched[2]])
    if (matched := _RATIO.fullmatch(text)) and float(matched[1]) > 0:
        return Bar(float(matched[1]), matched[2])
    raise ConfigurationError(
        f'bar "{text}" is no duration like "3 ms" (units: s, ms, us) and no ratio like '
        '"5 x aws" or "0.8 x best"'
    )
