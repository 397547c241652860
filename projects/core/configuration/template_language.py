"""The language of templates: Jinja2 with strict names, lazily resolved values and YAML output.

Importing this module imports Jinja2, so only `template.render` does, and late.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

import jinja2
import jinja2.ext
import jinja2.lexer
import jinja2.runtime
from jinja2.utils import missing, pass_context

from projects.core.configuration.command_args import PLACEHOLDER
from projects.core.configuration.keys import format_path
from projects.core.errors import ConfigurationError, SecretError, unknown
from projects.core.secrets.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from projects.core.configuration.document import KeyPath

AT = "\ue240"
"""Stands for an @ that came out of an expression, until references are resolved."""

_LINE_MARK = re.compile("\ue241([0-9]+)\ue242")

_RENDERING = "\0rendering"
_ONE_LINE = 2**31 - 1
_REFERENCE_LIKE = re.compile(r"""(?:^|['"{])(?:\*\$?)?@""")


class Rendering:
    """What one rendering knows: the values, the environment, and where warnings go.

    `resolve` turns a raw value into the value it refers to. `environment_read` collects the
    variables that were asked for, `read_keys` the keys. When `undefined` is a list, names that do
    not exist are noted there as (line of the template, message) and render as nothing.
    """

    __slots__ = (
        "environ",
        "environment_read",
        "line_now",
        "read_keys",
        "resolve",
        "root",
        "undefined",
        "warn",
    )

    def __init__(
        self,
        values: Mapping[str, Any],
        resolve: Callable[[KeyPath, Any], Any],
        environ: Mapping[str, str],
        warn: Callable[[str], None],
    ) -> None:
        self.resolve = resolve
        self.environ = environ
        self.warn = warn
        self.environment_read: dict[str, str | None] = {}
        self.read_keys: set[str] = set()
        self.undefined: list[tuple[int, str]] | None = None
        self.line_now: Callable[[], int] = lambda: 1
        self.root = View(values, (), self)

    def again(self) -> Rendering:
        """Return the state for rendering the same once more, without its warnings."""
        copy = Rendering(self.root._values, self.resolve, self.environ, _ignore)  # noqa: SLF001
        copy.undefined = None if self.undefined is None else []
        return copy


def _ignore(_message: str) -> None:
    """Take a warning that nobody wants."""


class View(Mapping[str, Any]):
    """A mapping of the configuration whose values are resolved when they are asked for.

    Has no public names beyond those of a mapping: in a template `view.name` finds keys.
    """

    __slots__ = ("_path", "_rendering", "_values")

    def __init__(self, values: Mapping[str, Any], path: KeyPath, rendering: Rendering) -> None:
        self._values = values
        self._path = path
        self._rendering = rendering

    def __getitem__(self, key: str) -> Any:
        return _resolved(self._values[key], (*self._path, key), self._rendering)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return flow(self)


def _resolved(value: Any, path: KeyPath, rendering: Rendering) -> Any:
    if isinstance(value, dict):
        return View(value, path, rendering)
    if isinstance(value, list):
        return [_resolved(item, (*path, i), rendering) for i, item in enumerate(value)]
    rendering.read_keys.add(format_path(path))
    if isinstance(value, str) and "@" in value:
        return rendering.resolve(path, value)
    return value


class Undefined(jinja2.Undefined):
    """A name that does not exist: whatever is done with it is an error that says what is possible.

    Only the test `is defined` and the filters `default` and `or_env` take it.
    """

    # Jinja2 reads this attribute when it raises.
    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        name, parent = str(self._undefined_name), self._undefined_obj
        if isinstance(parent, View):
            path = parent._path  # noqa: SLF001 - same module
            paths = [format_path((*path, key)) for key in parent]
            return unknown("key", format_path((*path, name)), paths)
        if isinstance(parent, Mapping):
            return unknown("key", name, [str(key) for key in parent])
        if parent is missing:
            return f'unknown name "{name}"'
        return f'{flow(parent)[:60]} (a {type(parent).__name__}) has no "{name}"'

    def _note(self) -> None:
        """Note this name where all findings are wanted at once, else raise."""
        parent = self._undefined_obj
        rendering = parent._rendering if isinstance(parent, View) else None  # noqa: SLF001
        if rendering is None or rendering.undefined is None:
            self._fail_with_undefined_error()
        rendering.undefined.append((rendering.line_now(), self._undefined_message))

    def __str__(self) -> str:
        self._note()
        return PLACEHOLDER  # nothing would be a null, a second mistake where there is one

    def __iter__(self) -> Iterator[Any]:
        self._note()
        return iter(())

    def __len__(self) -> int:
        self._note()
        return 0

    def __bool__(self) -> bool:
        self._note()
        return False

    def __eq__(self, other: object) -> bool:
        self._note()
        return False

    __hash__ = jinja2.Undefined.__hash__


class _Context(jinja2.runtime.Context):
    """Looks names up in the configuration, after those the template sets itself."""

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        root: View = self.parent[_RENDERING].root
        if key in root:
            return root[key]
        if key in self.parent:
            return self.parent[key]
        return self.environment.undefined(obj=root, name=key)


def _rendering_of(context: jinja2.runtime.Context) -> Rendering:
    rendering: Rendering = context.parent[_RENDERING]
    return rendering


@pass_context
def _or_env(context: jinja2.runtime.Context, value: Any, variable: str) -> Any:
    if not isinstance(value, jinja2.Undefined) and value:
        return value
    rendering = _rendering_of(context)
    found = rendering.environ.get(variable)
    rendering.environment_read[variable] = found
    return found


@pass_context
def _raise_exception(_context: jinja2.runtime.Context, message: object) -> NoReturn:
    raise ConfigurationError(str(message).strip())


@pass_context
def _log_warning(context: jinja2.runtime.Context, message: object) -> str:
    _rendering_of(context).warn(str(message).strip())
    return ""


def flow(value: Any) -> str:
    """Return `value` as YAML on one line, written as Python would where YAML reads that right.

    Parameters
    ----------
    value : Any
        Scalars, lists and mappings of a configuration.
    """
    if value is None:
        return "null"
    if isinstance(value, Secret):
        raise SecretError("a secret is not rendered into arguments: pass the name of its file")
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'" if value.isprintable() else _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return str(value)


def _quoted(text: str) -> str:
    """Return a text with line ends and the like as a double-quoted YAML scalar."""
    import yaml

    dumped: str = yaml.dump(
        text, Dumper=yaml.CSafeDumper, default_style='"', width=_ONE_LINE, allow_unicode=True
    )
    return dumped.rstrip("\n")


def _written(value: Any) -> Any:
    """Return what an expression's value is written as (the environment's `finalize`)."""
    if isinstance(value, jinja2.Undefined):
        return value
    if value is None:
        return "null"
    if callable(value):
        name = getattr(value, "__name__", "name")
        message = f"the value is a method; a key of that name is written x['{name}']"
        raise ConfigurationError(message)
    if isinstance(value, Mapping | list | tuple | Secret):
        value = flow(value)
    if isinstance(value, str) and "@" in value and _REFERENCE_LIKE.search(value):
        return value.replace("@", AT)
    return value


class _LineMarks(jinja2.ext.Extension):
    """Writes the number of the template's line before each line of literal text."""

    def filter_stream(self, stream: jinja2.lexer.TokenStream) -> Iterator[jinja2.lexer.Token]:
        for token in stream:
            if token.type != "data":
                yield token
                continue
            lines = token.value.split("\n")
            marked = "\n".join(
                f"\ue241{token.lineno + i}\ue242{line}" for i, line in enumerate(lines)
            )
            yield jinja2.lexer.Token(token.lineno, "data", marked)


class _Environment(jinja2.Environment):
    context_class = _Context


@cache
def environment(*, with_line_marks: bool = False) -> jinja2.Environment:
    """Return the environment in which templates are compiled; made once."""
    made = _Environment(
        undefined=Undefined,
        finalize=_written,
        extensions=[_LineMarks] if with_line_marks else [],
        autoescape=False,  # the output is YAML, not HTML
    )
    made.filters.update(or_env=_or_env, raise_exception=_raise_exception, log_warning=_log_warning)
    made.policies["json.dumps_kwargs"] = {"sort_keys": True, "default": dict}
    return made


def compile_template(text: str, name: str, *, with_line_marks: bool = False) -> jinja2.Template:
    """Compile `text`; errors and traceback frames carry `name` as their file.

    Raises
    ------
    jinja2.TemplateSyntaxError
        With `lineno`.
    """
    home = environment(with_line_marks=with_line_marks)
    code = home.compile(text, name=name, filename=name)
    return jinja2.Template.from_code(home, code, home.globals)


def run_template(template: jinja2.Template, rendering: Rendering) -> str:
    """Render `template` with what `rendering` knows."""
    rendering.line_now = lambda: _line_now(template)
    return template.render({_RENDERING: rendering})


def _line_now(template: jinja2.Template) -> int:
    """Return the line of `template` that runs now, from the frames of its generated code."""
    frame = inspect.currentframe()
    while frame and frame.f_globals.get("__jinja_template__") is not template:
        frame = frame.f_back
    return template.get_corresponding_lineno(frame.f_lineno) if frame else 1


def lines_of_template(marked: str) -> list[int]:
    """Return, for each line of a rendering with marks, the template's line it comes from."""
    numbers, current = [], 1
    for line in marked.split("\n"):
        marks = list(_LINE_MARK.finditer(line))
        for mark in marks:
            if not _LINE_MARK.sub("", line[: mark.start()]).strip():
                current = int(mark.group(1))
        numbers.append(current)
        if marks:
            current = int(marks[-1].group(1))
    return numbers
