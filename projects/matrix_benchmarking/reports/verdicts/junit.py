"""A verdict as `verdict.junit.xml`: a case per KPI value, for the pages of CI engines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.reports.drawing.panel import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.matrix_benchmarking.reports.judged import Judged

_ELEMENTS = {
    "regression": "failure",
    "invalid": "error",
    "not comparable": "skipped",
    "no history": "skipped",
    "not judged": "skipped",
    "acknowledged": "skipped",
}


def verdict_junit(judged: Sequence[Judged]) -> str:
    """Return the XML; a regression is a failure, an invalid value an error.

    What could not be judged, or is acknowledged, is skipped, with the reason. Source of the
    format: https://github.com/testmoapp/junitxml
    """
    kinds = Counter(_ELEMENTS.get(each.status, "") for each in judged)
    cases = "\n".join(_case(each) for each in judged)
    numbers = (
        f'tests="{len(judged)}" failures="{kinds["failure"]}" errors="{kinds["error"]}" '
        f'skipped="{kinds["skipped"]}"'
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="verdict" {numbers}>\n<testsuite name="verdict" {numbers}>\n'
        f"{cases}\n</testsuite>\n</testsuites>\n"
    )


def _case(each: Judged) -> str:
    name = f"{each.kpi.name} [{each.where}]" if each.where else each.kpi.name
    head = f'<testcase classname="kpi.{escape(each.kpi.name)}" name="{escape(name)}" time="0"'
    element = _ELEMENTS.get(each.status)
    said = each.sentence or each.status
    if element is None:
        return f"{head}><system-out>{escape(f'{each.kpi.text}: {said}')}</system-out></testcase>"
    text = "" if element == "skipped" else escape(f"{each.kpi.text}\n{said}")
    kind = "" if element == "skipped" else f' type="{escape(each.status)}"'
    return f'{head}><{element}{kind} message="{escape(said)}">{text}</{element}></testcase>'
