"""What functions are called, for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from projects.core.artifacts.region import columns, fitted
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


Function = TypeVar("Function", bound="Callable[..., Any]")

LABEL = 24
"""Columns of a task's name, at most, before the lines that it writes."""

_NAMED_BY = "__topgallant_named_by__"


def named_by(*parameters: str) -> Callable[[Function], Function]:
    """Say that a function calls others: which one, its first parameters, these, tell."""

    def mark(function: Function) -> Function:
        setattr(function, _NAMED_BY, parameters)
        return function

    return mark


def name_of_call(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str:
    """Return the name of a call: that of the function, or of what it calls (see `named_by`)."""
    words = getattr(function, _NAMED_BY, ())
    values = [*args[: len(words)], *(kwargs[word] for word in words[len(args) :] if word in kwargs)]
    return "_".join(map(str, values)) or name_of(function)


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a function: of a partial what it calls, of a callable object its class."""
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    name = getattr(function, "__name__", None) or type(function).__name__
    return "lambda" if name == "<lambda>" else str(name)


def labels_of(names: Sequence[str], directories: Sequence[str]) -> list[str]:
    """Return what to call tasks on the terminal: short, unmistakable, padded to one width.

    Where names are the same, the number of the task's directory, `NNN__name`, tells them apart.
    """
    short = [fitted(masking.mask(name), LABEL) for name in names]
    times = Counter(short)
    labels = [
        f"{name} {place.partition('__')[0]}" if times[name] > 1 else name
        for name, place in zip(short, directories, strict=True)
    ]
    widest = max(map(columns, labels), default=0)
    return [label + " " * (widest - columns(label)) for label in labels]
