"""Point after point against the level so far: what the simple detectors have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from projects.core.errors import ConfigurationError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Direction = Literal["both", "higher", "lower"]
_DIRECTIONS = ("both", "higher", "lower")


def scan(
    values: Sequence[float] | NDArray[Any], is_new: Callable[[Any, Any], bool], least: int
) -> list[int]:
    """Return where `is_new(level, from here on)` first says so; the level begins anew there.

    The level are the points since the last change, at least `least`.
    """
    starts: list[int] = []
    begin = 0
    for index in range(len(values)):
        level = values[begin:index]
        if len(level) >= least and is_new(level, values[index:]):
            starts.append(index)
            begin = index
    return starts


def wanted(difference: float, direction: str) -> bool:
    """Return whether a difference goes in the direction that is looked for."""
    if direction not in _DIRECTIONS:
        raise ConfigurationError(unknown("direction", direction, _DIRECTIONS))
    return direction == "both" or (difference > 0) == (direction == "higher")
