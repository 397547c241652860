"""What a function asks for: parameters with types, defaults and help, read from the function."""

from __future__ import annotations

import builtins
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.words.docstring import read_docstring
from projects.core.words.parameters import UNTYPED, Unresolved

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Mapping


class _NoDefault:
    """The default of a required parameter."""

    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT = _NoDefault()

POSITIONAL_ONLY, POSITIONAL, REST, KEYWORD, KEYWORD_REST = range(5)
"""Kinds of parameters in the order of `inspect`: (a, /, b, *rest, c, **keyword_rest)."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `annotation` is what parameters.parse takes: a type, or UNTYPED."""

    name: str
    annotation: Any
    default: Any
    kind: int
    help: str = ""

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is NO_DEFAULT and self.kind not in (REST, KEYWORD_REST)

    @property
    def is_flag(self) -> bool:
        """Whether `--name` alone means true: a bool, or untyped with a bool as default."""
        return self.annotation is bool or (
            isinstance(self.default, bool) and self.annotation is UNTYPED
        )


@dataclass(frozen=True, slots=True)
class Signature:
    """A function as the command line sees it."""

    name: str
    summary: str
    description: str
    examples: str
    parameters: tuple[Parameter, ...]

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Signature:
        """Read `function`, what it wraps (functools.wraps) included.

        A parameter whose default is None may also be None, whatever its annotation says. An
        annotation that cannot be evaluated becomes `Unresolved`: help shows it, a value for it is
        an error.
        """
        import inspect

        inner = inspect.unwrap(function)
        doc = read_docstring(getattr(inner, "__doc__", None) or "")
        names = _Names(getattr(inner, "__globals__", {}))
        parameters = tuple(
            Parameter(
                name=found.name,
                annotation=_annotation_of(found, names),
                default=NO_DEFAULT if found.default is found.empty else found.default,
                kind=int(found.kind),
                help=doc.parameters.get(found.name, ""),
            )
            for found in _raw_signature(inner).parameters.values()
        )
        name = getattr(inner, "__name__", type(inner).__name__)
        return cls(name, doc.summary, doc.description, doc.examples, parameters)

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter called `name` (rest parameters excepted), or None."""
        for parameter in self.parameters:
            if parameter.name == name and parameter.kind not in (REST, KEYWORD_REST):
                return parameter
        return None

    def rest(self, kind: int) -> Parameter | None:
        """Return the `*rest` (REST) or `**rest` (KEYWORD_REST) parameter, or None."""
        return next((p for p in self.parameters if p.kind == kind), None)


def _raw_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature with annotations as written where they may not be evaluated at once."""
    import inspect

    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return inspect.signature(function, annotation_format=Format.STRING)
    return inspect.signature(function)


def _annotation_of(parameter: inspect.Parameter, names: Mapping[str, Any]) -> Any:
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return UNTYPED
    if isinstance(annotation, str):
        try:
            # Annotations are code of the command's own module, which has been imported already.
            annotation = eval(annotation, {}, names)  # noqa: S307
        except Exception:
            return Unresolved(parameter.annotation)
    if isinstance(annotation, str):  # a quoted annotation below `from __future__`
        return Unresolved(annotation)
    if parameter.default is None and annotation not in (None, Any, object):
        try:
            return annotation | None
        except TypeError:
            return Unresolved(str(annotation))
    return annotation


class _Names(dict[str, Any]):
    """A module's names, and what it may have imported for type checkers only."""

    def __missing__(self, name: str) -> Any:
        import collections.abc
        import datetime as dt
        import decimal
        import pathlib
        import typing

        for module in (builtins, collections.abc, typing, pathlib, dt, decimal):
            if hasattr(module, name):
                return getattr(module, name)
        raise KeyError(name)
