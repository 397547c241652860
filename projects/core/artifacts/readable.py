"""Durations, shares and counts as people read them."""

from __future__ import annotations

_MINUTE, _HOUR = 60, 3600
# Below each of these the text would round up to the next form: 0.1 s, 1 ms, 10 s, 10 %.
_TENTH, _MILLISECOND, _TEN, _LEAST_SHARE = 0.0995, 0.9995e-3, 9.95, 0.05


def duration(seconds: float) -> str:
    """Return `seconds` with the digits that matter: 4 µs, 85 ms, 1.2 s, 2 min 13 s, 1 h 04 min."""
    if seconds < _MILLISECOND:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < _TENTH:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < _TEN:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    minutes = round(seconds / _MINUTE)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def share(part: float, whole: float) -> str:
    """Return `part` of `whole` in percent, with a digit after the point only where it tells."""
    percent = 100 * part / whole if whole > 0 else 0.0
    if 0 < percent < _LEAST_SHARE:
        return "< 0.1 %"
    return f"{percent:.1f} %" if percent < _TEN else f"{percent:.0f} %"


def count(number: int, noun: str) -> str:
    """Return `1 command`, `3 commands`, `2 processes`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}{'es' if noun.endswith('s') else 's'}"
