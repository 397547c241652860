"""Check a project's configuration as a whole: presets, references and command arguments."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.configuration import command_args, presets, template
from projects.core.configuration.configuration import assemble
from projects.core.configuration.document import Document
from projects.core.configuration.keys import Key, missing
from projects.core.configuration.references import has_references, resolve
from projects.core.errors import ConfigurationError, Mark, TopgallantError

if TYPE_CHECKING:
    from pathlib import Path

    from projects.core.configuration.configuration import Configuration
    from projects.core.configuration.document import KeyPath

Judge = Callable[[str, str, Mapping[str, Any]], Iterable[tuple[str | None, str]]]
"""(group, command, arguments) → what is wrong, as (argument or None for the whole, message)."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something wrong at a place in a file."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, in the order of their places, and how much was looked at."""

    findings: tuple[Finding, ...]
    presets: int
    references: int
    commands: int


def check_project(testing_dir: Path, judge: Judge, environ: Mapping[str, str]) -> Report:
    """Check `config.yaml` and the command arguments of a project, alone and with each preset.

    The files are judged, not this machine: an environment variable that is not set stands for
    its own name, and secrets are not read.

    Parameters
    ----------
    testing_dir : Path
        Folder with `config.yaml` and maybe a template of command arguments.
    judge : callable
        Compares arguments with the signature of their command.
    environ : Mapping
        For the filter `or_env` of the template.
    """
    check = _Check(testing_dir, judge, environ)
    check.run()
    return check.report()


class _Check:
    """The findings so far: place → messages, so that none is said once per preset."""

    def __init__(self, testing_dir: Path, judge: Judge, environ: Mapping[str, str]) -> None:
        self.testing_dir = testing_dir
        self.judge = judge
        self.environ = _AnyVariable(environ)
        self.findings: dict[tuple[Mark, str], Finding] = {}
        self.references: set[tuple[Mark, str]] = set()
        self.commands: set[str] = set()
        self.presets = 0

    def run(self) -> None:
        try:
            self.document = Document.load(self.testing_dir / "config.yaml")
            self.values = self.document.mapping("a configuration")
        except ConfigurationError as error:
            self._add_error(error)
            return
        self.templates = self._templates()
        self._check_with(None)
        for name in preset_names(self.values):
            self.presets += 1
            self._check_with(name)

    def report(self) -> Report:
        findings = tuple(sorted(self.findings.values()))
        return Report(findings, self.presets, len(self.references), len(self.commands))

    def _add(self, where: Mark, message: str, preset: str | None = None) -> None:
        said = f'{message} (with the preset "{preset}")' if preset else message
        finding = Finding(where.file, where.line, where.column, said)
        self.findings.setdefault((where, message), finding)

    def _add_error(
        self, error: TopgallantError, place: Mark | None = None, preset: str | None = None
    ) -> None:
        where = place or error.where or Mark(str(self.testing_dir / "config.yaml"), 1, 1)
        self._add(where, error.message, preset)

    def _templates(self) -> list[template.Template]:
        found = template.templates_in(self.testing_dir)
        if len(found) > 1:
            self._add(Mark(str(found[1]), 1, 1), f"there is {found[0].name} as well; keep one")
        try:
            return [template.load(path) for path in found[:1]]
        except ConfigurationError as error:
            self._add_error(error, Mark(str(found[0]), 1, 1))
            return []

    def _check_with(self, preset: str | None) -> None:
        """Check the configuration with one preset, or with those that it applies itself."""
        values, places = copy.deepcopy(self.values), _Places(self.document)
        fits = preset is None or self._apply(preset, values, places)
        for path, text in _texts(values, ()):
            self._check_reference(values, path, text, places, preset)
        if not fits:
            return
        try:
            configuration = assemble(self.document, cli_presets=[preset] if preset else [])
        except ConfigurationError as error:
            self._add_error(error, preset=preset)
            return
        for one in self.templates:
            self._check_template(one, configuration, preset)

    def _apply(self, preset: str, values: dict[str, Any], places: _Places) -> bool:
        """Set what the preset says; return whether all of it could be."""
        fits = True
        try:
            for change in presets.expand(self.values[presets.ROOT], [preset], places.locate):
                fits = self._assign(change, values, places) and fits
        except ConfigurationError as error:
            self._add_error(error)
            return False
        return fits

    def _assign(self, change: presets.Assignment, values: dict[str, Any], places: _Places) -> bool:
        where = self.document.origin(change.source)
        try:
            key = Key.parse(change.key)
            paths = key.paths(values)
            key.set(values, copy.deepcopy(change.value))
        except ConfigurationError as error:
            self._add_error(error, where.key)
            return False
        places.set_by_preset.update(dict.fromkeys(paths, change.source))
        if not paths:
            self._add_error(missing(key, values, where=where.key))
        return bool(paths)

    def _check_reference(
        self,
        values: dict[str, Any],
        path: KeyPath,
        text: str,
        places: _Places,
        preset: str | None,
    ) -> None:
        where = places.locate(path)
        self.references.add((where, text))
        try:
            resolve(values, text, lambda name: name, path=path, locate=places.locate)
        except ConfigurationError as error:
            self._add_error(error, where, preset)

    def _check_template(
        self, one: template.Template, configuration: Configuration, preset: str | None
    ) -> None:
        undefined: list[tuple[Mark, str]] = []
        try:
            rendered = one.render(configuration, self.environ, undefined=undefined)
        except ConfigurationError as error:
            self._add_error(error, None, preset)
            return
        finally:
            for where, message in undefined:
                self._add(where, message, preset)
        for key in rendered.entries:
            if not str(key).startswith("_"):
                self.commands.add(str(key))
                self._check_entry(rendered, key, preset)

    def _check_entry(self, rendered: template.Rendered, key: Any, preset: str | None) -> None:
        entry = rendered.values[key]
        try:
            _, group, command, _ = command_args.split_key(str(key))
        except ValueError as error:
            self._add(rendered.place(key), str(error), preset)
            return
        if not isinstance(entry, dict | None):
            self._add(rendered.place(key), f'"{key}" has to be a mapping of arguments', preset)
            return
        arguments = {}
        for name in entry or ():
            try:
                arguments[str(name)] = rendered.entry(key, name)
            except ConfigurationError as error:
                self._add_error(error, preset=preset)
                arguments[str(name)] = command_args.PLACEHOLDER
        passed = {
            name: command_args.PLACEHOLDER if command_args.PLACEHOLDER in str(value) else value
            for name, value in arguments.items()
            if not name.startswith("_")
        }
        for argument, message in self.judge(group, command, passed):
            place = rendered.place(key, argument) if argument else rendered.place(key)
            self._add(place, message, preset)


class _Places:
    """Where the values stand, of which a preset has set some."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.set_by_preset: dict[KeyPath, KeyPath] = {}

    def locate(self, path: KeyPath) -> Mark:
        """Return the place of the value at `path`."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.set_by_preset:
                path = (*self.set_by_preset[path[:end]], *path[end:])
                break
        return self.document.origin(path).value


def _texts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield (path, text) of the texts that refer to something, presets excepted."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, str) and has_references(value):
        yield path, value
    elif isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for part, child in items:
        if path or part != presets.ROOT:
            yield from _texts(child, (*path, part))


class _AnyVariable(dict[str, str]):
    """An environment in which every variable is set, if only to its own name."""

    def get(self, name: str, default: object = None) -> str:
        """Return the variable, or its name behind a dollar sign."""
        del default
        return super().get(name) or f"${name}"


def preset_names(values: Mapping[str, Any]) -> list[str]:
    """Return the names of the presets that a configuration defines, in its order."""
    section = values.get("ci_presets")
    if not isinstance(section, dict):
        return []
    return [str(name) for name in section if name not in presets.RESERVED]
