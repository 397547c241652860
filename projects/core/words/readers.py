"""Readers of single values: what a word, a YAML node and a Python value mean as one type."""
# ruff: noqa: D102 - Reader says once what every reader does

from __future__ import annotations

import datetime as dt
import typing
from decimal import Decimal, InvalidOperation
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from projects.core.errors import nearest
from projects.core.words.core_yaml import Mismatch, is_plain, quote, read_scalar, write_scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import yaml


class Reader:
    """What one type makes of a word, of a YAML node within a word, and of a Python value."""

    is_scalar = True  # may stand between commas
    kind = ""

    def parse(self, text: str) -> Any:
        """Read a whole word; raise Mismatch."""
        raise NotImplementedError

    def convert(self, value: Any) -> Any:
        """Take a Python value, reading a text like a word; raise Mismatch."""
        if self.accepts(value):
            return value
        if isinstance(value, str):
            return self.parse(value)
        raise Mismatch(f"{show(value)} is not {self.kind}")

    def accepts(self, value: Any) -> bool:
        """Say whether a Python value is of this type as it is."""
        raise NotImplementedError

    def format(self, value: Any) -> str:
        """Return the word that `parse` reads as `value`."""
        return str(value)

    def describe(self) -> str:
        """Return the type's name for help."""
        return self.kind.removeprefix("a ").removeprefix("an ")

    def choices(self) -> Sequence[str]:
        """Return all words there are, where they can be counted."""
        return ()

    def from_node(self, node: yaml.Node) -> Any:
        """Read a node inside a list or mapping."""
        return self.parse(scalar_of(node, self.kind))

    def flow(self, value: Any) -> str:
        """Return the text of `value` inside a list or mapping."""
        text = self.format(value)
        return text if is_plain(text) else quote(text)


class Text(Reader):
    """`str`: the word itself."""

    kind = "text"

    def parse(self, text: str) -> str:
        return text

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str)

    def convert(self, value: Any) -> str:
        if isinstance(value, str):
            return value  # a Secret stays one
        if isinstance(value, bool | float):
            raise Mismatch(f"{show(value)} is a {type(value).__name__}, not text; quote it")
        if isinstance(value, int | dt.date | PurePath | Decimal):
            return str(value)
        return str(super().convert(value))

    def describe(self) -> str:
        return "str"


class Integer(Reader):
    """`int`: decimal digits."""

    kind = "an int"

    def parse(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise Mismatch(f'"{text}" is not an int') from None

    def accepts(self, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)


class Number(Reader):
    """`float`: also 1e3, inf and nan, the latter with or without YAML's dot."""

    kind = "a float"

    def parse(self, text: str) -> float:
        value = read_scalar(text)
        if isinstance(value, float):
            return value
        try:
            return float(text)
        except ValueError:
            raise Mismatch(f'"{text}" is not a float') from None

    def accepts(self, value: Any) -> bool:
        return isinstance(value, float)

    def convert(self, value: Any) -> float:
        if isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        return typing.cast("float", super().convert(value))

    def format(self, value: Any) -> str:
        return write_scalar(value)


class Boolean(Reader):
    """`bool`: true/false, yes/no, on/off, 1/0."""

    kind = "a bool"
    words: typing.ClassVar = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(
        ("false", "no", "off", "0"), False
    )

    def parse(self, text: str) -> bool:
        try:
            return self.words[text.casefold()]
        except KeyError:
            raise Mismatch(
                f'"{text}" is not a bool. Possible: true, yes, on, 1, false, no, off, 0.'
            ) from None

    def accepts(self, value: Any) -> bool:
        return isinstance(value, bool)

    def convert(self, value: Any) -> bool:
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        return typing.cast("bool", super().convert(value))

    def format(self, value: Any) -> str:
        return write_scalar(value)

    def choices(self) -> Sequence[str]:
        return ("true", "false")


class StrictBoolean(Boolean):
    """`bool` beside other types in a union: only true and false."""

    words: typing.ClassVar = {"true": True, "false": False}


class Null(Reader):
    """`None`: null or None."""

    kind = "null"

    def parse(self, text: str) -> None:
        if text not in ("null", "None"):
            raise Mismatch(f'"{text}" is not null')

    def accepts(self, value: Any) -> bool:
        return value is None

    def format(self, value: Any) -> str:  # noqa: ARG002
        return "null"


class Made(Reader):
    """Any class that one text makes: Path, Decimal, date, UUID, a subclass of str."""

    def __init__(
        self,
        made: type,
        make: Callable[[str], Any] | None = None,
        show: Callable[[Any], str] = str,
    ) -> None:
        self.made, self.make, self.show = made, make or made, show
        self.kind = f"a {made.__name__}"

    def parse(self, text: str) -> Any:
        try:
            return self.make(text)
        except (ValueError, TypeError, InvalidOperation) as error:
            why = f" ({error})" if type(error) is ValueError else ""
            raise Mismatch(f'"{text}" is not {self.kind}{why}') from None

    def convert(self, value: Any) -> Any:
        if self.made is Decimal and isinstance(value, int) and not isinstance(value, bool):
            return Decimal(value)
        return super().convert(value)

    def accepts(self, value: Any) -> bool:
        if self.made is dt.date and isinstance(value, dt.datetime):
            return False
        return isinstance(value, self.made)

    def format(self, value: Any) -> str:
        return self.show(value)

    def describe(self) -> str:
        return "path" if issubclass(self.made, PurePath) else self.made.__name__


class Choice(Reader):
    """`Literal` and `Enum`: one of these words."""

    def __init__(self, by_word: dict[str, Any], also: dict[str, Any]) -> None:
        self.by_word, self.also = by_word, also
        self.kind = " or ".join(by_word)

    def parse(self, text: str) -> Any:
        for words in (self.by_word, self.also):
            if text in words:
                return words[text]
        close = nearest(text, self.by_word)
        hint = f'; did you mean "{close}"?' if close else "."
        raise Mismatch(f'"{text}" is not possible{hint} Possible: {", ".join(self.by_word)}.')

    def accepts(self, value: Any) -> bool:
        return any(value == c and type(value) is type(c) for c in self.by_word.values())

    def convert(self, value: Any) -> Any:
        if self.accepts(value):
            return value
        return self.parse(value if isinstance(value, str) else write_or_show(value))

    def format(self, value: Any) -> str:
        for word, choice in self.by_word.items():
            if value == choice and type(value) is type(choice):
                return word
        raise Mismatch(f"{show(value)} is not possible. Possible: {', '.join(self.by_word)}.")

    def describe(self) -> str:
        return "|".join(self.by_word)

    def choices(self) -> Sequence[str]:
        return tuple(self.by_word)


class Impossible(Reader):
    """An annotation that no word can be."""

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def parse(self, text: str) -> Any:  # noqa: ARG002
        raise Mismatch(f'a word cannot be given for a parameter annotated "{self.spelling}"')

    def accepts(self, value: Any) -> bool:
        return not isinstance(value, str)  # a caller in Python knows what it hands over

    def describe(self) -> str:
        return self.spelling


def write_or_show(value: Any) -> str:
    """Return the word of a plain value, else how it looks."""
    plain = value is None or isinstance(value, bool | int | float)
    return write_scalar(value) if plain else str(value)


def show(value: Any) -> str:
    """Return a value short enough for a message; a text in double quotes."""
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:79] + "…"  # noqa: PLR2004


def scalar_of(node: yaml.Node, kind: str) -> str:
    """Return the text of a node, Mismatch for a list or mapping."""
    if not isinstance(node.value, str):
        raise Mismatch(f"a list or mapping is not {kind}")
    return node.value
