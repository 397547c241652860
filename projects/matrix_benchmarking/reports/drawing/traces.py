"""What a plotly trace says, read into plain numbers: points, bars, boxes, violins."""

from __future__ import annotations

import base64
import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.reports.drawing.scales import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_POINTS = 20_000
"""Of a trace with more points every n-th is drawn."""

DRAWN = ("scatter", "scattergl", "bar", "box", "violin", "histogram")
"""The kinds of traces that a still picture shows."""


@dataclass(slots=True)
class Trace:
    """One trace; `x` and `y` are as long as each other except for a box of one variable."""

    kind: str
    name: str
    x: list[Any]
    y: list[Any]
    x_axis: str
    y_axis: str
    sideways: bool
    spec: Mapping[str, Any]
    number: int = 0
    groups: dict[str, list[float]] = field(default_factory=dict)

    @property
    def spread(self) -> bool:
        """Whether it shows a distribution (box, violin) at each place."""
        return self.kind in ("box", "violin")

    def get(self, *path: str) -> Any:
        """Return what the trace says at a path of keys, or None."""
        found: Any = self.spec
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found


def read_traces(data: Sequence[Mapping[str, Any]]) -> tuple[list[Trace], list[str]]:
    """Return the traces that can be drawn, and the kinds of those that cannot."""
    traces: list[Trace] = []
    others: list[str] = []
    for spec in data:
        kind = str(spec.get("type", "scatter"))
        if kind not in DRAWN:
            others.append(kind)
        elif spec.get("visible", True) is True:
            trace = _read(spec, kind)
            trace.number = len(traces)
            traces.append(trace)
    return traces, others


def _read(spec: Mapping[str, Any], kind: str) -> Trace:
    name = str(spec.get("name") or "")
    trace = Trace(
        "scatter" if kind == "scattergl" else kind,
        name,
        values_of(spec.get("x")),
        values_of(spec.get("y")),
        str(spec.get("xaxis", "x")),
        str(spec.get("yaxis", "y")),
        sideways=spec.get("orientation") == "h",
        spec=spec,
    )
    if kind == "histogram":
        _count(trace)
    elif trace.spread:
        _gather(trace)
    elif not trace.x:
        trace.x = list(range(len(trace.y)))
    elif not trace.y:
        trace.y = list(range(len(trace.x)))
    if trace.kind == "scatter" and len(trace.x) > MOST_POINTS:
        by = math.ceil(len(trace.x) / MOST_POINTS)
        trace.x, trace.y = trace.x[::by], trace.y[::by]
    return trace


def _gather(trace: Trace) -> None:
    """Sort the samples of a box or violin by the place where they are shown."""
    samples, places = (trace.x, trace.y) if trace.sideways else (trace.y, trace.x)
    if not samples and places:  # `x` alone means a sideways box
        samples, places, trace.sideways = places, [], True
    if len(places) != len(samples):
        places = [trace.name or str(places[0] if places else "")] * len(samples)
    for place, sample in zip(places, samples, strict=True):
        if isinstance(sample, int | float) and abs(sample) <= LARGEST:
            trace.groups.setdefault(str(place), []).append(float(sample))
    across: list[Any] = list(trace.groups)
    along: list[Any] = [sample for group in trace.groups.values() for sample in group]
    trace.x, trace.y = (along, across) if trace.sideways else (across, along)


def _count(trace: Trace) -> None:
    """Turn a histogram into the bars it means."""
    trace.sideways = not trace.x and bool(trace.y)
    samples = [v for v in (trace.x or trace.y) if isinstance(v, int | float) and abs(v) <= LARGEST]
    trace.kind = "bar"
    if not samples:
        trace.x, trace.y = [], []
        return
    low, high = min(samples), max(samples)
    asked = trace.get("nbinsx") or trace.get("nbinsy")
    bins = min(max(int(asked or math.sqrt(len(samples))), 1), 200)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for sample in samples:
        counts[min(int((sample - low) / width), bins - 1)] += 1
    centres = [low + (n + 0.5) * width for n in range(bins)]
    trace.x, trace.y = (counts, centres) if trace.sideways else (centres, counts)


def values_of(array: Any) -> list[Any]:
    """Return an array of a figure as a list.

    Plotly writes numpy arrays as `{"dtype": "f8", "bdata": base64}`, see
    https://plotly.com/python/reference/ and plotly.js `typed_array`.
    """
    if array is None:
        return []
    if isinstance(array, dict) and "bdata" in array:
        import numpy as np

        raw = base64.b64decode(array["bdata"])
        return list(np.frombuffer(raw, dtype=np.dtype(str(array["dtype"]))).tolist())
    tolist = getattr(array, "tolist", None)
    values = tolist() if callable(tolist) else list(array)
    return [None if isinstance(v, float) and not math.isfinite(v) else v for v in values]


@dataclass(frozen=True, slots=True)
class Box:
    """A box plot: whiskers reach to the last sample within 1.5 of the box's height."""

    low: float
    q1: float
    median: float
    q3: float
    high: float
    outliers: tuple[float, ...]


def box_of(samples: Sequence[float]) -> Box:
    """Return the box of at least one sample; quartiles are interpolated (Tukey's fences)."""
    ordered = sorted(samples)
    q1, median, q3 = (_quantile(ordered, share) for share in (0.25, 0.5, 0.75))
    reach = 1.5 * (q3 - q1)
    inside = [s for s in ordered if q1 - reach <= s <= q3 + reach] or ordered
    outside = tuple(s for s in ordered if not inside[0] <= s <= inside[-1])
    return Box(inside[0], q1, median, q3, inside[-1], outside)


_FAR = 40.0  # widths of the kernel: nothing is left of it there


def density(samples: Sequence[float], points: int = 60) -> list[tuple[float, float]]:
    """Return (value, density relative to its peak) of a Gaussian kernel estimate.

    The width of the kernel is Silverman's rule of thumb with the smaller of standard deviation
    and interquartile range / 1.34 (Silverman, "Density Estimation", 1986, 3.31).
    """
    ordered = sorted(samples)
    if len(ordered) > 1000:  # noqa: PLR2004 - a shape needs no more
        ordered = ordered[:: math.ceil(len(ordered) / 1000)]
    deviation = statistics.pstdev(ordered)
    spread = (_quantile(ordered, 0.75) - _quantile(ordered, 0.25)) / 1.34
    width = 0.9 * (min(deviation, spread) or deviation) * len(ordered) ** -0.2
    if not width:
        return [(ordered[0], 1.0)]
    low, high = ordered[0] - 2 * width, ordered[-1] + 2 * width
    places = [low + (high - low) * n / (points - 1) for n in range(points)]
    heights = [
        sum(math.exp(-0.5 * min(abs(p - s) / width, _FAR) ** 2) for s in ordered) for p in places
    ]
    peak = max(heights) or 1.0
    return [(place, height / peak) for place, height in zip(places, heights, strict=True)]


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
