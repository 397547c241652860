"""Texts and YAML values made into what an annotation asks for, and back into words."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError
from projects.core.words.annotations import UNTYPED, Unresolved, make_reader
from projects.core.words.core_yaml import Mismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.core.words.readers import Reader

__all__ = ["UNTYPED", "Unresolved", "choices", "convert", "describe", "format", "parse"]


def parse(text: str, annotation: Any, name: str) -> Any:
    """Return the value that the word `text` has as `annotation` (UNTYPED: YAML 1.2 core).

    Raises UsageError: `--replicas: "two" is not an int`.
    """
    try:
        return reader(annotation).parse(text)
    except Mismatch as error:
        raise UsageError(f"{name}: {error}") from None
    except RecursionError:
        raise UsageError(f"{name}: its value is nested too deeply") from None


def convert(value: Any, annotation: Any, name: str) -> Any:
    """Return a value of YAML or Python as `annotation` asks for it.

    A text is read like a word; nothing else is bent: 4.10 is not the text "4.10", which YAML has
    already made 4.1. Raises UsageError naming `name`.
    """
    try:
        return reader(annotation).convert(value)
    except Mismatch as error:
        raise UsageError(f"{name}: {error}") from None


def format(value: Any, annotation: Any = UNTYPED) -> str:  # noqa: A001 - the pair of `parse`
    """Return the word that `parse` reads as `value`; UsageError when there is none."""
    try:
        return reader(annotation).format(value)
    except Mismatch as error:
        raise UsageError(str(error)) from None


def describe(annotation: Any) -> str:
    """Return the type in words for help: `int`, `list[str]`, `wal|delete`, "" when untyped."""
    return reader(annotation).describe()


def choices(annotation: Any) -> Sequence[str]:
    """Return the words that a Literal, an Enum or a bool can be, else nothing."""
    return reader(annotation).choices()


def reader(annotation: Any) -> Reader:
    """Return the reader of an annotation, remembered where the annotation can be a key."""
    try:
        # Literal[1] == Literal[True] and they hash alike; their repr tells them apart.
        return _remembered(repr(annotation), annotation)
    except TypeError:
        return make_reader(annotation)


@lru_cache(maxsize=512)
def _remembered(_spelling: str, annotation: Any) -> Reader:
    return make_reader(annotation)
