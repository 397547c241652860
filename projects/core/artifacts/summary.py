"""What a tired engineer wants to read at the end of a log."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from projects.core.artifacts import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.core.artifacts.spans import Run, Span

MOST_FAILURES, MOST_SLOW = 3, 3
WIDTH = 100
"""Longer names and errors are cut; the marker files hold them whole."""

SHORT = 0.05
"""Seconds; the toolkit's share of a shorter run says nothing about it."""

MARKS = {"passed": "✔", "skipped": "↷", "cancelled": "⊘", "running": "…"}
"""One character per outcome; everything else is ✘."""

_TOP_FILES = ("FAILURES", "timeline.html", "reports_index.html")


def summary(run: Run, root: str | os.PathLike[str]) -> str:
    """Return at most 15 lines on the last run of the journal, whose directory is `root`."""
    top = run.root
    lines = ["─" * 78, _headline(run, top)]
    lines += _failures(run, top)
    lines += _slowest(run, top)
    lines.append(_line("toolkit", _toolkit(run, top)))
    lines.append(_line("artifacts", os.fspath(root)))
    there = [name for name in _TOP_FILES if os.path.exists(os.path.join(root, name))]
    if there:
        lines.append(_line("", " · ".join(there)))
    return "\n".join(lines) + "\n"


def origins(root: Span) -> Iterator[Span]:
    """Yield the bad spans that no bad span within explains, each where it went wrong.

    What was only cancelled is left out where something else is to blame, and so is what failed
    within a span that passed: an attempt that was repeated, a call that was allowed to fail.
    """
    found = [span for span in _bad(root) if not _explained(span)]
    to_blame = [span for span in found if span.outcome != "cancelled"]
    yield from to_blame or found


def place(run: Run, span: Span) -> str:
    """Return the directory of `span`, or of the nearest span around it that has one."""
    if span.dir:
        return span.dir
    around = ""
    stack: list[tuple[str, Span]] = [("", root) for root in run.roots]
    while stack:
        around, candidate = stack.pop()
        if candidate is span:
            return around
        stack.extend((candidate.dir or around, child) for child in candidate.children)
    return ""


def _bad(span: Span) -> Iterator[Span]:
    waiting = [span]
    while waiting:
        one = waiting.pop()
        if one.bad:
            yield one
            waiting.extend(reversed(one.children))


def _explained(span: Span) -> bool:
    """Say whether what went wrong in `span` is what went wrong within it, and not one thing more.

    An orchestration may go on after a failure that no span has, such as arguments that don't
    fit, and something that needed its result fails as well.
    """
    within = [child.error for child in span.children if child.bad and child.outcome != "cancelled"]
    own = span.error
    passed_on = not own or _kind(own) == "ParallelFailed"
    return any(
        passed_on or not error or _kind(error) == _kind(own) or error in own for error in within
    )


def _kind(error: str) -> str:
    return error.partition(":")[0]


def _headline(run: Run, top: Span) -> str:
    words = [str(top.fields.get(key) or "") for key in ("project", "verb")]
    presets = top.fields.get("presets")
    words += map(str, presets) if isinstance(presets, list) else []
    title = " ".join(word for word in words if word) or top.name
    mark = MARKS.get(top.outcome, "✘")
    took = readable.duration(run.seconds(top))
    return _cut(f"{mark} {top.outcome.upper()}  {title}  in {took}")


def _failures(run: Run, top: Span) -> list[str]:
    if top.outcome == "passed":
        return []
    if top.outcome == "skipped":
        return [_line("because", top.error)] if top.error else []
    found = list(origins(top))
    lines = []
    for span in found[:MOST_FAILURES]:
        error = span.error or span.outcome
        if span is top:
            lines.append(_line("because", error))
            continue
        lines.append(_line(span.outcome, f"{span.kind} {span.name}"))
        lines.append(_line("", error))
        where = place(run, span)
        if where and where != ".":
            lines.append(_line("", f"see {where}/"))
    if len(found) > MOST_FAILURES:
        lines.append(_line("", f"and {len(found) - MOST_FAILURES} more, see FAILURES"))
    return lines[:7]


def _slowest(run: Run, top: Span) -> list[str]:
    spans = [span for _, span in top.walk() if span.kind in ("command", "export")]
    if len(spans) < MOST_SLOW:
        spans += [span for _, span in top.walk() if span.kind == "step" and not _wraps(span)]
    spans = list(islice(_telling(run, sorted(spans, key=run.seconds, reverse=True)), MOST_SLOW))
    whole = run.seconds(top)
    lines = []
    for i, span in enumerate(spans):
        took = run.seconds(span)
        numbers = f"{readable.duration(took):>11}  {readable.share(took, whole):>7}"
        lines.append(_line("" if i else "slowest", f"{numbers}  {span.dir or span.name}"))
    return lines


def _wraps(step: Span) -> bool:
    """Tell whether commands run within: they say more, and have a directory."""
    return any(span.kind == "command" for _, span in step.walk())


def _telling(run: Run, slowest: list[Span]) -> Iterator[Span]:
    """Leave out what is most of a span that came before it: it says the same again."""
    said: set[str] = set()
    for span in slowest:
        if span.id not in said:
            yield span
            most = 0.9 * run.seconds(span)
            said |= {one.id for _, one in span.walk() if run.seconds(one) >= most}


def _toolkit(run: Run, top: Span) -> str:
    spans = [span for _, span in top.walk()]
    spent, whole = sum(span.overhead for span in spans), run.seconds(top)
    words = [readable.duration(spent)]
    if whole >= SHORT:
        words[0] += f", {readable.share(spent, whole)} of the run"
    for kind in ("command", "step", "process"):
        number = sum(span.kind == kind for span in spans)
        if number:
            words.append(readable.count(number, kind))
    retries = sum(max(int(span.fields.get("attempt") or 1) - 1, 0) for span in spans)
    if retries:
        words.append("1 retry" if retries == 1 else f"{retries} retries")
    return " · ".join(words)


def _line(label: str, text: str) -> str:
    return _cut(f"  {label:<11} {text}") if label != "artifacts" else f"  {label:<11} {text}"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
