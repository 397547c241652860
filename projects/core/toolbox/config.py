"""Look at a project's configuration: its values, where they come from, what presets change."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from projects.core import errors
from projects.core.commands import session
from projects.core.configuration.keys import Key, format_path, missing, value_at
from projects.core.configuration.presets import ROOT
from projects.core.configuration.references import resolve
from projects.core.library.toolbox import query
from projects.core.toolbox import _selected

if TYPE_CHECKING:
    from pathlib import Path

    from projects.core.configuration.configuration import Configuration
    from projects.core.configuration.document import KeyPath

_WHOLE = "$"


@query
def show(key: str = _WHOLE, *presets: str, project: str = "") -> Any:
    """Print a value, or the whole configuration, with its references resolved.

    Parameters
    ----------
    key
        Dotted name or JSONPath; `$` is the whole configuration.
    presets
        Presets to apply first.
    project
        Name of the project; the selected one when not given.

    Examples
    --------
    ./run_toolbox.py config show tests.batch_sizes quick
    ./run_toolbox.py config show $ quick --project=sqlite_bench
    """
    configuration = _load(project, presets)
    if key == _WHOLE:
        return configuration.resolved()
    wanted = Key.parse(key)
    paths = wanted.paths(configuration.raw)
    if not paths:
        raise missing(wanted, configuration.raw)
    values = [_shown(configuration, path) for path in paths]
    return values[0] if len(values) == 1 else values


@query
def explain(key: str, *presets: str, project: str = "") -> str:
    """Print why a key has its value: what set it, what it refers to, and what is overridden.

    Parameters
    ----------
    key
        Dotted name or JSONPath.
    presets
        Presets to apply first.
    project
        Name of the project; the selected one when not given.

    Examples
    --------
    ./run_toolbox.py config explain tests.batch_sizes quick
    """
    return "\n".join(map(str, _load(project, presets).explain(key)))


@query
def diff(*presets: str, project: str = "") -> dict[str, dict[str, Any]]:
    """Print what presets change: each key whose value is another, old and new, and who says so.

    Parameters
    ----------
    presets
        Presets to compare with the configuration without them.
    project
        Name of the project; the selected one when not given.

    Examples
    --------
    ./run_toolbox.py config diff quick
    """
    if not presets:
        raise errors.UsageError("config diff needs presets: ./run_toolbox.py config diff PRESET…")
    before = _load(project, ())
    after = _selected.selected(project).load(presets)
    old, new = dict(_leaves(before)), dict(_leaves(after))
    changes = {}
    for path in dict.fromkeys((*old, *new)):
        if old.get(path, _ABSENT) != new.get(path, _ABSENT):
            change = {}
            if path in old:
                change["old"] = old[path]
            if path in new:
                change["new"] = new[path]
                change["at"] = str(after.explain(format_path(path))[0].origin)
            changes[format_path(path)] = change
    return changes


@query
def check(project: str = "") -> str:
    """Find what is wrong in a project: in presets, in references, in command arguments.

    Every preset is applied, every reference followed, the template of the command arguments
    rendered with each preset, and every entry compared with the command that it is for; test.py
    is loaded, and `exec_list` is held against its entrypoints. All
    findings come at once, each a line file:line:column: message, and the exit status is then 2.

    Parameters
    ----------
    project
        Name of the project; the selected one when not given.
    """
    from projects.core.artifacts.readable import count
    from projects.core.configuration.check import check_project

    chosen = _selected.selected(project)
    name = chosen.project
    report = check_project(chosen.testing_dir, _judge, os.environ)
    lines = [*map(str, report.findings), *_in_code(name, chosen.testing_dir)]
    if lines:
        counted = f"{len(lines)} finding{'s' if len(lines) > 1 else ''} in the project {name}"
        raise errors.ConfigurationError("\n".join([f"{counted}:", *lines]))
    return (
        f"{name}: nothing found in {count(report.presets, 'preset')}, "
        f"{count(report.references, 'reference')} and {count(report.commands, 'command')}"
    )


_ABSENT = object()


def _load(project: str, presets: tuple[str, ...]) -> Configuration:
    chosen = _selected.selected(project)
    if chosen.presets:
        sys.stderr.write(f"with the presets that are selected: {' '.join(chosen.presets)}\n")
    return chosen.load(presets)


def _shown(configuration: Configuration, path: KeyPath) -> Any:
    """Return the resolved value at `path`, the names of secret files instead of what they hold."""
    values = configuration.raw
    return resolve(values, value_at(values, path), _name_of_secret, path=path)


def _name_of_secret(file_name: str) -> str:
    return f"*** (file {file_name})"


def _leaves(configuration: Configuration) -> Iterator[tuple[KeyPath, Any]]:
    """Yield the values that are no mappings, presets excepted, as they resolve if they do."""
    for path in _paths(configuration.raw, ()):
        try:
            yield path, _shown(configuration, path)
        except errors.ConfigurationError:
            yield path, value_at(configuration.raw, path)


def _paths(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if not value or not isinstance(value, dict):
        yield path
        return
    for key, child in value.items():
        if path or key != ROOT:
            yield from _paths(child, (*path, key))


def _in_code(project: str, testing_dir: Path) -> Iterator[str]:
    """Yield why test.py cannot be loaded, or what in `exec_list` is none of its entrypoints.

    A name that is like none of them may be meant for another version of test.py.
    """
    from projects.core.configuration.document import Document

    try:
        possible = _entrypoints(project)
        document = Document.load(testing_dir / "config.yaml")
        listed = document.mapping("a configuration").get("exec_list")
    except errors.TopgallantError as error:
        if not isinstance(error, errors.ConfigurationError):  # that one was found before
            yield str(error)
        return
    for name in listed if isinstance(listed, dict) else ():
        if name not in possible and not name.startswith("_") and errors.nearest(name, possible):
            place = document.origin(("exec_list", name))
            yield f"{place}: {errors.unknown('entrypoint', name, possible)}"


def _entrypoints(project: str) -> list[str]:
    from projects.core.words import loading
    from projects.core.words.catalog import Catalog

    return list(loading.entrypoints_of(Catalog(session.CHECKOUT).project(project)))


def _judge(
    group: str, command: str, arguments: Mapping[str, Any]
) -> Iterator[tuple[str | None, str]]:
    """Yield what does not fit between arguments and the signature of their command."""
    from projects.core.commands import call
    from projects.core.configuration.command_args import PLACEHOLDER
    from projects.core.words import parameters
    from projects.core.words.signature import KEYWORD_REST

    try:
        _, signature = call.command_named(group, command)
    except Exception as error:  # importing a module may raise whatever the module does
        message = str(error) if isinstance(error, errors.TopgallantError) else None
        yield None, message or f"{group} cannot be imported: {errors.one_line(error)}"
        return
    for name, value in arguments.items():
        parameter = signature.parameter(name) or signature.rest(KEYWORD_REST)
        if parameter is None:
            possible = [each.name for each in signature.parameters]
            yield name, errors.unknown(f"parameter of {group} {command}", name, possible)
        elif value != PLACEHOLDER:
            try:
                parameters.convert(value, parameter.annotation, name)
            except errors.UsageError as error:
                yield name, error.message
