"""A call of an entrypoint or a toolbox command: found, bound, dispatched, its value printed."""

from __future__ import annotations

import functools
import itertools
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.command_line import printing
from projects.core.command_line.latest import LATEST, pinned
from projects.core.command_line.main import take_flag
from projects.core.errors import UsageError, nearest, unknown
from projects.core.words import loading
from projects.core.words.arguments import Bound, bind, bind_entrypoint, is_flag
from projects.core.words.catalog import Catalog, Entry, selected_project
from projects.core.words.signature import POSITIONAL, POSITIONAL_ONLY, REST, Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OURS = ("debug", "help", "output", "version")
"""Flags that are not a verb's own; the last one stands alone."""

QUERY_MARK = "__topgallant_query__"
"""Attribute that the @query decorator leaves on a command that only reads and prints."""


@dataclass(frozen=True, slots=True)
class Verb:
    """A function that a name offers, and how it was said."""

    entry: Entry
    name: str
    function: Callable[..., Any]
    is_entrypoint: bool
    is_whole_name: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """What is typed to call it."""
        return (self.entry.name,) if self.is_whole_name else (self.entry.name, self.name)


def call_or_explain(words: Sequence[str], argv: Sequence[str], root: str) -> None:
    """Call what the words say, or show its help where they contain --help.

    Raises UsageError for a name, verb, flag or value that does not fit, and what the call raises.
    """
    if any(LATEST in word for word in words):
        from projects.core.commands.session import base_directory

        base = base_directory(os.environ)
        words, argv = pinned(words, base), pinned(argv, base)
    words, long = take_flag(words, "--help")
    words, short = take_flag(words, "-h")
    words = name_first(words)
    entry = find(words[0], root, os.environ)
    verbs = load_verbs(entry)
    verb = _choose(entry, verbs, words[1:], explain=long or short)
    if long or short:
        from projects.core.command_line.pages import show_name, show_verb

        if verb:
            show_verb(verb)
        else:
            show_name(entry, verbs)
    elif verb:
        _call(verb, words[1:] if verb.is_whole_name else first_word_first(words[1:])[1:], argv)


def name_first(words: Sequence[str]) -> list[str]:
    """Return the words with those flags behind the name that stand before it.

    Raises UsageError where a flag before the name is none of ours, or there is no name.
    """
    for word in itertools.takewhile(is_flag, words):
        if word.partition("=")[0] != "--output":
            raise UsageError(f"{_unknown_flag(word)} A verb's own stand behind it.")
    moved = first_word_first(words)
    if not moved or is_flag(moved[0]):
        raise UsageError("a name is missing; --help lists them")
    return moved


def _unknown_flag(word: str) -> str:
    close = _like_ours(word)
    hint = f'; did you mean "--{close}"?' if close else "."
    return f'unknown flag "{word}"{hint} Possible: {", ".join(f"--{one}" for one in OURS)}.'


def _like_ours(word: str) -> str | None:
    return nearest(word.partition("=")[0].lstrip("-"), OURS)


def first_word_first(words: Sequence[str]) -> list[str]:
    """Return the words with the flags before the first plain one at the end, but before `--`."""
    flags = list(itertools.takewhile(is_flag, words))
    if flags == ["--output"]:  # its value is a word of its own
        flags += words[1:2]
    rest = list(words[len(flags) :])
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *flags, *rest[end:]]


def find(name: str, root: str, environ: Mapping[str, str]) -> Entry:
    """Return what `name` stands for, `project` being the selected one; UsageError otherwise."""
    catalog = Catalog(root)
    if name == "project":
        selected = selected_project(root, environ)
        return Entry(selected, catalog.project(selected), None)
    return catalog.find(name)


def load_verbs(entry: Entry) -> dict[str, Verb]:
    """Import the code behind a name; return its verbs, entrypoints before and over commands."""
    tools = loading.commands_of(entry.group) if entry.group else {}
    points = loading.entrypoints_of(entry.project) if entry.project else {}
    alone = not points and list(tools) == [entry.name]
    verbs = {
        name: Verb(entry, name, function, is_entrypoint=True) for name, function in points.items()
    }
    for name, function in tools.items():
        verbs.setdefault(
            name, Verb(entry, name, function, is_entrypoint=False, is_whole_name=alone)
        )
    return verbs


