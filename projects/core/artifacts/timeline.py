"""A run as one self-contained page: facts, what went wrong, a Gantt chart, the slowest spans."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from projects.core.artifacts import readable
from projects.core.artifacts.summary import MARKS, origins, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.core.artifacts.spans import Run, Span

MOST_SLOW, MOST_WRONG, MOST_DETAILS = 15, 20, 4000
"""Rows of the two lists; characters of parameters and notes per span."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def timeline(run: Run) -> str:
    """Return the page; it lies in the run's directory, its links are relative to it.

    The spans are a nested list that reads without JavaScript; a small script turns it into a
    chart. Nothing is loaded, and a policy within the page allows no script but that one.
    """
    script, style = _beside("timeline.js"), _beside("timeline.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    top = run.root
    title = _title(top)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    head = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<title>{_mark(top)} {_text(title)}</title>\n<style>{style}</style>\n</head>\n<body>",
    ]
    body = [*_header(run, top, title), "<main>", *_wrong(run, top), *_chart(run)]
    foot = [*_slowest(run, top), f"</main>\n<script>{script}</script>\n</body>\n</html>\n"]
    return "\n".join(head + body + foot)


def _beside(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


def _title(top: Span) -> str:
    words = [str(top.fields.get(key) or "") for key in ("project", "verb")]
    return " ".join(word for word in words if word) or top.name


def _header(run: Run, top: Span, title: str) -> Iterator[str]:
    yield f'<header>\n<h1><span class="badge {_outcome(top)}">{_mark(top)} {_text(top.outcome)}'
    yield f"</span> {_text(title)}</h1>\n<dl>"
    for name, value in _facts(run, top):
        yield f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>"
    yield "</dl>\n</header>"


def _facts(run: Run, top: Span) -> Iterator[tuple[str, str]]:
    seconds = run.seconds(top)
    spent = sum(span.overhead for _, span in top.walk())
    moment = datetime.fromtimestamp(top.start, UTC)
    yield "duration", readable.duration(seconds)
    yield "started", f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    yield "toolkit", f"{readable.duration(spent)} ({readable.share(spent, seconds)})"
    kinds = [span.kind for _, span in top.walk()]
    numbers = [
        readable.count(kinds.count(kind), kind)
        for kind in ("command", "step", "task", "process")
        if kind in kinds
    ]
    if numbers:
        yield "ran", ", ".join(numbers)
    for name in ("presets", "host", "version", "command_line"):
        value = top.fields.get(name)
        if value:
            line = name == "command_line" and isinstance(value, list)
            yield name.replace("_", " "), shlex.join(map(str, value)) if line else _words(value)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _wrong(run: Run, top: Span) -> Iterator[str]:
    found = list(origins(top))
    if not found:
        return
    yield '<section class="wrong">\n<h2>What went wrong</h2>\n<ol>'
    for span in found[:MOST_WRONG]:
        where = place(run, span)
        link = f' <a href="{_href(where)}FAILURE">FAILURE</a>' if where else ""
        yield f'<li><a href="#{_anchor(span)}"><b>{_mark(span)} {_text(span.name)}</b></a>'
        yield f'<span class="kind">{_text(span.kind)}</span>{link}'
        yield f"<code>{_text(span.error or span.outcome)}</code></li>"
    if len(found) > MOST_WRONG:
        yield f"<li>and {len(found) - MOST_WRONG} more, see FAILURES</li>"
    yield "</ol>\n</section>"


def _chart(run: Run) -> Iterator[str]:
    yield '<section>\n<h2 id="what-ran">What ran</h2>\n<ol id="spans">'
    blamed = {span.id for root in run.roots for span in origins(root)}
    before = -1
    for depth, span in run.walk():
        if depth > before:
            yield "<ol>" if before >= 0 else ""
        else:
            yield "</li>" + "</ol></li>" * (before - depth)
        yield _item(run, span, origin=span.id in blamed)
        before = depth
    yield "</li>" + "</ol></li>" * before if before >= 0 else ""
    yield "</ol>\n</section>"


def _item(run: Run, span: Span, *, origin: bool) -> str:
    seconds = run.seconds(span)
    offset = span.start - run.root.start
    name = _text(span.name)
    label = f'<a href="{_href(span.dir)}">{name}</a>' if span.dir else f"<b>{name}</b>"
    error = f"<em>{_text(span.error)}</em>" if span.error else ""
    details = _details(span)
    blame = " data-origin" if origin else ""
    more = f"<pre>{_text(details)}</pre>" if details else ""
    return (
        f'<li id="{_anchor(span)}" data-at="{offset:.6f}" data-for="{seconds:.6f}"'
        f' data-kind="{_text(span.kind)}" data-outcome="{_outcome(span)}"{blame}>'
        f"{_mark(span)} {label} <small>{_text(span.kind)}, {_text(span.outcome)},"
        f" {readable.duration(seconds)}</small>{error}{more}"
    )


def _details(span: Span) -> str:
    lines = [f"{key}: {_value(value)}" for key, value in span.parameters.items()]
    if span.progress:
        of = "" if span.progress.total is None else f" of {span.progress.total:g}"
        lines.append(f"progress: {span.progress.done:g}{of} {span.progress.unit}".rstrip())
    lines += [
        f"{key.replace('_', ' ')}: {span.fields[key]}"
        for key in ("attempt", "attempts", "exit_status")
        if span.fields.get(key) is not None
    ]
    lines += [f"{note.level}: {note.message}" for note in span.notes]
    text = "\n".join(lines)
    return text if len(text) <= MOST_DETAILS else text[:MOST_DETAILS] + "\n…"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _slowest(run: Run, top: Span) -> Iterator[str]:
    inner = [span for _, span in top.walk() if span.kind not in ("run", "entrypoint")]
    if not inner:
        return
    whole = run.seconds(top)
    yield '<section>\n<h2>The slowest</h2>\n<div class="scroll"><table class="slowest">'
    yield "<thead><tr><th>Name</th><th>Kind</th><th>Outcome</th><th>Duration</th>"
    yield "<th>Own time</th><th>Share of the run</th></tr></thead>\n<tbody>"
    for span in sorted(inner, key=run.seconds, reverse=True)[:MOST_SLOW]:
        seconds = run.seconds(span)
        percent = min(100 * seconds / whole, 100.0) if whole else 0.0
        yield (
            f'<tr><td><a href="#{_anchor(span)}">{_text(span.name)}</a></td>'
            f"<td>{_text(span.kind)}</td>"
            f'<td class="{_outcome(span)}">{_mark(span)} {_text(span.outcome)}</td>'
            f"<td>{readable.duration(seconds)}</td><td>{readable.duration(_own(run, span))}</td>"
            f'<td><i class="{_text(span.kind)} {_outcome(span)}" style="width:{percent:.1f}px"></i>'
            f" {readable.share(seconds, whole)}</td></tr>"
        )
    yield "</tbody>\n</table></div>\n</section>"


def _own(run: Run, span: Span) -> float:
    """Return the seconds of `span` in which none of its children ran."""
    covered, reached = 0.0, span.start
    for child in sorted(span.children, key=lambda c: c.start):
        end = child.start + run.seconds(child)
        covered += max(end - max(child.start, reached), 0.0)
        reached = max(reached, end)
    return max(run.seconds(span) - covered, 0.0)


def _mark(span: Span) -> str:
    return MARKS.get(span.outcome, "✘")


def _outcome(span: Span) -> str:
    return _text(span.outcome)


def _anchor(span: Span) -> str:
    return f"s{_text(span.id)}"


def _href(path: str | None) -> str:
    if not path or path == ".":
        return "./"
    return _text(quote(path.encode("utf-8", "surrogateescape"), safe="/") + "/")


def _text(value: object) -> str:
    # Bytes of names that are no UTF-8 are lone surrogates, which no page can hold.
    text = str(value).encode("utf-8", "replace").decode()
    return html.escape(_CONTROL.sub("", text))
