"""A verdict as `verdict.json`."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.reports.judged import as_data, outcome, tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.matrix_benchmarking.reports.judged import Judged

VERSION = 1
"""Grows when a key of the document changes its meaning or goes."""


def verdict_document(judged: Sequence[Judged], notes: Sequence[str] = ()) -> dict[str, Any]:
    """Return `{version, outcome, counts, notes, kpis: [...]}`, JSON-like.

    `outcome` is "regression", "passed" or "not judged"; each of `kpis` has name, labels, value,
    unit, lower_better, status, sentence, before (the last earlier value) and `judgement`.
    """
    counts = tally(judged)
    return {
        "version": VERSION,
        "outcome": _word(counts),
        "headline": outcome(judged)[1],
        "counts": counts,
        "notes": list(notes),
        "kpis": [_entry(each) for each in judged],
    }


def verdict_json(judged: Sequence[Judged], notes: Sequence[str] = ()) -> str:
    """Return the document as text; NaN and infinity are null."""
    document = _plain(verdict_document(judged, notes))
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _word(counts: dict[str, int]) -> str:
    if counts.get("regression"):
        return "regression"
    judged = ("ok", "improvement", "acknowledged")
    return "passed" if any(counts.get(status) for status in judged) else "not judged"


def _entry(each: Judged) -> dict[str, Any]:
    kpi = each.kpi
    return {
        "name": kpi.name,
        "labels": dict(kpi.labels),
        "value": kpi.value,
        "unit": kpi.unit,
        "lower_better": kpi.lower_better,
        "test_uuid": str(kpi.test_uuid),
        "status": each.status,
        "sentence": each.sentence,
        "before": each.before,
        "runs_before": len(each.earlier),
        "judgement": as_data(each.judgement),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | bool | None) else str(value)
