"""What pydantic finds in a spec, said as sentences; and the keys that nobody reads."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from projects.core.errors import nearest, unknown
from projects.jobs.tools import spec_model
from projects.jobs.tools.parameters import TYPES
from projects.jobs.tools.texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

    from projects.jobs.tools.json_text import Path

MOST_SAID = 50
"""How many problems and how many warnings of a spec are told."""

_KINDS = {
    "string_type": "a text",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
}
_OPTION_BRANCHES = ("str", "int", "float")


@dataclass(slots=True)
class Shape:
    """What is wrong with the shape of a spec, and what is odd; `broken` are the wrong places."""

    problems: list[tuple[Path, str]] = field(default_factory=list)
    warnings: list[tuple[Path, str]] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)


def check(values: Mapping[str, Any]) -> Shape:
    """Compare a spec with the model."""
    shape = Shape()
    strangers = dict(itertools.islice(_strangers(values), MOST_SAID))
    shape.warnings = list(strangers.items())
    try:
        spec_model.Spec.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            path = _path(detail)
            if path in shape.broken:
                continue  # the other branches of a union
            shape.broken.add(path)
            if len(shape.problems) < MOST_SAID:
                shape.problems.append(_problem(path, detail, strangers))
        if len(shape.broken) > MOST_SAID:
            shape.problems.append(((), f"and more: only {MOST_SAID} problems are listed"))
    return shape


def _path(detail: ErrorDetails) -> Path:
    """Return the place without what pydantic adds for branches of unions."""
    path = detail["loc"]
    if path[:1] == ("parameters",) and len(path) > 2 and path[2] in TYPES:  # noqa: PLR2004
        path = (*path[:2], *path[3:])
    if len(path) > 2 and path[-1] in _OPTION_BRANCHES and path[-3] == "options":  # noqa: PLR2004
        path = path[:-1]
    return path


def _problem(path: Path, detail: ErrorDetails, strangers: Mapping[Path, str]) -> tuple[Path, str]:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        siblings = [str(other[-1]) for other in strangers if other[:-1] == path[:-1]]
        close = nearest(str(path[-1]), siblings)
        return path, "it is missing" + (f'; is "{close}" meant for it?' if close else "")
    if kind.startswith("union_tag"):
        return (*path, "type"), _wrong_type(context.get("tag"))
    if kind in _KINDS:
        wanted = "a text or a number" if "options" in path[:-1] else _KINDS[kind]
        return path, f"{shown(given)} is not {wanted}"
    return path, _wrong_value(path, detail)


def _wrong_type(given: object) -> str:
    if given is None:
        return f"it is missing. Possible: {', '.join(TYPES)}."
    return unknown("type", str(given)[:60], TYPES)


def _wrong_value(path: Path, detail: ErrorDetails) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "literal_error":
        possible = spec_model.Spec.model_fields[str(path[-1])].annotation
        return unknown("value", shown(given).strip('"'), getattr(possible, "__args__", ()))
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return f"{shown(given)} doesn't fit; names like {context['pattern'][1:-1]} do"
    return f"{shown(given)}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _strangers(values: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield the keys that nobody reads, each with a sentence."""
    yield from _unread(values, spec_model.Spec, (), "$schema")
    limits = values.get("limits")
    if isinstance(limits, dict):
        yield from _unread(limits, spec_model.Limits, ("limits",))
    for number, said in _objects(values.get("uploads")):
        yield from _unread(said, spec_model.Upload, ("uploads", number))
    models: dict[str, type[BaseModel]] = {
        name: getattr(spec_model, kind.__name__) for name, kind in TYPES.items()
    }
    anywhere = {key for model in models.values() for key in model.model_fields}
    for number, said in _objects(values.get("parameters")):
        kind = said.get("type")
        if not isinstance(kind, str) or kind not in models:
            continue
        path = ("parameters", number)
        for place, sentence in _unread(said, models[kind], path):
            ignored = f'"{place[-1]}" means nothing for the type {kind}; it is ignored'
            yield place, ignored if place[-1] in anywhere else sentence


def _unread(
    said: Mapping[str, Any], model: type[BaseModel], path: Path, *more: str
) -> Iterator[tuple[Path, str]]:
    for key in said:
        if key not in model.model_fields and key not in more:
            close = nearest(key[:100], model.model_fields)
            hint = f'; did you mean "{close}"?' if close else "; it is ignored"
            yield (*path, key), f"unknown key {shown(key)}{hint}"


def _objects(listed: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, said in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(said, dict):
            yield number, said
