"""Templates of command arguments: find one, render it once per configuration, locate every line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.core.configuration.document import Document
from projects.core.configuration.keys import value_at
from projects.core.configuration.references import resolve
from projects.core.errors import (
    ConfigurationError,
    Mark,
    SecretError,
    TopgallantError,
    unreadable,
)

if TYPE_CHECKING:
    import jinja2

    from projects.core.configuration.configuration import Configuration
    from projects.core.configuration.document import KeyPath
    from projects.core.configuration.template_language import Rendering

FILE_NAMES = ("command_args.yaml.j2", "command_args.yml.j2")
MOST_BYTES = 1 << 20
"""A larger template is refused."""

_MOST_LOADED = 32
_QUOTED = re.compile(r"""["']([^"']+)["']""")

Warn = Callable[[str], None]


def templates_in(testing_dir: Path) -> list[Path]:
    """Return which of the two possible templates exist in `testing_dir`."""
    return [testing_dir / name for name in FILE_NAMES if (testing_dir / name).is_file()]


def find_template(testing_dir: Path) -> Path:
    """Return the template of the command arguments in `testing_dir`.

    Raises
    ------
    ConfigurationError
        There is none, or there are both spellings of the name.
    """
    found = templates_in(testing_dir)
    if not found:
        raise ConfigurationError(f"{testing_dir}: there is no {' and no '.join(FILE_NAMES)}")
    if len(found) > 1:
        raise ConfigurationError(f"{testing_dir}: there are both {' and '.join(FILE_NAMES)}")
    return found[0]


def render(
    template: Path | str,
    configuration: Configuration,
    environ: Mapping[str, str],
    warn: Warn | None = None,
) -> Rendered:
    """Render a template file, or a text, with the values of `configuration`.

    The result is kept as long as the file, the configuration and the environment variables that
    the template asks for stay as they are.

    Parameters
    ----------
    warn : callable, optional
        Called with each message of the filter `log_warning`.

    Raises
    ------
    ConfigurationError
        With the template's line: its syntax, an unknown name, `raise_exception`, a reference that
        leads nowhere, a result that is not YAML. A SecretError where it uses a secret's value.
    """
    source = load(template) if isinstance(template, Path) else Template(template, "<template>")
    return source.render(configuration, environ, warn)


_loaded: dict[Path, tuple[tuple[int, int], Template]] = {}


def load(path: Path) -> Template:
    """Return the template at `path`, compiled once per version (mtime, size) of the file."""
    try:
        status = os.stat(path)
        version = (status.st_mtime_ns, status.st_size)
        known = _loaded.get(path)
        if known and known[0] == version:
            return known[1]
        if status.st_size > MOST_BYTES:
            raise ConfigurationError(f"{path}: a template is at most {MOST_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8 at byte {error.start}") from error
    if len(_loaded) >= _MOST_LOADED:
        _loaded.clear()
    template = Template(text, str(path))
    _loaded[path] = (version, template)
    return template


@dataclass(frozen=True, slots=True)
class _Last:
    """A rendering and what it depends on."""

    configuration: Configuration
    version: int
    rendered: Rendered

    def still_holds(self, configuration: Configuration, environ: Mapping[str, str]) -> bool:
        return (
            self.configuration is configuration
            and self.version == configuration.version
            and all(
                environ.get(name) == value
                for name, value in self.rendered.rendering.environment_read.items()
            )
        )


class Template:
    """The text of a template: renders it and knows its lines.

    Parameters
    ----------
    text : str
        Jinja2.
    name : str
        The file's name in messages.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.text = text
        self._compiled: dict[bool, jinja2.Template] = {}
        self._last: _Last | None = None

    def render(
        self,
        configuration: Configuration,
        environ: Mapping[str, str],
        warn: Warn | None = None,
        undefined: list[tuple[Mark, str]] | None = None,
    ) -> Rendered:
        """Render; see the function `render`.

        Parameters
        ----------
        undefined : list, optional
            Takes (place, message) of each unknown name, which then renders as SET_AT_RUNTIME
            where that is possible, so that one rendering finds many.
        """
        last = self._last
        if undefined is None and last and last.still_holds(configuration, environ):
            return last.rendered

        from projects.core.configuration.template_language import Rendering

        version = configuration.version
        values = configuration.raw

        def resolve_one(path: KeyPath, value: Any) -> Any:
            try:
                reached = configuration.read_keys
                return resolve(values, value, path=path, locate=configuration.mark, reached=reached)
            except SecretError as error:
                message = f"{error}; a secret is not rendered into arguments: pass its file's name"
                raise SecretError(message) from error

        rendering = Rendering(values, resolve_one, environ, warn or (lambda _message: None))
        rendering.read_keys = configuration.read_keys
        rendering.undefined = [] if undefined is not None else None
        try:
            text = self._run(rendering, marks=False)
        finally:
            if undefined is not None:
                noted = rendering.undefined or ()
                undefined += [(self._mark(line, said), said) for line, said in noted]
        rendered = self._read(text, rendering)
        if undefined is None:
            self._last = _Last(configuration, version, rendered)
        return rendered

    def _run(self, rendering: Rendering, *, marks: bool) -> str:
        import jinja2

        from projects.core.configuration import template_language

        try:
            if marks not in self._compiled:
                self._compiled[marks] = template_language.compile_template(
                    self.text, self.name, with_line_marks=marks
                )
            return template_language.run_template(self._compiled[marks], rendering)
        except jinja2.TemplateSyntaxError as error:
            said = error.message or "the template's syntax is wrong"
            raise ConfigurationError(said, where=self._mark(error.lineno, said)) from error
        except Exception as error:
            raise self._located(error) from error

    def _located(self, error: Exception) -> ConfigurationError:
        """Return `error` with the template's line on which it happened."""
        import jinja2

        line, frame = 1, error.__traceback__
        while frame:
            if frame.tb_frame.f_code.co_filename == self.name:
                line = frame.tb_lineno
            frame = frame.tb_next
        said = str(error)
        if not isinstance(error, jinja2.TemplateError | TopgallantError):
            said = f"{type(error).__name__}: {said}"
        kind = SecretError if isinstance(error, SecretError) else ConfigurationError
        return kind(said, where=self._mark(line, said))

    def _mark(self, line: int, said: str = "") -> Mark:
        """Return the place on `line` of the first name quoted in `said` that stands there."""
        text = self.line(line)
        for name in _QUOTED.findall(said):
            for form in (name, name.rpartition(".")[2]):
                found = form and re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text)
                if found:
                    return Mark(self.name, line, found.start() + 1)
        return Mark(self.name, line, len(text) - len(text.lstrip()) + 1)

    def line(self, number: int) -> str:
        """Return the line of that number, counted from 1; empty when there is none."""
        lines = self.text.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def _read(self, text: str, rendering: Rendering) -> Rendered:
        """Read the rendered text as YAML."""
        try:
            document = Document.loads(text, self.name)
            return Rendered(self, text, document, document.mapping("it"), rendering)
        except ConfigurationError as error:
            if error.where is None:
                raise
            where = self.origin(self.lines_of(rendering), text, error.where)
            said = f"line {error.where.line} of the rendered text: {error.message}"
            if "cannot start any token" in said and "@" in said:
                said += "; a value that begins with @ needs quotes"
            raise ConfigurationError(said.replace(r"\ue240", "@"), where=where) from error

    def lines_of(self, rendering: Rendering) -> list[int]:
        """Return the line of the template that each line of a rendering comes from.

        Renders once more, with marks; where an expression wrote a line, it is the expression's.
        """
        from projects.core.configuration.template_language import lines_of_template

        try:
            return lines_of_template(self._run(rendering.again(), marks=True))
        except ConfigurationError:  # the template looked at a text that had marks in it
            return [1]

    def origin(self, lines: list[int], text: str, rendered: Mark) -> Mark:
        """Return the place in the template of a place in the `text` rendered from it."""
        at = min(rendered.line, len(lines)) - 1
        column = rendered.column
        written, source = text.split("\n")[at], self.line(lines[at])
        if written[:column] == source[:column]:
            return Mark(self.name, lines[at], column)
        word = re.split(r"[\s:]", written[column - 1 :])[0]
        indent = len(source) - len(source.lstrip())
        return Mark(self.name, lines[at], max(source.find(word), indent) + 1)


