"""Help texts drawn from names, signatures and docstrings: overview, one name, one verb."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.words import parameters
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
    from collections.abc import Iterable, Mapping, Sequence

    from projects.core.words.catalog import Catalog, Entry

COMMAND = "./run_toolbox.py"

_WIDEST_NAME = 28


@dataclass(frozen=True, slots=True)
class Page:
    """How help is drawn: `width` in columns; colour only where a terminal shows it."""

    width: int = 100
    colour: bool = False

    def title(self, text: str) -> str:
        """Return a heading."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text

    def name(self, text: str) -> str:
        """Return something to type."""
        return f"\x1b[36m{text}\x1b[0m" if self.colour else text

    def dim(self, text: str) -> str:
        """Return something of lesser weight."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour else text

    def rows(self, rows: Iterable[tuple[str, str]]) -> list[str]:
        """Return aligned lines `  name  text`, the text wrapped beside its column."""
        listed = list(rows)
        widest = max((len(name) for name, _ in listed if len(name) <= _WIDEST_NAME), default=0)
        margin = " " * (widest + 4)
        lines = []
        for name, text in listed:
            wrapped = textwrap.wrap(text, max(self.width - len(margin), 30)) or [""]
            if len(name) > widest:
                lines.append(f"  {self.name(name)}")
                lines += [margin + line for line in wrapped if line]
            else:
                first = f"  {self.name(name)}{' ' * (widest - len(name))}  {wrapped[0]}"
                lines += [first.rstrip(), *(margin + line for line in wrapped[1:])]
        return lines

    def text(self, text: str) -> list[str]:
        """Return paragraphs wrapped; indented lines and lists are left as they are."""
        lines: list[str] = []
        for paragraph in text.split("\n\n"):
            literal = any(line[:1] in (" ", "-", "*") for line in paragraph.splitlines())
            lines += paragraph.splitlines() if literal else textwrap.wrap(paragraph, self.width)
            lines.append("")
        return lines[:-1]


def help_overview(catalog: Catalog, version: str, selected: str, page: Page) -> str:
    """Return the page of `./run_toolbox.py`: every project and group, a line each."""
    projects = {
        name: project.summary + (" (selected: `project`)" if name == selected else "")
        for name, project in catalog.projects().items()
    }
    groups = {name: group.summary for name, group in catalog.groups().items()}
    return _page(
        [f"{page.title('Topgallant')} {version}: orchestration of performance tests"],
        _usage(page, "NAME VERB [WORD …] [--parameter=value …]"),
        [page.title("Projects"), *page.rows(projects.items())] if projects else [],
        [page.title("Toolbox groups"), *page.rows(groups.items())] if groups else [],
        [
            page.title("Words and flags"),
            *page.rows(
                (
                    ("preset", "a plain word after a project's verb: applies that preset"),
                    ("key.path=value", "overrides the configuration; the value is YAML"),
                    ("--help", "after NAME or NAME VERB: what it does and takes"),
                    ("--output=json|yaml|text", "how data is printed"),
                    ("--debug", "an error comes with its traceback"),
                    ("--version", "the version"),
                )
            ),
        ],
        _examples(
            page,
            (
                f"{COMMAND} project test_ci quick",
                f"{COMMAND} {next(iter(groups), 'config')} --help",
                f'eval "$({COMMAND} completion bash)"',
            ),
        ),
    )


def help_name(
    entry: Entry,
    entrypoints: Mapping[str, Signature],
    commands: Mapping[str, Signature],
    page: Page,
) -> str:
    """Return the page of one name: its verbs, a line each; entrypoints before commands."""
    summaries = [each.summary for each in (entry.project, entry.group) if each and each.summary]
    head = f"{page.title(entry.name)}: {summaries[0]}" if summaries else page.title(entry.name)
    first = next(iter([*entrypoints, *commands]), "VERB")
    both = ["The name is a project and a toolbox group; where a verb is both, the entrypoint wins."]
    words = "[PRESET …] [key.path=value …] " if entrypoints else ""
    shown = {name: verb for name, verb in commands.items() if name not in entrypoints}
    return _page(
        [head],
        _usage(page, f"{entry.name} VERB {words}[--parameter=value …]"),
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
    presets: Sequence[str] = (),
) -> str:
    """Return the page of one call: `words` are the name and the verb, as typed."""
    call = " ".join(words)
    shown = [p for p in signature.parameters if p.kind != KEYWORD_REST]
    usage = [_usage_of(p) for p in shown]
    if is_entrypoint:
        usage = (
            [u for u in usage if u[0] != "["]
            + ["[PRESET …] [key.path=value …]"]
            + [u for u in usage if u[0] == "["]
        )
    rows = [(_name_of(p), _about(p)) for p in signature.parameters]
    preset_list = textwrap.wrap(", ".join(presets), page.width - 2)
    examples = signature.examples.splitlines() or [_example(call, shown, presets)]
    return _page(
        [f"{page.title(call)}: {signature.summary}" if signature.summary else page.title(call)],
        _usage(page, " ".join([call, *usage])),
        page.text(signature.description) if signature.description else [],
        [page.title("Parameters"), *page.rows(rows)] if rows else [],
        [page.title("Presets"), *("  " + line for line in preset_list)] if presets else [],
        _examples(page, examples),
    )


def _page(*blocks: Sequence[str]) -> str:
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _usage(page: Page, words: str) -> list[str]:
    lines = textwrap.wrap(f"Usage: {COMMAND} {words}", page.width, subsequent_indent=" " * 7)
    return [lines[0].replace("Usage:", page.title("Usage:"), 1), *lines[1:]]


def _examples(page: Page, lines: Sequence[str]) -> list[str]:
    return [page.title("Example" if len(lines) == 1 else "Examples"), *("  " + x for x in lines)]


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
    samples = {"int": "3", "float": "0.5", "path": "some/file", "list": "a,b", "date": "2026-01-31"}
    samples |= {"dict": "'{key: value}'", "tuple": "a,b", "set": "a,b", "datetime": "2026-01-31"}
    return samples.get(kind, parameter.name.upper())
