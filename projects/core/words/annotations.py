"""From an annotation to the reader of its words."""

from __future__ import annotations

import collections.abc
import datetime as dt
import enum
import types
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.core.words.compound_readers import Collection, FixedTuple, Mapping, Union, Untyped
from projects.core.words.readers import (
    Boolean,
    Choice,
    Impossible,
    Integer,
    Made,
    Null,
    Number,
    Reader,
    Text,
    write_or_show,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class _Untyped:
    """The annotation of a parameter without one."""

    def __repr__(self) -> str:
        return "UNTYPED"


UNTYPED = _Untyped()


class Unresolved:
    """An annotation that could not be evaluated, kept as its text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Unresolved({self.text!r})"


_BY_TYPE: dict[Any, Callable[[], Reader]] = {
    str: Text,
    int: Integer,
    float: Number,
    bool: Boolean,
    None: Null,
    type(None): Null,
    UNTYPED: Untyped,
    Any: Untyped,
    object: Untyped,
    dt.date: lambda: Made(dt.date, dt.date.fromisoformat, dt.date.isoformat),
    dt.datetime: lambda: Made(dt.datetime, dt.datetime.fromisoformat, dt.datetime.isoformat),
    Path: lambda: Made(Path),
}

_COLLECTIONS: dict[Any, type] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
}

_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def make_reader(annotation: Any) -> Reader:
    """Return the reader of an annotation; Impossible for what a word cannot be."""
    if isinstance(annotation, Unresolved):
        return Impossible(annotation.text)
    if annotation in _BY_TYPE:
        return _BY_TYPE[annotation]()
    # NewType("N", T), type N = T, Annotated[T, …]: what counts is T.
    for inside in ("__supertype__", "__value__", "__metadata__"):
        if hasattr(annotation, inside):
            name = "__origin__" if inside == "__metadata__" else inside
            return make_reader(getattr(annotation, name))
    origin = typing.get_origin(annotation)
    if origin is not None:
        return _make_generic(origin, typing.get_args(annotation), str(annotation))
    return _make_class(annotation)


def _make_generic(origin: Any, arguments: tuple[Any, ...], spelling: str) -> Reader:
    if origin in (typing.Union, types.UnionType):
        return Union([make_reader(member) for member in arguments])
    if origin is typing.Literal:
        return Choice({write_or_show(value): value for value in arguments}, {})
    if origin is tuple and arguments[-1:] != (Ellipsis,):
        return FixedTuple([make_reader(argument) for argument in arguments])
    if origin in _COLLECTIONS:
        return Collection(_COLLECTIONS[origin], make_reader(arguments[0]))
    if origin in _MAPPINGS:
        key, value = arguments
        return Mapping(make_reader(key), make_reader(value))
    return Impossible(spelling)


def _make_class(made: Any) -> Reader:
    if made in _COLLECTIONS:
        return Collection(_COLLECTIONS[made], Untyped())
    if made in _MAPPINGS or (isinstance(made, type) and issubclass(made, dict)):
        return Mapping(Untyped(), Untyped())
    if isinstance(made, type) and issubclass(made, enum.Enum):
        by_value = {str(member.value): member for member in made}
        return Choice({member.name: member for member in made}, by_value)
    return Made(made) if isinstance(made, type) else Impossible(str(made))