@dataclass(frozen=True)
class Rendered:
    """A rendered template: its text, and the entries it says as YAML.

    References (`@key`, `{@key}`) in the template's own text are resolved; what an expression
    yielded is taken as it is.
    """

    template: Template
    raw_text: str
    document: Document
    values: dict[Any, Any]
    rendering: Rendering

    @property
    def name(self) -> str:
        """The template's file."""
        return self.template.name

    @property
    def text(self) -> str:
        """The rendered YAML."""
        return with_ats(self.raw_text)

    @property
    def entries(self) -> list[Any]:
        """The keys at the top, in the order of the template: text, if they are right."""
        return list(self.values)

    def entry(self, *path: Any) -> Any:
        """Return a copy of the value at `path`, such as (key,), its references resolved.

        Raises
        ------
        KeyError
            There is no such key.
        ConfigurationError
            A reference leads nowhere; a SecretError where it leads to a secret.
        """
        return self._resolved(value_at(self.values, path), path)

    def _resolved(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {_plain(k): self._resolved(v, (*path, k)) for k, v in value.items()}
        if isinstance(value, list):
            return [self._resolved(item, (*path, i)) for i, item in enumerate(value)]
        if isinstance(value, str) and "@" in value:
            try:
                value = self.rendering.resolve((), value)
            except ConfigurationError as error:
                raise type(error)(error.message, where=self.place(*path)) from error
        return _plain(value)

    def place(self, *path: Any) -> Mark:
        """Return where in the template the key at `path` stands."""
        mark = self.document.origin(path).key
        return self.template.origin(self._lines, self.raw_text, mark)

    @cached_property
    def _lines(self) -> list[int]:
        return self.template.lines_of(self.rendering)


def _plain(value: Any) -> Any:
    return with_ats(value) if isinstance(value, str) else value


def with_ats(text: str) -> str:
    """Return `text` with an @ for each of the characters that stood for one."""
    return text.replace("\ue240", "@")
