"""Orchestrations as tools: every entrypoint of every project, found without importing it."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from projects.core.configuration.document import Document
from projects.core.configuration.keys import Key, missing
from projects.core.configuration.presets import RESERVED, ROOT
from projects.core.errors import TopgallantError
from projects.core.words import catalog
from projects.core.words.arguments import split_entrypoint_words
from projects.core.words.docstring import read_docstring
from projects.jobs.tools.parameters import Boolean, Integer, Parameter, Real, Some, String, Text
from projects.jobs.tools.stamps import settled, stamp
from projects.jobs.tools.texts import NAME, Invalid
from projects.jobs.tools.tool import InvalidTool, Tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.core.words.catalog import Project
    from projects.jobs.tools.parameters import More
    from projects.jobs.tools.values import Values

PRESETS, OVERRIDES = "presets", "overrides"

_MARK = "entrypoint"
_SELECTS_MANY = re.compile(r"[*?@(]|\.\.")
_NO_WORD = re.compile(r"[,=]|\A-|\A\Z")
_TYPES: dict[str, type[Parameter]] = {"int": Integer, "float": Real, "bool": Boolean}


@dataclass(frozen=True, kw_only=True)
class Overrides(Text):
    """Lines `key.path=value` that override the configuration; the keys have to exist."""

    configuration: Any = field(default=None, repr=False, compare=False)

    def read(self, value: Any, more: More | None = None) -> str:
        """Return the text; Invalid says which line is wrong."""
        text = Text.read(self, value, more)
        for line in override_words(text):
            if line.startswith("-"):
                raise Invalid(f'"{line[:60]}" is not key=value')
            try:
                _, overrides = split_entrypoint_words([line])
                if not overrides:
                    raise Invalid(f'"{line[:60]}" is not key=value')
                self._check_key(overrides[0].key)
            except TopgallantError as error:
                raise Invalid(error.message) from None
        return text

    def _check_key(self, key: str) -> None:
        if _SELECTS_MANY.search(key):  # the run itself says what such a JSONPath matches
            return
        parsed = Key.parse(key)
        if not parsed.paths(self.configuration):
            raise missing(parsed, self.configuration)


def override_words(text: str) -> list[str]:
    """Return the overrides in a text: a line each; empty ones and comments (`#`) are left out."""
    lines = (line.strip() for line in text.split("\n"))
    return [line for line in lines if line and not line.startswith("#")]


@dataclass(frozen=True, slots=True)
class EntrypointTool(Tool):
    """An entrypoint of a project: its words are presets, overrides and flags."""

    def command(self, values: Values) -> list[str]:
        """Return the words of the run."""
        said = dict(values.values)
        presets = said.pop(PRESETS, [])
        overrides = override_words(said.pop(OVERRIDES, ""))
        flags = [f"--{name}={values.texts[name]}" for name in said]
        return [*self.argv, *presets, *overrides, *flags]

    def environment(self, values: Values, job_directory: str) -> dict[str, str]:
        """Return the variables; the job's directory is the run's artifact directory."""
        return {**values.environment, "ARTIFACT_DIR": job_directory}


class Entrypoints:
    """The entrypoints of a checkout, read again when a test.py or config.yaml changes."""

    def __init__(self, checkout: str | os.PathLike[str]) -> None:
        self.checkout = os.path.abspath(checkout)
        self._catalog = catalog.Catalog(self.checkout)
        self._read: dict[str, tuple[object, list[Tool | InvalidTool]]] = {}
        self._lock = threading.Lock()

    def all(self) -> list[Tool | InvalidTool]:
        """Return a tool for each entrypoint; for a project that can't be read, one that says so."""
        try:
            projects = self._catalog.projects()
        except TopgallantError:
            return []
        return [tool for project in projects.values() for tool in self._of(project)]

    def look(self, name: str) -> Tool | InvalidTool | None:
        """Return the tool `project.entrypoint`, or None."""
        folder, dot, _ = name.partition(".")
        if not dot or not folder.isidentifier():
            return None
        project = catalog.Project(folder, os.path.join(self.checkout, "projects", folder))
        if not os.path.isfile(project.file):
            return None
        tools = self._of(project)
        broken = tools[0] if tools and isinstance(tools[0], InvalidTool) else None
        return next((tool for tool in tools if tool.name == name), broken)

    def _of(self, project: Project) -> list[Tool | InvalidTool]:
        stamps = (stamp(project.file), stamp(_configuration(project)))
        known = self._read.get(project.name)
        if known is not None and known[0] == stamps:
            return known[1]
        with self._lock:
            lasting = settled(*stamps)
            tools = self._look_at(project)
            self._read[project.name] = (stamps if lasting else None, tools)
        return tools

    def _look_at(self, project: Project) -> list[Tool | InvalidTool]:
        try:
            return list(_tools(project, self.checkout))
        except (TopgallantError, SyntaxError, ValueError, OSError, RecursionError) as error:
            reason = f"{project.file}: {error}" if isinstance(error, SyntaxError) else str(error)
            return [InvalidTool(project.name, project.testing_dir, reason, "entrypoint")]


