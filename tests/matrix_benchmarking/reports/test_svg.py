from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree as ET

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly.subplots import make_subplots

from projects.matrix_benchmarking.reports.drawing import traces
from projects.matrix_benchmarking.reports.drawing.png import png
from projects.matrix_benchmarking.reports.drawing.svg import svg

NAME = "{http://www.w3.org/2000/svg}"


def read(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - we wrote it


def parts(picture: str, tag: str) -> list[ET.Element]:
    return read(picture).findall(f".//{NAME}{tag}")


def texts(picture: str) -> list[str]:
    return [part.text or "" for part in parts(picture, "text")]


def test_a_bar_is_as_high_as_its_value() -> None:
    picture = svg(go.Figure(go.Bar(x=["a", "b"], y=[1, 2])))
    heights = [float(part.get("height", 0)) for part in parts(picture, "rect") if part.get("rx")]
    assert heights[1] == pytest.approx(2 * heights[0], rel=0.01)


def test_bars_of_one_place_stand_side_by_side() -> None:
    figure = go.Figure([go.Bar(name=n, x=["a", "b"], y=[1, 1]) for n in ("one", "two")])
    lefts = [float(p.get("x", 0)) for p in parts(svg(figure), "rect") if p.get("rx") == "2"]
    assert len(set(lefts)) == len(lefts)


def test_lying_bars_start_at_zero_in_both_directions() -> None:
    picture = svg(go.Figure(go.Bar(x=[-5, 5], y=["a", "b"], orientation="h")))
    left, right = (p for p in parts(picture, "rect") if p.get("rx"))
    end = float(left.get("x", 0)) + float(left.get("width", 0))
    assert end == pytest.approx(float(right.get("x", 0)), abs=0.2)


def test_a_gap_in_a_line_is_a_gap_in_the_path() -> None:
    figure = go.Figure(go.Scatter(x=[1, 2, 3, 4], y=[1, None, 3, 4], mode="lines"))
    (path,) = [p.get("d", "") for p in parts(svg(figure), "path")]
    assert path.count("M") == 2


def test_titles_and_names_of_others_are_escaped() -> None:
    figure = go.Figure([go.Bar(name="<script>", x=["<b>&"], y=[1]), go.Bar(name="x", x=[1], y=[1])])
    figure.update_layout(title="a < b")
    picture = svg(figure)
    assert "<script" not in picture
    assert "a < b" in texts(picture)


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    read(svg(go.Figure(go.Bar(x=["\x00\x1b[31m\ud800\uffff"], y=[1]))))


def test_a_colour_cannot_leave_its_attribute() -> None:
    picture = svg({"data": [{"type": "bar", "x": [1], "y": [1], "marker": {"color": '"/><x'}}]})
    read(picture)
    assert "<x" not in picture


def test_panels_side_by_side_have_axes_of_their_own() -> None:
    figure = make_subplots(1, 2, subplot_titles=["left", "right"])
    figure.add_scatter(x=[1, 2], y=[1, 2], row=1, col=1)
    figure.add_histogram(x=[1, 1, 2], row=1, col=2)
    assert {"left", "right"} <= set(texts(svg(figure)))
    assert len(parts(svg(figure), "clipPath")) == 2


def test_a_kind_that_is_not_drawn_says_so() -> None:
    assert "No still picture of: heatmap" in texts(svg(go.Figure(go.Heatmap(z=[[1]]))))


def test_an_empty_figure_says_so() -> None:
    assert "No data" in texts(svg(go.Figure()))


def test_numpy_arrays_are_read_as_plotly_writes_them() -> None:
    import numpy as np

    figure = go.Figure(go.Scatter(x=np.arange(4.0), y=np.arange(4.0), mode="markers"))
    assert len(parts(svg(figure), "circle")) == 4


@given(
    st.lists(st.one_of(st.floats(), st.none(), st.integers(-(10**30), 10**30)), max_size=20),
    st.sampled_from(["scatter", "bar", "box", "violin", "histogram"]),
    st.sampled_from(["linear", "log", "category", "date"]),
)
def test_any_numbers_become_a_picture_that_can_be_read(
    values: list[Any], kind: str, axis: str
) -> None:
    figure = {
        "data": [{"type": kind, "y": values, "name": "n"}],
        "layout": {"yaxis": {"type": axis}},
    }
    picture = svg(figure)
    read(picture)
    assert "nan" not in picture
    assert "inf" not in picture.replace("info", "")


@pytest.mark.parametrize("values", [[5e-324, 1e-280], [5e-324, 5e-324], [1e-320, 1e-318]])
def test_the_least_numbers_have_a_place_on_a_log_axis(values: list[float]) -> None:
    layout = {"yaxis": {"type": "log"}}
    read(svg({"data": [{"type": "scatter", "y": values}], "layout": layout}))


def test_a_box_has_tukeys_whiskers() -> None:
    box = traces.box_of([1, 2, 3, 4, 5, 100])
    assert (box.q1, box.median, box.q3) == (2.25, 3.5, 4.75)
    assert (box.low, box.high, box.outliers) == (1, 5, (100,))


def test_a_density_peaks_where_the_samples_are() -> None:
    shape = traces.density([1.0, 1.1, 0.9, 1.0, 5.0])
    peak = max(shape, key=lambda point: point[1])
    assert peak[0] == pytest.approx(1.0, abs=0.2)
    assert traces.density([3.0, 3.0]) == [(3.0, 1.0)]


def test_of_very_many_points_every_nth_is_drawn() -> None:
    figure = {"data": [{"type": "scatter", "mode": "markers", "y": list(range(50_000))}]}
    assert len(parts(svg(figure), "circle")) <= traces.MOST_POINTS


def test_a_png_is_larger_than_its_svg_says_and_starts_as_one() -> None:
    picture = png(svg(go.Figure(go.Bar(x=[1], y=[1]))))
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(picture[16:20], "big") == 1440


def test_what_is_no_svg_is_refused() -> None:
    with pytest.raises(ValueError):
        png("no picture")


def test_infinite_sizes_are_not_taken() -> None:
    figure = {"data": [{"type": "bar", "y": [1]}], "layout": {"height": math.inf, "width": 1e9}}
    (_, _, width, height) = (read(svg(figure)).get("viewBox") or "").split()
    assert (width, height) == ("4000", "460")
