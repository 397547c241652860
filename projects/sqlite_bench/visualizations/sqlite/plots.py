"""Throughput by mode and batch size, latency distribution, comparison with the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.reports.plots import collect, plot

if TYPE_CHECKING:
    from projects.matrix_benchmarking.kpis.payload import Payload
    from projects.matrix_benchmarking.reports.plots import PlotData

KPIS_COMPARED = ("throughput", "latency_p50", "latency_p99")

BETTER, WORSE = "#009e73", "#d04a02"


def _rows(batch_size: object) -> str:
    return f"{batch_size:,} row{'' if batch_size == 1 else 's'}"


def _of(data: PlotData, **settings: object) -> list[Payload]:
    """Return the measured results with these settings."""
    return [
        payload
        for payload in data.payloads
        if all(payload.metadata.settings.get(name) == value for name, value in settings.items())
        and "rows_per_second" in payload.results
    ]


@plot("Throughput by journal mode and batch size")
def throughput(data: PlotData) -> list[Any]:
    """Median of the repetitions; the whiskers are the slowest and the fastest one."""
    import plotly.graph_objects as go

    figures = []
    for synchronous in data.axis("synchronous"):
        figure = go.Figure()
        for journal_mode in data.axis("journal_mode"):
            found = _of(data, synchronous=synchronous, journal_mode=journal_mode)
            medians = [each.results["rows_per_second"] for each in found]
            fastest = [each.results["rows_per_second_max"] for each in found]
            slowest = [each.results["rows_per_second_min"] for each in found]
            figure.add_bar(
                name=journal_mode,
                x=[_rows(each.metadata.settings["batch_size"]) for each in found],
                y=medians,
                error_y={
                    "array": [high - m for high, m in zip(fastest, medians, strict=True)],
                    "arrayminus": [m - low for low, m in zip(slowest, medians, strict=True)],
                    "thickness": 1.2,
                },
            )
        figure.update_layout(title=f"Throughput, synchronous={synchronous}", barmode="group")
        figure.update_xaxes(title="per transaction", type="category")
        figure.update_yaxes(title="rows/s", type="log")
        figures.append(figure)
    return figures


@plot("Latency distribution")
def latency(data: PlotData) -> list[Any]:
    """From BEGIN until COMMIT returned, all repetitions together; drawn from 101 quantiles."""
    import plotly.graph_objects as go

    figures = []
    for batch_size in data.axis("batch_size"):
        figure = go.Figure()
        for synchronous in data.axis("synchronous"):
            found = _of(data, synchronous=synchronous, batch_size=batch_size)
            places = [
                each.metadata.settings["journal_mode"]
                for each in found
                for _ in each.results.get("latency_quantiles_ms", ())
            ]
            figure.add_box(
                name=f"synchronous={synchronous}",
                x=places,
                y=[v for each in found for v in each.results.get("latency_quantiles_ms", ())],
                boxpoints="outliers",
            )
        figure.update_layout(title=f"Latency, {_rows(batch_size)} per transaction", boxmode="group")
        figure.update_yaxes(title="ms", type="log")
        figures.append(figure)
    return figures


@plot("Latency by percentile")
def percentiles(data: PlotData) -> list[Any]:
    """How slow the slowest transactions are: the end of the curve is the slowest one."""
    import plotly.graph_objects as go

    figures = []
    for batch_size in data.axis("batch_size"):
        figure = go.Figure()
        for payload in _of(data, batch_size=batch_size):
            settings = payload.metadata.settings
            quantiles = payload.results.get("latency_quantiles_ms", [])
            figure.add_scatter(
                name=f"{settings['journal_mode']}, {settings['synchronous']}",
                x=list(range(len(quantiles))),
                y=quantiles,
                mode="lines",
            )
        title = f"Latency by percentile, {_rows(batch_size)} per transaction"
        figure.update_layout(title=title)
        figure.update_xaxes(title="% of the transactions are faster", range=[0, 101])
        figure.update_yaxes(title="ms", type="log")
        figures.append(figure)
    return figures


@plot("Comparison with the last run")
def comparison(data: PlotData) -> list[Any]:
    """Change of each point since the last run; some percent may be noise, the verdict decides."""
    import plotly.graph_objects as go

    figures = []
    for kpi in KPIS_COMPARED:
        values = [value for value in data.values(kpi) if data.before(value)]
        if not values:
            continue
        names = [" · ".join(value.labels.values()) for value in values]
        changes = [_change(value.value, data.before(value)) for value in values]
        colours = [WORSE if (c > 0) == values[0].lower_better else BETTER for c in changes]
        figure = go.Figure()
        figure.add_bar(
            x=changes[::-1], y=names[::-1], orientation="h", marker={"color": colours[::-1]}
        )
        figure.update_layout(
            title=f"{kpi}: change since the last run",
            height=130 + 30 * len(values),
            showlegend=False,
        )
        figure.update_xaxes(title="%", showgrid=True)
        figure.update_yaxes(showgrid=False)
        figures.append(figure)
    return figures


def _change(value: Any, before: float | None) -> float:
    return 100 * (float(value) - before) / before if before else 0.0


PLOTS = collect(globals())
