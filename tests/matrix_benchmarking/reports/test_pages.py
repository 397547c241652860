from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from projects.core.errors import ConfigurationError
from projects.core.secrets import masking
from projects.matrix_benchmarking.kpis.kpi import KpiValue
from projects.matrix_benchmarking.kpis.payload import Payload
from projects.matrix_benchmarking.reports.judged import Judged
from projects.matrix_benchmarking.reports.page import json_text, page
from projects.matrix_benchmarking.reports.pages import Drawn, draw_pages
from projects.matrix_benchmarking.reports.plots import PlotData, Plots, collect, plot
from projects.matrix_benchmarking.reports.selection import Selection, read_selection

HOSTILE = '<script>alert("1")</script>'


class Tags(HTMLParser):
    """Counts the tags of a page, and where it would load something from."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name == "src"]


@plot("Throughput")
def throughput(data: PlotData) -> Any:
    """Rows per second."""
    values = data.values("throughput")
    return {
        "data": [
            {"type": "bar", "x": [v.labels["mode"] for v in values], "y": [1.0] * len(values)}
        ],
        "layout": {"title": {"text": HOSTILE}},
    }


@plot("Raises")
def raises(data: PlotData) -> Any:
    raise LookupError(HOSTILE)


@plot("Nothing")
def nothing(data: PlotData) -> Any:
    return None


PLOTS = collect(throughput, raises, nothing)


@pytest.fixture
def data(
    make_payload: Callable[..., Payload], make_value: Callable[..., KpiValue]
) -> Callable[[str], PlotData]:
    value = make_value(100.0, samples=[1.0, 2.0, 3.0])
    return lambda text: PlotData((make_payload({"mode": "wal"}, value),), (Judged(value),), text)


def draw(tmp_path: Path, data: Callable[[str], PlotData], *names: str) -> tuple[Drawn, str]:
    drawn = draw_pages([Selection("my page", names)], PLOTS, data, tmp_path)
    return drawn, drawn.pages[0].read_text()


def test_a_page_has_its_figures_as_pictures_that_are_files_too(
    tmp_path: Path, data: Callable[[str], PlotData]
) -> None:
    _, text = draw(tmp_path, data, "Throughput")
    assert Tags(text).tags.count("figure") == 1
    assert (tmp_path / "report_00_my_page_files" / "fig_01.svg").is_file()
    assert (tmp_path / "report_00_my_page_files" / "fig_01.png").is_file()


def test_a_page_loads_nothing_but_the_library_beside_it(
    tmp_path: Path, data: Callable[[str], PlotData]
) -> None:
    _, text = draw(tmp_path, data, "Throughput", "report: distributions", "report: KPIs")
    assert [source for source in Tags(text).sources if source] == ["plotly.min.js"]
    assert (tmp_path / "plotly.min.js").stat().st_size > 1_000_000


def test_a_plot_that_raises_is_told_and_the_others_are_drawn(
    tmp_path: Path, data: Callable[[str], PlotData]
) -> None:
    drawn, text = draw(tmp_path, data, "Raises", "Throughput")
    assert Tags(text).tags.count("figure") == 1
    (broken,) = drawn.broken
    assert (broken.plot, broken.headline) == ("Raises", f"LookupError: {HOSTILE}")
    assert "could not be drawn" in text


def test_nothing_of_others_becomes_a_tag(tmp_path: Path, data: Callable[[str], PlotData]) -> None:
    _, text = draw(tmp_path, data, "Raises", "Throughput", "report: KPIs")
    assert HOSTILE not in text
    assert "alert(" not in text.replace("alert(&quot;", "").replace('alert(\\"', "")


def test_a_page_without_anything_to_draw_says_so(
    tmp_path: Path, data: Callable[[str], PlotData]
) -> None:
    _, text = draw(tmp_path, data, "Nothing")
    assert "nothing to draw" in text


def test_what_is_no_figure_is_told_as_a_plot_that_raises(
    tmp_path: Path, data: Callable[[str], PlotData]
) -> None:
    wrong = collect(plot("Wrong")(lambda _: "text"))
    drawn = draw_pages([Selection("x", ("Wrong",))], wrong, data, tmp_path)
    assert "a plotly figure was expected" in drawn.broken[0].headline


def test_an_unknown_plot_is_told_before_anything_is_drawn(
    tmp_path: Path, data: Callable[[str], PlotData]
) -> None:
    with pytest.raises(ConfigurationError, match='"Thruput"; did you mean "Throughput"'):
        draw(tmp_path, data, "Throughput", "Thruput")
    assert not list(tmp_path.iterdir())


def test_an_unknown_report_is_told_with_the_nearest(
    tmp_path: Path, data: Callable[[str], PlotData]
) -> None:
    with pytest.raises(ConfigurationError, match='did you mean "report: KPIs"'):
        draw(tmp_path, data, "report: KPI")


def test_secrets_are_masked(tmp_path: Path, data: Callable[[str], PlotData]) -> None:
    masking.register("hunter2-secret", "token")
    secret = collect(plot("hunter2-secret")(throughput.function))
    drawn = draw_pages([Selection("x", ("hunter2-secret",))], secret, data, tmp_path)
    assert "hunter2" not in drawn.pages[0].read_text()


def test_two_plots_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match='two plots are named "Throughput"'):
        collect(throughput, throughput)


def test_a_plot_cannot_take_the_name_of_a_report_of_ours() -> None:
    with pytest.raises(ConfigurationError, match="are the reports of ours"):
        collect(plot("report: mine")(throughput.function))


def test_plots_are_collected_in_the_order_of_their_definition() -> None:
    assert [each.name for each in PLOTS] == ["Throughput", "Raises", "Nothing"]
    assert throughput.help == "Rows per second."
    assert isinstance(PLOTS, Plots)


def test_json_within_a_page_cannot_end_its_script_and_has_no_nan() -> None:
    text = json_text({"a": "</script>", "b": float("nan"), "c": [float("inf")]})
    assert text == '{"a":"\\u003c/script\\u003e","b":null,"c":[null]}'


def test_a_page_allows_no_script_but_its_own() -> None:
    assert "script-src 'none'" in page("T", [])
    assert "'unsafe-inline'; img-src" in page("T", [])
    assert "script-src 'self' file: 'sha256-" in page("T", [], plotly=True)


def test_a_list_of_pages_finds_a_longer_title() -> None:
    text = page("Verdict", [], listed_as="Verdict: 1 regression")
    assert "<title>Verdict: 1 regression</title>" in text
    assert "<h1>Verdict</h1>" in text


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plots.yaml"
    path.write_text(text)
    return path


def test_each_filter_makes_a_page(tmp_path: Path) -> None:
    path = write(tmp_path, "visualize: [{id: a, generate: [X, Y], filters: ['', 'mode=wal']}]")
    assert read_selection(path) == [
        Selection("a", ("X", "Y"), ""),
        Selection("a", ("X", "Y"), "mode=wal"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("visualize: 3", "is needed"),
        ("visualize: [{id: a, generate: [X], filter: ['']}]", 'did you mean "filters"'),
        ("visualize: [{generate: [X]}]", "has no id"),
        ("visualize: [{id: a, generate: []}]", "a list of names was expected"),
        ("visualize: [7]", "a mapping was expected"),
        ("visualize: [{id: a, generate: [X]}, {id: a, generate: [Y]}]", "a second entry"),
        ("visualize: [{id: a, generate: [X]", "plots.yaml:"),
    ],
)
def test_what_is_no_selection_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_selection(write(tmp_path, text))


def test_the_line_of_a_wrong_entry_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "visualize:\n- id: a\n  generate: [X]\n- generate: [Y]\n")
    with pytest.raises(ConfigurationError, match=r"plots\.yaml:4:3: this entry has no id"):
        read_selection(path)
