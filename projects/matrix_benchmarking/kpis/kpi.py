"""KPIs: functions of a payload that return a number with unit and direction."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003 - pydantic reads annotations
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import UUID  # noqa: TC003

from pydantic import BaseModel, ConfigDict, Field

from projects.core.errors import ConfigurationError, one_line

if TYPE_CHECKING:
    from projects.matrix_benchmarking.kpis.payload import Payload

Better = Literal["higher", "lower"]
Number = float | int
Labels = Callable[[Any], Mapping[str, object]]

MOST_VALUES = 100_000
"""Values of one curve, samples of one KPI."""


class Strict(BaseModel):
    """A model that refuses what it does not know, and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class KpiValue(Strict):
    """One number of one result, or one curve.

    `value` is None if and only if `status` is "invalid"; `problem` then says what was returned or
    raised. A curve has `x`, as long as `value`. `samples` are the single measurements behind a
    value, as far as the KPI tells: what the noise is estimated from. `format` is a format string
    for the value, `{:.2f}`.
    """

    name: str
    value: float | list[float] | None
    unit: str
    help: str
    lower_better: bool
    labels: dict[str, str] = Field(default_factory=dict)
    timestamp: datetime
    test_uuid: UUID
    status: Literal["valid", "invalid"] = "valid"
    problem: str | None = None
    run_id: str = ""
    urls: dict[str, str] = Field(default_factory=dict)
    format: str = "{:.2f}"
    ignored_for_regression: bool = False
    x: list[float] | None = None
    x_unit: str = ""
    samples: list[float] = Field(default_factory=list)

    @property
    def text(self) -> str:
        """The value as people read it, with its unit."""
        if self.value is None:
            return "invalid"
        values = self.value if isinstance(self.value, list) else [self.value]
        shown = ", ".join(self.format.format(value) for value in values[:8])
        more = ", …" if len(values) > 8 else ""  # noqa: PLR2004 - as many as a line holds
        return f"{shown}{more} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Curve:
    """What a KPI returns that is a curve: `y` in the KPI's unit over `x` in `x_unit`."""

    x: Sequence[Number]
    y: Sequence[Number]
    x_unit: str = ""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What a KPI returns that knows the measurements behind its value."""

    value: Number
    samples: Sequence[Number]


_SAID = "__kpi_said__"

Returned = Number | Sequence[Number] | Curve | Sampled
Function = Callable[[Any], Returned]
Target = TypeVar("Target", "Kpi", Function)


@dataclass(frozen=True, slots=True)
class Kpi:
    """A KPI: `function(payload)` returns its value; the rest says how to read it."""

    name: str
    function: Function
    unit: str = ""
    help: str = ""
    lower_better: bool = False
    format: str = "{:.2f}"
    ignored_for_regression: bool = False
    divisor: float = 1.0

    def __call__(self, payload: Any) -> Returned:
        """Return what the function returns, undivided."""
        return self.function(payload)


def KPI(  # noqa: N802 - the seed's name
    *,
    unit: str,
    help: str,  # noqa: A002
    better: Better | None = None,
    format: str | None = None,  # noqa: A002
    ignored_for_regression: bool | None = None,
    name: str | None = None,
) -> Callable[[Function], Kpi]:
    """Make a KPI of a function of a payload; its name is the function's unless given.

    Higher is better, the format is `{:.2f}` and the KPI counts for regressions, unless this or one
    of the small decorators below says otherwise.
    """

    def decorate(function: Function) -> Kpi:
        said: dict[str, Any] = dict(getattr(function, _SAID, {}))
        if better is not None:
            said["lower_better"] = _lower_better(better)
        if format is not None:
            said["format"] = _checked(format)
        if ignored_for_regression is not None:
            said["ignored_for_regression"] = ignored_for_regression
        default = str(getattr(function, "__name__", ""))
        made = Kpi(name=name or default, function=function, unit=unit, help=help)
        return replace(made, **said)

    return decorate


def KPIMetadata(*, help: str, unit: str) -> Callable[[Function], Kpi]:  # noqa: A002, N802
    """As `KPI`, by the seed's name."""
    return KPI(unit=unit, help=help)


def HigherBetter(target: Target) -> Target:  # noqa: N802
    """Say that more is better, as it is when nothing is said."""
    return _say(target, lower_better=False)


def LowerBetter(target: Target) -> Target:  # noqa: N802
    """Say that less is better."""
    return _say(target, lower_better=True)


def IgnoredForRegression(target: Target) -> Target:  # noqa: N802
    """Say that the KPI is kept and shown, but never judged."""
    return _say(target, ignored_for_regression=True)


def Format(text: str) -> Callable[[Target], Target]:  # noqa: N802
    """Say how people read the value: a format string for one number, `{:.2f}`."""
    checked = _checked(text)
    return lambda target: _say(target, format=checked)


def FormatDivisor(  # noqa: N802
    divisor: float,
    *,
    unit: str,
    format: str = "{:.2f}",  # noqa: A002
) -> Callable[[Target], Target]:
    """Say that the value is kept divided by `divisor`, in `unit`: bytes in GB, for example."""
    if not (math.isfinite(divisor) and divisor):
        raise ConfigurationError(f"FormatDivisor({divisor!r}): a number other than 0 is needed")
    checked = _checked(format)
    return lambda target: _say(target, divisor=divisor, unit=unit, format=checked)


