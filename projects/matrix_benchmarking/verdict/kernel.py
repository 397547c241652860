"""Kernel change points: the exact minimum of squares and a penalty, as ruptures finds it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from projects.matrix_benchmarking.verdict.change import Change, between
from projects.matrix_benchmarking.verdict.zscore import robust_deviation

if TYPE_CHECKING:
    from numpy.typing import NDArray


def detect(values: NDArray[Any], *, penalty: float = 6.0, least_segment: int = 2) -> list[Change]:
    """Return the change points of KernelCPD with the linear kernel.

    A change has to explain `penalty` s² log n of the squares; s is the deviation of the noise,
    from the differences of neighbours. Source: ruptures 1.1, `KernelCPD`.
    """
    import ruptures

    if len(values) < 2 * least_segment:
        return []
    deviation = robust_deviation([float(step) for step in np.diff(values)]) / math.sqrt(2)
    price = penalty * deviation**2 * math.log(len(values))
    model = ruptures.KernelCPD(kernel="linear", min_size=least_segment)
    *found, _ = model.fit(values).predict(pen=price or np.finfo(np.float64).tiny)
    return between([float(value) for value in values], [int(index) for index in found])