def _configuration(project: Project) -> str:
    return os.path.join(project.testing_dir, "config.yaml")


def _tools(project: Project, checkout: str) -> Iterator[Tool]:
    with open(project.file, "rb") as file:
        source = file.read()
    digest = hashlib.sha256(source)
    values: Any = {}
    if os.path.exists(_configuration(project)):
        values = Document.load(_configuration(project)).mapping("the configuration")
        digest.update(repr(values).encode(errors="surrogatepass"))
    key = _at(values, "secrets", "dir", "env_key")
    common: list[Parameter] = []
    presets = tuple(name for name in map(str, _presets(values)) if not _NO_WORD.search(name))
    if presets:
        said = "Presets to apply, in this order"
        common.append(Some(name=PRESETS, doc=said, optional=True, options=presets))
    if values:
        said = "Overrides of the configuration: a line key.path=value each, the value in YAML"
        common.append(Overrides(name=OVERRIDES, doc=said, optional=True, configuration=values))
    for name, function in _entrypoints(ast.parse(source, project.file)):
        doc = read_docstring((function and ast.get_docstring(function)) or "")
        taken = {each.name for each in common}
        own = [each for each in _own(function, doc.parameters) if each.name not in taken]
        yield EntrypointTool(
            name=f"{project.name}.{name}",
            kind="entrypoint",
            directory=project.testing_dir,
            argv=(sys.executable, os.path.join(checkout, "run_toolbox.py"), project.name, name),
            description=doc.summary,
            parameters=(*common, *own),
            digest=digest.hexdigest(),
            on_restart="fail",
            env_allow=(key,) if isinstance(key, str) and NAME.match(key) else (),
            spec_file=project.file,
        )


def _at(values: Any, *keys: str) -> Any:
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _presets(values: Any) -> list[Any]:
    table = _at(values, ROOT)
    return [name for name in table if name not in RESERVED] if isinstance(table, dict) else []


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _entrypoints(module: ast.Module) -> Iterator[tuple[str, _Function | None]]:
    """Yield the entrypoints as the command line finds them: of a class Entrypoint, else marked."""
    functions = {node.name: node for node in module.body if isinstance(node, _Function)}
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == "Entrypoint":
            for name, function in _listed(node):
                if not name.startswith("_"):
                    yield name, function or functions.get(name)
            return
    for name, each in functions.items():
        if not name.startswith("_") and any(map(_is_mark, each.decorator_list)):
            yield name, each


def _listed(listing: ast.ClassDef) -> Iterator[tuple[str, _Function | None]]:
    for node in listing.body:
        if not isinstance(node, _Function):
            continue
        if node.name != "__init__":
            yield node.name, node
        for each in ast.walk(node) if node.name == "__init__" else ():
            for target in each.targets if isinstance(each, ast.Assign) else ():
                if isinstance(target, ast.Attribute) and _name(target.value) == "self":
                    yield target.attr, None


def _is_mark(decorator: ast.expr) -> bool:
    return _name(decorator.func if isinstance(decorator, ast.Call) else decorator) == _MARK


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _own(function: _Function | None, docs: dict[str, str]) -> Iterator[Parameter]:
    """Yield what the function itself takes, by the names of plain types."""
    if function is None:
        return
    taken = function.args
    places = [*taken.posonlyargs, *taken.args]
    required = len(places) - len(taken.defaults)
    named = [(each, number >= required) for number, each in enumerate(places)]
    named += [(a, d is not None) for a, d in zip(taken.kwonlyargs, taken.kw_defaults, strict=True)]
    for each, has_default in named:
        if each.arg == "self" or not NAME.match(each.arg):
            continue
        kind = _TYPES.get(ast.unparse(each.annotation) if each.annotation else "", String)
        yield kind(name=each.arg, doc=docs.get(each.arg, ""), optional=has_default)
