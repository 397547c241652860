"""The detectors of changes, by name."""

from __future__ import annotations

import importlib.util
import inspect
import math
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from projects.core.errors import ConfigurationError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from projects.matrix_benchmarking.verdict.change import Change

DEFAULT = "topgallant"

DETECTORS: dict[str, str] = {
    "topgallant": "for any noise",
    "threshold": "a share of the level, for those who know what they accept",
    "zscore": "deviations of the median, each point by itself",
    "student": "the last few points against those before",
    "otava": "e-divisive means, by apache-otava",
    "kernel": "optimal kernel change points, by ruptures",
}
"""Detectors and what they are for; each is the function `detect` of the module of its name."""


OPTIONAL = {"otava": ("otava", "apache-otava"), "kernel": ("ruptures", "ruptures")}
"""Detectors that need a package of requirements-detectors.lock: its module and its name."""


def available(detector: str) -> bool:
    """Tell whether the package that a detector needs is installed."""
    return detector not in OPTIONAL or importlib.util.find_spec(OPTIONAL[detector][0]) is not None


def detect(
    values: Sequence[float] | NDArray[Any], detector: str = DEFAULT, **options: Any
) -> list[Change]:
    """Return the changes of level in `values`, which are in the order of time.

    NaN and infinite values are passed over; the indexes of changes count them.

    Raises
    ------
    ConfigurationError
        There is no such detector, or it has no such option.

    """
    import numpy as np

    function = _function(detector, options)
    numbers = np.asarray(values, dtype=np.float64)
    places = np.flatnonzero(np.isfinite(numbers))
    numbers = numbers[places]
    # Squares of huge and of tiny numbers leave what a float can hold; powers of 2 are exact.
    _, exponent = np.frexp(np.abs(numbers).max(initial=0.0))
    found: list[Change] = function(np.ldexp(numbers, -exponent), **options)
    return [_as_given(change, int(places[change.index]), int(exponent)) for change in found]


def _as_given(change: Change, index: int, exponent: int) -> Change:
    return replace(
        change,
        index=index,
        before=math.ldexp(change.before, exponent),
        after=math.ldexp(change.after, exponent),
    )


@cache
def _imported(detector: str) -> Any:
    return importlib.import_module(f"{__package__}.{detector}").detect


def _function(detector: str, options: dict[str, Any]) -> Any:
    if detector not in DETECTORS:
        raise ConfigurationError(unknown("detector", detector, DETECTORS))
    if not available(detector):
        raise ConfigurationError(
            f'the detector "{detector}" needs {OPTIONAL[detector][1]}, which is not installed: '
            "python -m pip install --no-deps --require-hashes -r requirements-detectors.lock, "
            "with the python of the toolkit's environment"
        )
    function = _imported(detector)
    if options:
        possible = list(inspect.signature(function).parameters)[1:]
        for option in options:
            if option not in possible:
                raise ConfigurationError(
                    unknown(f"option of the detector {detector}", option, possible)
                )
    return function
