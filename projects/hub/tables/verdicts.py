"""What became of a numeric column over time: its changes of level, and the verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from projects.hub.tables.columns import NUMERIC, Type
from projects.hub.tables.filters import BadWords, Field
from projects.hub.tables.kinds import show
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projects.hub.tables.columns import Column
    from projects.hub.tables.values import Known
    from projects.matrix_benchmarking.verdict.judge import Judgement

MOST_POINTS = 1000
"""So many of the newest values are looked at, all series together."""
MOST_SERIES = 8
_FOREVER = 1_000_000  # runs

AT = Field("@at", "r.at", Type.DATE_TIME)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One series: moments in µs and values, the oldest first, with its verdict.

    `changes` are (place in the series, level before, level after).
    """

    labels: Mapping[str, str]
    moments: Sequence[int]
    values: Sequence[float]
    rows: Sequence[int]
    judgement: Judgement
    status: str
    sentence: str
    changes: Sequence[tuple[int, float, float]]


def time_field(name: str | None, columns: Sequence[Column]) -> Field:
    """Return the field that says when: the one named, else the only date-time column, else `@at`.

    Raises
    ------
    BadWords
        The one named is no date-time.
    """
    from projects.hub.tables.filters import field_of

    if name is not None:
        field = field_of(name, columns)
        if field.type is not Type.DATE_TIME:
            raise BadWords(f"{name!r} is {field.type}: time needs a date-time column, or @at")
        return field
    found = [column for column in columns if column.type is Type.DATE_TIME]
    return field_of(found[0].name, columns) if len(found) == 1 else AT


def numeric(name: str, columns: Sequence[Column]) -> Column:
    """Return the numeric column of a name.

    Raises
    ------
    BadWords
        There is none, or it isn't numeric; the message has the possible ones.
    """
    from projects.core.errors import unknown

    possible = {column.name: column for column in columns if column.type in NUMERIC}
    if name in possible:
        return possible[name]
    other = next((column for column in columns if column.name == name), None)
    if other is not None:
        raise BadWords(f"{name!r} is {other.type}: a plot needs an integer or real column")
    raise BadWords(unknown("numeric column", name[:200], possible))


def judged(
    column: Column,
    group: Field | None,
    rows: Sequence[tuple[Any, ...]],
    known: Sequence[Known],
    today: date | None = None,
) -> tuple[list[Drawn], int]:
    """Return the series of (value, row, moment, group) rows with verdicts, and how many are left.

    With a group field each of its values is a series; of many the largest are taken. A column of
    which nobody has said which way is good is judged, too, but without saying better or worse.
    """
    from projects.matrix_benchmarking.verdict.judge import Rules, judge
    from projects.matrix_benchmarking.verdict.series import Point, Series

    parts: dict[Any, list[tuple[int, int, float]]] = {}
    for value, number, at, *rest in rows:
        if at is not None and math.isfinite(value):
            key = rest[0] if group else None
            parts.setdefault(key, []).append((at, number, float(value)))
    largest = sorted(parts, key=lambda key: (-len(parts[key]), str(key)))[:MOST_SERIES]
    keys = sorted(largest, key=lambda key: (key is None, str(key)))
    given = []
    for key in keys:
        points = sorted(parts[key])
        labels = {group.name: _label(show(key, group.type))} if group else {}
        times = [_datetime(at) for at, _, _ in points]
        series = Series(
            name=column.name,
            times=tuple(times[:-1]),
            values=tuple(value for _, _, value in points[:-1]),
            lower_better=column.better != "higher",
            labels=labels,
            unit=column.unit,
            runs=tuple(str(number) for _, number, _ in points[:-1]),
        )
        given.append((series, Point(times[-1], points[-1][2], run=str(points[-1][1]))))
    about = [_acknowledgement(one) for one in known if one.column == column.name]
    rules = Rules() if column.better else Rules(improvement_runs=_FOREVER)
    judgements = judge(given, rules, about, today or datetime.now(UTC).date())
    drawn = [
        _drawn(column, sorted(parts[key]), judgement)
        for key, judgement in zip(keys, judgements, strict=True)
    ]
    return drawn, len(parts) - len(keys)


def describe(one: Drawn) -> dict[str, Any]:
    """Return a verdict as JSON shows it."""
    judgement = one.judgement
    return {
        "labels": dict(one.labels),
        "status": one.status,
        "sentence": one.sentence,
        "points": len(one.values),
        "last": {"row": one.rows[-1], "at": moment.iso(one.moments[-1]), "value": one.values[-1]},
        "baseline": _finite(judgement.baseline),
        "noise_floor": _finite(judgement.noise_floor),
        "changes": [
            {
                "row": one.rows[place],
                "at": moment.iso(one.moments[place]),
                "before": before,
                "after": after,
            }
            for place, before, after in one.changes
        ],
    }


def _drawn(column: Column, points: list[tuple[int, int, float]], judgement: Judgement) -> Drawn:
    from projects.matrix_benchmarking.verdict.detect import detect

    values = [value for _, _, value in points]
    changes = {change.index: change for change in detect(values)}
    if judgement.change is not None:
        near = [place for place in changes if abs(place - judgement.change.index) <= 3]  # noqa: PLR2004
        for place in near:
            del changes[place]
        changes[judgement.change.index] = judgement.change
    status, sentence = str(judgement.status), judgement.sentence
    if not column.better and status in ("regression", "improvement"):
        status, sentence = "changed", sentence.replace(", which is better", "", 1)
    return Drawn(
        labels=judgement.labels,
        moments=[at for at, _, _ in points],
        values=values,
        rows=[number for _, number, _ in points],
        judgement=judgement,
        status=status,
        sentence=sentence,
        changes=[(place, changes[place].before, changes[place].after) for place in sorted(changes)],
    )


def _acknowledgement(one: Known) -> Any:
    from projects.matrix_benchmarking.verdict.acknowledgement import Acknowledgement

    return Acknowledgement(
        kpi="*",  # they are of the column that is judged, whose name may look like a pattern
        since=_datetime(one.since),
        reason=one.reason,
        expires=date.fromisoformat(one.expires),
        labels=one.labels,
    )


def _label(value: Any) -> str:
    if value is None:
        return "none"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"  # noqa: PLR2004  (of a line)


def _datetime(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
