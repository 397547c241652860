"""Docstrings of three habits (Google, numpy, :param:) read into summary, text and parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

_PARAMETERS = {"args", "arguments", "parameters", "other parameters", "keyword args"}
_EXAMPLES = {"example", "examples"}
_OTHER = {
    "attributes", "errors", "note", "notes", "raises", "references", "returns", "return",
    "see also", "todo", "warning", "warnings", "warns", "yields",
}  # fmt: skip


@dataclass(slots=True)
class Docstring:
    """What a docstring says; every text may be empty."""

    summary: str = ""
    description: str = ""
    examples: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def read_docstring(text: str) -> Docstring:
    """Return the parts of a docstring; what it does not understand is description."""
    found = Docstring()
    sections = _sections(_unindent(text))
    lines, found.parameters = _take_sphinx(sections.pop(0)[1])
    summary, _, description = "\n".join(lines).strip().partition("\n\n")
    found.summary = " ".join(summary.split())
    found.description = description.strip("\n")
    for title, body in sections:
        if title in _PARAMETERS:
            found.parameters.update(_parameters(body))
        elif title in _EXAMPLES:
            found.examples = "\n".join(_unindent("\n" + "\n".join(body))).strip("\n")
    return found


def _unindent(text: str) -> list[str]:
    """Return the lines without the indentation that all but the first one share."""
    first, *rest = text.expandtabs().splitlines() or [""]
    margin = min((_indent(line) for line in rest if line.strip()), default=0)
    return [first.strip(), *(line[margin:].rstrip() for line in rest)]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _sections(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Split at `Title:` (Google) and at a title underlined by dashes (numpy)."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    skip = False
    for number, line in enumerate(lines):
        if skip:
            skip = False
            continue
        title = line.rstrip(":").strip().casefold()
        known = title in _PARAMETERS or title in _EXAMPLES or title in _OTHER
        after = lines[number + 1].strip() if number + 1 < len(lines) else ""
        underlined = len(after) > 2 and not after.strip("-=")  # noqa: PLR2004
        if known and _indent(line) == 0 and (line.endswith(":") or underlined):
            sections.append((title, []))
            skip = underlined
        else:
            sections[-1][1].append(line)
    return sections


def _parameters(lines: list[str]) -> dict[str, str]:
    """Read `name: help`, `name (type): help`, and numpy's `name : type` with help below."""
    margin = min((_indent(line) for line in lines if line.strip()), default=0)
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        if line.strip() and _indent(line) == margin:
            names, colon, text = line.strip().partition(":")
            numpy = margin == 0
            current = [] if numpy or not colon else [text.strip()]
            for name in names.split("(")[0].split(","):
                found[name.strip().lstrip("*")] = current
        else:
            current.append(line.strip())
    return {name: " ".join(filter(None, texts)) for name, texts in found.items()}


def _take_sphinx(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    """Take `:param name: help` (also `:param type name: help`) out of the lines."""
    kept: list[str] = []
    found: dict[str, str] = {}
    name = None
    for line in lines:
        if line.startswith(":") and ":" in line[1:]:
            words, _, text = line[1:].partition(":")
            field_name, *rest = words.split() or [""]
            name = rest[-1] if field_name == "param" and rest else ""
            if name:
                found[name] = text.strip()
        elif name is not None and line.startswith(" "):
            if name:
                found[name] += " " + line.strip()
        else:
            name = None
            kept.append(line)
    return kept, found
