"""What a plot is: a function of the results that returns figures; and how plots are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from projects.core.errors import ConfigurationError, unknown

if TYPE_CHECKING:
    from projects.matrix_benchmarking.kpis.kpi import KpiValue
    from projects.matrix_benchmarking.kpis.payload import Payload
    from projects.matrix_benchmarking.reports.judged import Judged

Function = Callable[["PlotData"], Any]

REPORT = "report: "
"""How the names of the reports that come with us begin, beside the plots of a project."""


@dataclass(frozen=True)
class PlotData:
    """What a plot is drawn from: the results that its filter leaves, and what is known of them.

    `payloads` are the results of this run (`.metadata.settings`, `.results` as the parser returned
    them, `.kpis`), `judged` every KPI value of them with its history and verdict.
    """

    payloads: tuple[Payload, ...]
    judged: tuple[Judged, ...] = ()
    filter: str = ""

    def values(self, kpi: str) -> list[KpiValue]:
        """Return the values of one KPI that are valid, in the order of the results."""
        found = [payload.kpis[kpi] for payload in self.payloads if kpi in payload.kpis]
        return [value for value in found if value.value is not None]

    def axis(self, setting: str) -> list[Any]:
        """Return the different values of one setting, in the order in which they were measured."""
        return list(dict.fromkeys(p.metadata.settings.get(setting) for p in self.payloads))

    def before(self, value: KpiValue) -> float | None:
        """Return what the last earlier run measured for the same KPI and point, if any did."""
        for each in self.judged:
            if each.kpi is value or (each.kpi.name, each.kpi.labels) == (value.name, value.labels):
                return each.before
        return None


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot: `function(data)` returns a figure, several of them, or None where it has nothing.

    `help` is one sentence that stands below the title.
    """

    name: str
    function: Function
    help: str = ""


def plot(name: str) -> Callable[[Function], Plot]:
    """Make a plot of a function; the first line of its docstring is shown below the title."""

    def decorate(function: Function) -> Plot:
        words = (function.__doc__ or "").strip().splitlines()
        return Plot(name, function, words[0] if words else "")

    return decorate


@dataclass(frozen=True, slots=True)
class Plots:
    """The plots of a workload, in their order."""

    plots: tuple[Plot, ...] = field(default=())

    def __iter__(self) -> Iterator[Plot]:
        return iter(self.plots)

    def named(self, name: str, others: Iterable[str] = ()) -> Plot:
        """Return the plot of this name; `others` are names that would have been possible too.

        Errors
        ------
        ConfigurationError
            There is none; with the nearest.
        """
        for each in self.plots:
            if each.name == name:
                return each
        names = [*(each.name for each in self.plots), *others]
        raise ConfigurationError(unknown("plot", name, names))


def collect(*plots: Plot | Mapping[str, Any]) -> Plots:
    """Return the plots given, or all in the order of their definition: `collect(globals())`.

    Errors
    ------
    ConfigurationError
        Two have the same name, or one has the name of a report of ours.
    """
    found: list[Plot] = []
    for each in plots:
        listed = [each] if isinstance(each, Plot) else each.values()
        found += [value for value in listed if isinstance(value, Plot)]
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f'two plots are named "{name}"')
        if name.startswith(REPORT):
            raise ConfigurationError(
                f'a plot is named "{name}": "{REPORT}…" are the reports of ours'
            )
    return Plots(tuple(found))


def find_plots(workload: str) -> Plots:
    """Return `PLOTS` of `projects.P.visualizations.W.plots`; none if there is no such module.

    Errors
    ------
    ConfigurationError
        No such workload, or no `PLOTS` made by `collect` in the module.
    """
    import importlib.util

    from projects.matrix_benchmarking.results.parser import workload_module, workload_package

    if importlib.util.find_spec(f"{workload_package(workload)}.plots") is None:
        return Plots()
    module = workload_module(workload, "plots")
    plots = getattr(module, "PLOTS", None)
    if not isinstance(plots, Plots):
        raise ConfigurationError(
            f"{module.__file__} has no PLOTS; end it with PLOTS = collect(globals())"
        )
    return plots


def figures_of(returned: Any) -> Sequence[Any]:
    """Return what a plot returned as a list of figures."""
    if returned is None:
        return []
    return list(returned) if isinstance(returned, list | tuple) else [returned]
