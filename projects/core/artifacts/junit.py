"""A run as `junit.xml`, for the test views of CI systems."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.core.artifacts.spans import Run, Span

CASES = frozenset(("entrypoint", "command", "step", "task", "export"))
"""Kinds of spans that become test cases; a process belongs to the case that started it."""

_FAILURE = frozenset(("failed",))
_ERROR = frozenset(("error", "timeout", "interrupted", "lost"))
_SKIPPED = frozenset(("skipped", "cancelled"))

# Char of XML 1.0, section 2.2, turned around; lone surrogates are among what it excludes.
_ILLEGAL = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def junit(run: Run) -> str:
    """Return the last run of the journal as JUnit XML: one suite, a case per step of the way.

    The test failed: `failure`. It timed out, was interrupted, lost or broken: `error`. Left out,
    or cancelled because a sibling failed: `skipped`. A case's class name is what it ran within;
    its system-out tells where its artifacts are. A command that fails because a step of it did
    is a failure too, as the CI views expect of a test and its subtests.

    Source: the schema of Jenkins' JUnit plug-in, which GitLab, Prow and Azure read as well.
    """
    root = run.root
    cases = list(_cases(root))
    title = " ".join(str(root.fields.get(key, "")) for key in ("project", "verb")).strip()
    totals = (
        f'tests="{len(cases)}" failures="{_count(cases, _FAILURE)}" '
        f'errors="{_count(cases, _ERROR)}" skipped="{_count(cases, _SKIPPED)}" '
        f'time="{run.seconds(root):.3f}"'
    )
    moment = datetime.fromtimestamp(root.start, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    name = _attribute(title or root.name)
    host = _attribute(root.fields.get("host", "unknown"))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites name={name} {totals}>",
        f'  <testsuite name={name} {totals} timestamp="{moment}" hostname={host}>',
        *_properties(root),
    ]
    for above, span in cases:
        lines.extend(_case(run, above, span))
    lines += ["  </testsuite>", "</testsuites>", ""]
    return "\n".join(lines)


def _cases(root: Span) -> Iterator[tuple[str, Span]]:
    """Yield (names above it, span) in order of start; a run without any is a case itself."""
    found = False
    stack = [("", child) for child in reversed(root.children)]
    while stack:
        above, span = stack.pop()
        if span.kind in CASES:
            found = True
            yield above, span
        path = f"{above}.{span.name}" if above else span.name
        stack.extend((path, child) for child in reversed(span.children))
    if not found:
        yield "", root


def _count(cases: list[tuple[str, Span]], outcomes: frozenset[str]) -> int:
    return sum(span.outcome in outcomes for _, span in cases)


def _properties(root: Span) -> list[str]:
    keys = ("project", "verb", "presets", "host", "version", "command_line")
    told = [(key, root.fields[key]) for key in keys if root.fields.get(key)]
    if not told:
        return []
    lines = [
        f"      <property name={_attribute(key)} value={_attribute(_words(value))}/>"
        for key, value in told
    ]
    return ["    <properties>", *lines, "    </properties>"]


def _case(run: Run, above: str, span: Span) -> Iterator[str]:
    classname = above or str(run.root.fields.get("project") or span.kind)
    yield (
        f"    <testcase classname={_attribute(classname)} name={_attribute(span.name)}"
        f' time="{run.seconds(span):.3f}">'
    )
    message = span.error or span.outcome
    kind = span.error.partition(":")[0] if span.error else span.outcome
    if span.outcome in _SKIPPED:
        yield f"      <skipped message={_attribute(message)}/>"
    elif span.bad:
        tag = "failure" if span.outcome in _FAILURE else "error"
        opening = f"<{tag} message={_attribute(message)} type={_attribute(kind)}>"
        yield f"      {opening}{_text(message)}</{tag}>"
    if span.dir:
        pointer = f"artifacts: {span.dir}/" + (f"\nfailure: {span.dir}/FAILURE" if span.bad else "")
        yield f"      <system-out>{_text(pointer)}</system-out>"
    yield "    </testcase>"


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _attribute(value: object) -> str:
    escaped = _text(str(value)).replace('"', "&quot;")
    for character in "\t\n\r":  # a parser would make them spaces
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return f'"{escaped}"'


def _text(value: str) -> str:
    # xml.sax.saxutils.escape does the same, and imports an HTTP client.
    plain = value.isascii() and value.isprintable()
    # Compiling such a large class takes longer than most runs have to say.
    text = value if plain else re.sub(_ILLEGAL, "", value)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
