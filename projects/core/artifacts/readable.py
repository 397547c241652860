"""Durations as people read them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return `seconds` with two or three digits that matter: 4 µs, 85 ms, 1.2 s, 2 min 13 s."""
    if seconds < 0.0995:
        return f"{seconds * 1e3:.0f} ms" if seconds >= 0.9995e-3 else f"{seconds * 1e6:.0f} µs"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def share(part: float, whole: float) -> str:
    """Return `part` of `whole` in percent, with a digit after the point only where it tells."""
    percent = 100 * part / whole if whole > 0 else 0.0
    if percent and percent < 0.1:
        return "< 0.1 %"
    return f"{percent:.1f} %" if percent < 9.95 else f"{percent:.0f} %"


def count(number: int, noun: str) -> str:
    """Return `1 command`, `3 commands`, `2 processes`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}{'es' if noun.endswith('s') else 's'}"
