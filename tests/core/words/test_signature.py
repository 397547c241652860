"""Signatures are read from functions as they are written."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from projects.core.words import parameters
from projects.core.words.signature import (
    KEYWORD,
    NO_DEFAULT,
    POSITIONAL,
    REST,
    Signature,
)


def measure(size: int, mode: "str" = "wal", *names: str, out: "Path | None" = None, loud=True):  # type: ignore[no-untyped-def]
    """Measure one point.

    More about it.

    Args:
        size: how many bytes
          per row
        mode (str): journal mode

    Example:
        ./run_toolbox.py sqlite measure 3
    """


def test_everything_is_read() -> None:
    signature = Signature.of(measure)
    assert (signature.name, signature.summary) == ("measure", "Measure one point.")
    assert signature.description == "More about it."
    assert signature.examples == "./run_toolbox.py sqlite measure 3"
    found = [(p.name, p.annotation, p.default, p.kind, p.help) for p in signature.parameters]
    assert found == [
        ("size", int, NO_DEFAULT, POSITIONAL, "how many bytes per row"),
        ("mode", str, "wal", POSITIONAL, "journal mode"),
        ("names", str, NO_DEFAULT, REST, ""),
        ("out", Path | None, None, KEYWORD, ""),
        ("loud", parameters.UNTYPED, True, KEYWORD, ""),
    ]
    assert [p.name for p in signature.parameters if p.required] == ["size"]
    assert [p.name for p in signature.parameters if p.is_flag] == ["loud"]


def test_a_decorated_function_shows_what_it_wraps() -> None:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def inner(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return inner

    assert Signature.of(decorate(measure)) == Signature.of(measure)


def test_none_as_default_allows_none() -> None:
    def f(x: int = None) -> None:  # type: ignore[assignment]  # noqa: RUF013 - on purpose
        pass

    assert Signature.of(f).parameters[0].annotation == int | None


def test_names_that_only_type_checkers_see() -> None:
    def f(a: Any, b: Any, c: Any) -> None:
        pass

    f.__annotations__ = {"a": "Literal['x']", "b": "Sequence[int]", "c": "Configuration"}
    a, b, c = Signature.of(f).parameters
    assert parameters.choices(a.annotation) == ("x",)
    assert parameters.parse("1,2", b.annotation, "--b") == [1, 2]
    assert parameters.describe(c.annotation) == "Configuration"


def test_a_bound_method_has_no_self() -> None:
    class Box:
        def open(self, width: int) -> None:
            """Open."""

    assert [p.name for p in Signature.of(Box().open).parameters] == ["width"]
