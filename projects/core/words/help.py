"""Help texts of a name and of a verb, drawn from signatures and docstrings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError
from projects.core.words import parameters
from projects.core.words.page import COMMAND, Page, examples, join, usage
from projects.core.words.signature import (
    KEYWORD_REST,
    NO_DEFAULT,
    POSITIONAL,
    POSITIONAL_ONLY,
    REST,
    Parameter,
    Signature,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projects.core.words.catalog import Entry


_MOST_CHANGES, _LONGEST_VALUE = 3, 30
"""What the line of a preset shows: changes, and characters of a value."""


def help_name(
    entry: Entry,
    entrypoints: Mapping[str, Signature],
    commands: Mapping[str, Signature],
    page: Page,
) -> str:
    """Return the page of one name: its verbs, a line each; entrypoints before commands."""
    summaries = [each.summary for each in (entry.project, entry.group) if each and each.summary]
    first = next(iter([*entrypoints, *commands]), "VERB")
    both = ["The name is a project and a toolbox group; where a verb is both, the entrypoint wins."]
    words = "[PRESET …] [key.path=value …] " if entrypoints else ""
    shown = {name: verb for name, verb in commands.items() if name not in entrypoints}
    return join(
        page.head(entry.name, "".join(summaries[:1])),
        usage(page, f"{entry.name} VERB {words}[--parameter=value …]"),
        both if entrypoints and commands else [],
        _verbs(page, "Entrypoints", entrypoints),
        _verbs(page, "Commands", shown),
        [page.dim(f"More about one of them: {COMMAND} {entry.name} {first} --help")],
    )


def help_verb(
    words: Sequence[str],
    signature: Signature,
    page: Page,
    *,
    is_entrypoint: bool = False,
    presets: Mapping[str, Any] | None = None,
) -> str:
    """Return the page of one call: `words` are the name and the verb, as typed.

    `presets` maps names to what the configuration says under them.
    """
    call = " ".join(words)
    shown = [p for p in signature.parameters if p.kind != KEYWORD_REST]
    optional = [_usage_of(p) for p in shown if not p.required]
    if is_entrypoint:
        optional.insert(0, "[PRESET …] [key.path=value …]")
    words_after = [*(_usage_of(p) for p in shown if p.required), *optional]
    rows = [(_name_of(p), _about(p)) for p in signature.parameters]
    preset_rows = [(name, _changes(preset)) for name, preset in (presets or {}).items()]
    shown_examples = signature.examples.splitlines() or [_example(call, shown, list(presets or ()))]
    return join(
        page.head(call, signature.summary),
        usage(page, " ".join([call, *words_after])),
        page.text(signature.description) if signature.description else [],
        [page.title("Parameters"), *page.rows(rows)] if rows else [],
        [page.title("Presets"), *page.rows(preset_rows)] if preset_rows else [],
        examples(page, shown_examples),
    )


def _changes(preset: Any) -> str:
    """Return what a preset does, in short: what it extends, and the first keys that it sets."""
    if not isinstance(preset, dict):
        return ""
    extended = preset.get("extends") or []
    names = extended if isinstance(extended, list) else [extended]
    said = [f"extends {', '.join(map(str, names))}"] if names else []
    sets = [f"{key}={_shortened(value)}" for key, value in preset.items() if key != "extends"]
    said += sets[:_MOST_CHANGES]
    if len(sets) > _MOST_CHANGES:
        said.append(f"… {len(sets) - _MOST_CHANGES} more")
    return "; ".join(said)


def _shortened(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _verbs(page: Page, title: str, verbs: Mapping[str, Signature]) -> list[str]:
    rows = [(name, signature.summary) for name, signature in verbs.items()]
    return [page.title(title), *page.rows(rows)] if rows else []


def _usage_of(parameter: Parameter) -> str:
    upper = parameter.name.upper()
    if parameter.kind == REST:
        return f"[{upper} …]"
    if parameter.required:
        place = parameter.kind in (POSITIONAL, POSITIONAL_ONLY)
        return upper if place else f"{_name_of(parameter)}"
    return f"[{upper}]" if parameter.kind == POSITIONAL_ONLY else f"[{_name_of(parameter)}]"


def _name_of(parameter: Parameter) -> str:
    if parameter.kind == REST:
        return f"{parameter.name.upper()} …"
    if parameter.kind == KEYWORD_REST:
        return "--NAME=value"
    if parameter.is_flag:
        return f"--{parameter.name}"
    kind = parameters.describe(parameter.annotation) or "value"
    if parameter.default is None:
        kind = kind.removesuffix(" | null")  # the default says so
    return f"--{parameter.name}={kind}"


def _about(parameter: Parameter) -> str:
    text = parameter.help
    if text and text[-1] not in ".!?":
        text += "."
    if parameter.kind in (REST, KEYWORD_REST):
        return text or "Any number of them."
    state = "Required." if parameter.required else f"Default: {_default(parameter)}."
    return f"{text} {state}".strip()


def _default(parameter: Parameter) -> str:
    if parameter.default == "":
        return "empty"
    try:
        return parameters.format(parameter.default, parameter.annotation)
    except Exception:  # a default that is not of its type is still worth showing
        return repr(parameter.default)


def _example(call: str, shown: Sequence[Parameter], presets: Sequence[str]) -> str:
    required = [p for p in shown if p.required]
    words = [f"--{p.name}={_sample(p)}" for p in required]
    optional = [p for p in shown if not p.required and p.kind != REST]
    if not words and optional and not presets:
        words = [_sample_flag(optional[0])]
    return " ".join([COMMAND, call, *presets[:1], *words])


def _sample_flag(parameter: Parameter) -> str:
    if parameter.is_flag:
        return f"--no-{parameter.name}" if parameter.default else f"--{parameter.name}"
    return f"--{parameter.name}={_sample(parameter)}"


def _sample(parameter: Parameter) -> str:
    """Return a word that fits: a choice, the default, or something of the type."""
    words = parameters.choices(parameter.annotation)
    if words:
        return words[0]
    default: Any = parameter.default
    if default is not NO_DEFAULT and default not in (None, ""):
        text = _default(parameter)
        return text if text.replace(",", "").isalnum() else f"'{text}'"
    kind = parameters.describe(parameter.annotation).split(" ")[0].split("[")[0]
    name = parameter.name.upper()
    return next((word for word in _SAMPLES.get(kind, ()) if _fits(word, parameter)), name)


_ITEMS = ("a,b", "1,2")
_SAMPLES = {
    "int": ("3",),
    "float": ("0.5",),
    "path": ("some/file",),
    "date": ("2026-01-31",),
    "datetime": ("2026-01-31",),
    "dict": ("'{key: value}'", "'{key: 1}'"),
    "list": _ITEMS,
    "tuple": _ITEMS,
    "set": _ITEMS,
}
"""Words by the beginning of a type's name; the first that fits the whole type is shown."""


def _fits(word: str, parameter: Parameter) -> bool:
    try:
        parameters.parse(word.strip("'"), parameter.annotation, parameter.name)
    except UsageError:
        return False
    return True
