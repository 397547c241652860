"""A KPI value beside its history and its verdict: what tables, pages and texts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.reports.page import STATES
from projects.matrix_benchmarking.verdict import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from projects.matrix_benchmarking.kpis.kpi import KpiValue
    from projects.matrix_benchmarking.verdict.judge import Judgement
    from projects.matrix_benchmarking.verdict.series import Series

NOTHING = "\N{EN DASH}"
"""Stands where there is no number."""

ORDER = (
    "regression",
    "invalid",
    "improvement",
    "acknowledged",
    "not comparable",
    "ok",
    "no history",
)
"""How grave the statuses are: what a reader sees first."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One KPI value; `series` are the values of earlier runs, without this one."""

    kpi: KpiValue
    series: Series | None = None
    judgement: Judgement | None = None

    @property
    def status(self) -> str:
        """The verdict's word; "invalid" and "not judged" where there is none."""
        if self.judgement is not None:
            return str(self.judgement.status)
        return "invalid" if self.kpi.status == "invalid" else "not judged"

    @property
    def kind(self) -> str:
        """The class of the status on a page: bad, good, warn, quiet."""
        return STATES.get(self.status, ("quiet",))[0]

    @property
    def sentence(self) -> str:
        """What the verdict says, or why there is none."""
        if self.kpi.problem:
            return self.kpi.problem
        if self.judgement is not None:
            return str(self.judgement.sentence)
        return "shown only" if self.kpi.ignored_for_regression else ""

    @property
    def short(self) -> str:
        """The sentence without its subject, for a place that names it already."""
        subject = explain.subject(self.kpi.name, self.kpi.labels)
        return self.sentence.removeprefix(subject).lstrip(" :")

    @property
    def where(self) -> str:
        """The point of the matrix: the labels as `k=v k=v`."""
        return " ".join(f"{name}={value}" for name, value in self.kpi.labels.items())

    @property
    def number(self) -> float | None:
        """The value, where it is a single number."""
        value = self.kpi.value
        return float(value) if isinstance(value, int | float) else None

    @property
    def earlier(self) -> list[float]:
        """The values of the earlier runs, oldest first."""
        return [float(value) for value in self.series.values] if self.series is not None else []

    @property
    def before(self) -> float | None:
        """The value of the last earlier run."""
        return self.earlier[-1] if self.earlier else None

    @property
    def changed_at(self) -> int | None:
        """Where in `earlier` plus this value the change is that the verdict speaks of."""
        change = getattr(self.judgement, "change", None)
        return None if change is None else int(change.index)


def varying(labels: Iterable[Mapping[str, str]]) -> list[str]:
    """Return the names of the labels that are not the same everywhere."""
    every = list(labels)
    names = dict.fromkeys(name for each in every for name in each)
    return [name for name in names if len({each.get(name) for each in every}) > 1]


def point(labels: Mapping[str, str], names: Sequence[str]) -> str:
    """Return the point of the matrix in a few words: the values of these labels."""
    return " · ".join(labels.get(name, NOTHING) for name in names)


def gravest_first(judged: Iterable[Judged]) -> list[Judged]:
    """Return the values with what needs a reader's eyes first; else in their order."""
    rank = {status: number for number, status in enumerate(ORDER)}
    return sorted(judged, key=lambda each: rank.get(each.status, len(rank)))


def tally(judged: Sequence[Judged]) -> dict[str, int]:
    """Return how many values have each status, the gravest first."""
    counts = dict.fromkeys(ORDER, 0)
    for each in judged:
        counts[each.status] = counts.get(each.status, 0) + 1
    return {status: count for status, count in counts.items() if count}


def headline(judged: Sequence[Judged]) -> str:
    """Return the verdict of a run in a few words."""
    counts = tally(judged)
    if not judged:
        return "no KPIs"
    loud = {status: count for status, count in counts.items() if status in ORDER} or counts
    parts = [f"{count} {_plural(status, count)}" for status, count in loud.items()]
    return ", ".join(parts)


def _plural(status: str, count: int) -> str:
    return f"{status}s" if count > 1 and status in ("regression", "improvement") else status


def outcome(judged: Sequence[Judged]) -> tuple[str, str]:
    """Return (class, word) of a whole run: what the badge of its page says."""
    counts = tally(judged)
    for status, kind, word in (
        ("regression", "bad", "▼ slower or worse"),
        ("invalid", "bad", "✘ invalid values"),
        ("improvement", "good", "▲ better"),
        ("acknowledged", "warn", "◆ acknowledged"),
        ("ok", "good", "✔ unchanged"),
        ("not comparable", "warn", "≠ not comparable"),
        ("no history", "quiet", "? no history yet"),
    ):
        if counts.get(status):
            return kind, word
    return "quiet", "not judged"


def as_data(judgement: Any) -> dict[str, Any]:
    """Return a judgement (a dataclass or a model) as JSON-like data."""
    from dataclasses import asdict, is_dataclass

    if is_dataclass(judgement) and not isinstance(judgement, type):
        return asdict(judgement)
    dump = getattr(judgement, "model_dump", None)
    return dict(dump(mode="json")) if callable(dump) else {}