def _choose(
    entry: Entry, verbs: Mapping[str, Verb], words: Sequence[str], *, explain: bool
) -> Verb | None:
    """Return the verb that the words say; None where only help for the name is asked for."""
    alone = verbs.get(entry.name)
    if alone and alone.is_whole_name:
        return alone
    words = first_word_first(words)
    if not words or is_flag(words[0]):
        if explain:
            return None
        for word in words:
            if _like_ours(word):
                raise UsageError(_unknown_flag(word))
        listed = ", ".join(verbs) or "none"
        raise UsageError(f"{entry.name}: a verb is missing. Possible: {listed}.")
    name = words[0].replace("-", "_")
    if name not in verbs:
        raise UsageError(unknown(f"verb of {entry.name}", words[0], verbs))
    return verbs[name]


def _call(verb: Verb, words: Sequence[str], argv: Sequence[str]) -> None:
    signature = Signature.of(verb.function)
    words, form = _take_output(words, signature)
    call = _prepare(verb, signature, words, argv)
    from projects.core.command_line.dispatch import dispatch

    value = dispatch(verb.words, call)
    if value is not None:
        from projects.core.secrets import masking

        sys.stdout.write(masking.mask(printing.render(value, form)))


def _take_output(words: Sequence[str], signature: Signature) -> tuple[list[str], str]:
    """Take `--output=FORM` out of the words, unless the function has such a parameter itself."""
    if signature.parameter("output"):
        return list(words), "text"
    end = words.index("--") if "--" in words else len(words)
    kept, form = [], "text"
    before = list(words[:end])
    while before:
        word = before.pop(0)
        if word != "--output" and not word.startswith("--output="):
            kept.append(word)
            continue
        form = word.partition("=")[2] or (before.pop(0) if before else "")
        if form not in printing.FORMATS:
            raise UsageError(unknown("--output", form, printing.FORMATS))
    return [*kept, *words[end:]], form


def _prepare(
    verb: Verb, signature: Signature, words: Sequence[str], argv: Sequence[str]
) -> Callable[[], Any]:
    """Bind the words and return the call, which needs nothing any more."""
    if verb.is_entrypoint and verb.entry.project:
        from projects.core.commands.entrypoint import call_entrypoint

        bound, presets, overrides = bind_entrypoint(
            words, signature, functools.partial(_presets, verb.entry.project.testing_dir)
        )
        if "project" in argv[:1]:
            from projects.core.toolbox._selected import presets_of

            presets = [*presets_of(verb.entry.project.name), *presets]
            # What `project` stands for may be another one when the run is repeated.
            argv = [verb.entry.project.name, *argv[1:]]
        return functools.partial(
            _call_entrypoint,
            call_entrypoint,
            verb,
            bound,
            presets=presets,
            overrides=overrides,
            command_line=argv,
        )
    bound = bind(words, signature)
    if getattr(verb.function, QUERY_MARK, False):
        return functools.partial(verb.function, *bound.args, **bound.kwargs)
    from projects.core.commands.call import call_command

    function, arguments = _by_name(verb.function, signature, bound)
    return functools.partial(
        call_command,
        function,
        verb.entry.name,
        verb.name,
        arguments,
        command_line=tuple(argv),
    )


def _presets(testing_dir: str) -> list[str]:
    from projects.core.command_line.pages import preset_names

    return preset_names(testing_dir)


def _call_entrypoint(call: Callable[..., Any], verb: Verb, bound: Bound, **words: Any) -> Any:
    project = verb.entry.project
    assert project  # noqa: S101 - for the type checker; _prepare has looked
    with loading.testing_path(project.testing_dir):  # entrypoints may import siblings late
        return call(
            verb.function,
            project.name,
            verb.name,
            bound.args,
            bound.kwargs,
            testing_dir=project.testing_dir,
            **words,
        )


def _by_name(
    function: Callable[..., Any], signature: Signature, bound: Bound
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return a function and arguments that can all be given by name, as records keep them."""
    if not bound.args:
        return function, bound.kwargs
    places = [p.name for p in signature.parameters if p.kind in (POSITIONAL_ONLY, POSITIONAL)]
    rest = signature.rest(REST)
    arguments = dict(zip(places, bound.args, strict=False))
    if rest:
        arguments[rest.name] = list(bound.args[len(arguments) :])

    @functools.wraps(function)
    def call(**_arguments: Any) -> Any:
        return function(*bound.args, **bound.kwargs)

    return call, arguments | bound.kwargs