def _say(target: Target, **said: Any) -> Target:
    """Change a KPI, or remember it at a function that is to become one: the order is free."""
    if isinstance(target, Kpi):
        return replace(target, **said)
    setattr(target, _SAID, {**getattr(target, _SAID, {}), **said})
    return target


def _lower_better(better: str) -> bool:
    if better not in {"higher", "lower"}:
        raise ConfigurationError(f'better="{better}": "higher" or "lower" is needed')
    return better == "lower"


def _checked(text: str) -> str:
    try:
        text.format(1.0)
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise ConfigurationError(f"{text!r} is no format of one number: {error}") from None
    return text


@dataclass(frozen=True, slots=True)
class Kpis:
    """The KPIs of a workload, and the labels that tell the points of its matrix apart."""

    kpis: tuple[Kpi, ...]
    labels: Labels | None = None
    version: str = "1"

    def __iter__(self) -> Iterator[Kpi]:
        return iter(self.kpis)


def collect(
    *kpis: Kpi | Mapping[str, Any], labels: Labels | None = None, version: str = "1"
) -> Kpis:
    """Return the KPIs given, or all in the order of their definition: `collect(globals())`.

    `labels(payload)` returns what is constant of the series that a value belongs to; without it
    they are the settings.

    Errors
    ------
    ConfigurationError
        Two have the same name.
    """
    found: list[Kpi] = []
    for each in kpis:
        listed = [each] if isinstance(each, Kpi) else each.values()
        found += [value for value in listed if isinstance(value, Kpi)]
    names = [kpi.name for kpi in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f'two KPIs are named "{name}"; give one of them a name=')
    return Kpis(tuple(found), labels, version)


def evaluate(kpis: Kpis, payload: Payload) -> dict[str, KpiValue]:
    """Return the value of each KPI by name; one that raises or is no number is "invalid"."""
    labels = _labels(kpis.labels, payload)
    return {kpi.name: _evaluate(kpi, payload, labels) for kpi in kpis}


def _labels(labels: Labels | None, payload: Payload) -> dict[str, str]:
    given = labels(payload) if labels else payload.metadata.settings
    return {str(name): str(given[name]) for name in sorted(given)}


def _evaluate(kpi: Kpi, payload: Payload, labels: dict[str, str]) -> KpiValue:
    facts: dict[str, Any] = {"value": None, "status": "invalid"}
    try:
        facts |= {"status": "valid", **_numbers(kpi.function(payload), kpi.divisor)}
    except Exception as error:  # a foreign function; the other KPIs count
        facts["problem"] = str(error) if isinstance(error, _Invalid) else one_line(error)
    metadata = payload.metadata
    return KpiValue(
        name=kpi.name,
        unit=kpi.unit,
        help=kpi.help,
        lower_better=kpi.lower_better,
        labels=labels,
        timestamp=metadata.end,
        test_uuid=metadata.test_uuid,
        run_id=metadata.run_id,
        urls=metadata.urls,
        format=kpi.format,
        ignored_for_regression=kpi.ignored_for_regression,
        **facts,
    )


class _Invalid(ValueError):
    """The sentence that says why a value is none."""


def _numbers(returned: object, divisor: float) -> dict[str, Any]:
    if isinstance(returned, Sampled):
        samples = _list("sample", returned.samples, divisor)
        return {"value": _number("value", returned.value, divisor), "samples": samples}
    if isinstance(returned, Curve):
        x, y = _list("x", returned.x), _list("y", returned.y, divisor)
        if len(x) != len(y):
            raise _Invalid(f"a curve of {len(x)} x and {len(y)} y")
        return {"value": y, "x": x, "x_unit": returned.x_unit}
    if isinstance(returned, Sequence) and not isinstance(returned, str):
        return {"value": _list("value", returned, divisor)}
    return {"value": _number("value", returned, divisor)}


def _list(what: str, values: Sequence[object], divisor: float = 1.0) -> list[float]:
    if not values:
        raise _Invalid(f"no {what} at all")
    if len(values) > MOST_VALUES:
        raise _Invalid(f"{len(values)} values, of at most {MOST_VALUES}")
    return [_number(f"{what} {at}", value, divisor) for at, value in enumerate(values)]


def _number(what: str, value: object, divisor: float = 1.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        item = getattr(value, "item", None)  # a number of numpy
        value = item() if callable(item) else value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _Invalid(f"{what} is {value!r:.80}, no number")
    try:
        number = float(value) / divisor
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _Invalid(f"{what} is {number}")
    return number


def find_kpis(workload: str) -> Kpis:
    """Return `KPIS` of `projects.P.visualizations.W.kpis`, the workload given as `P.W`.

    Errors
    ------
    ConfigurationError
        No such module, or no `KPIS` made by `collect` in it.
    """
    from projects.matrix_benchmarking.results.parser import workload_module

    module = workload_module(workload, "kpis")
    kpis = getattr(module, "KPIS", None)
    if not isinstance(kpis, Kpis):
        raise ConfigurationError(
            f"{module.__file__} has no KPIS; end it with KPIS = collect(globals())"
        )
    return kpis
