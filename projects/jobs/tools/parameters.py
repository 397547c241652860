"""The nine types of parameters: each a small class that checks, describes and writes its values."""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from projects.core.errors import unknown
from projects.jobs.tools.texts import (
    MAX_VALUE_BYTES,
    NAME,
    Invalid,
    checked,
    number_text,
    shown,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    More = Callable[[], Sequence[str]]
    """Gives the options that a command of the spec adds; asked only when it matters."""

LARGEST = 2**53
"""Integers are exact in JavaScript and JSON from -2^53 to 2^53."""

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_REAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MOST_COMPARED = 1000
_MOST_DIGITS = 30
_TEXT_SCHEMA = {"type": "string", "maxLength": MAX_VALUE_BYTES, "pattern": r"^[^\u0000]*$"}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a tool. `default` is checked when it is made, and kept as `read` gives it.

    Raises
    ------
    Invalid
        The definition contradicts itself; `key` says where.
    """

    type: ClassVar[str]
    name: str
    doc: str = ""
    optional: bool = False
    default: Any = None

    def __post_init__(self) -> None:
        if not NAME.match(self.name):
            raise Invalid(
                f"{shown(self.name)} can't be the name of an environment variable (arg_…): letters"
                " a-z and A-Z, digits and _ can, no digit first",
                "name",
            )
        self._check_definition()
        if self.default is not None:
            try:
                object.__setattr__(self, "default", self.read(self.default, self._of_default()))
            except Invalid as error:
                raise Invalid(str(error), "default") from None

    @property
    def required(self) -> bool:
        """Whether a submission must give it."""
        return not self.optional and self.default is None

    def check(self, value: Any, more: More | None = None) -> str:
        """Return the text that reaches the script; Invalid, with a sentence, if it doesn't fit."""
        return self.text(self.read(value, more))

    def read(self, value: Any, more: More | None = None) -> Any:
        """Return `value` as the JSON value that it stands for; Invalid if it doesn't fit."""
        raise NotImplementedError

    def text(self, value: Any) -> str:
        """Return what `read` gave as the text that reaches the script."""
        return str(value)

    def describe(self) -> dict[str, Any]:
        """Return what a form, a help text or another machine needs to know, as JSON values."""
        said: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "doc": self.doc,
            "required": self.required,
        }
        if self.default is not None:
            said["default"] = self.default
        return said | self._details()

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the values of its own JSON type.

        What the schema takes, `read` takes, unless it is too long or beyond a double. `read` also
        takes numbers and booleans written as texts, and numbers for texts.
        """
        schema = self._schema()
        if not self.required:
            schema = {"anyOf": [schema, {"type": "null"}]}
        if self.doc:
            schema["description"] = self.doc
        if self.default is not None:
            schema["default"] = self.default
        return schema

    def _check_definition(self) -> None:
        """Raise Invalid when the definition contradicts itself."""

    def _of_default(self) -> More | None:
        """Return where a default may come from beside the static options."""
        return None

    def _details(self) -> dict[str, Any]:
        return {}

    def _schema(self) -> dict[str, Any]:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Boolean(Parameter):
    """True or False, also written as text in any case."""

    type: ClassVar[str] = "boolean"

    def read(self, value: Any, more: More | None = None) -> bool:
        """Return the boolean."""
        del more
        if isinstance(value, bool):
            return value
        folded = value.lower() if isinstance(value, str) else ""
        if folded not in ("true", "false"):
            raise Invalid(f"{shown(value)} is neither true nor false")
        return folded == "true"

    def _schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, kw_only=True)
class String(Parameter):
    """Any text, presented as one line; what has several lines is taken as well."""

    type: ClassVar[str] = "string"

    def read(self, value: Any, more: More | None = None) -> str:
        """Return the text, unchanged; a number becomes its text."""
        del more
        return text_of(value)

    def _schema(self) -> dict[str, Any]:
        return dict(_TEXT_SCHEMA)


@dataclass(frozen=True, kw_only=True)
class Text(String):
    """Any text, presented as a field of many lines."""

    type: ClassVar[str] = "text"


@dataclass(frozen=True, kw_only=True)
class _Listed(Parameter):
    """What choice and some have in common: options, and a command that adds more of them."""

    options: tuple[str, ...] = ()
    shell: str | None = None

    @property
    def dynamic(self) -> bool:
        """Whether a command on the server adds options."""
        return self.shell is not None

    @functools.cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.options)

    def _check_definition(self) -> None:
        if not self.options and not self.dynamic:
            raise Invalid('there is nothing to choose from: give "options" or "shell"', "options")
        for number, option in enumerate(self.options, 1):
            if option in self.options[: number - 1]:
                raise Invalid(f"{shown(option)} is listed twice", "options")
            try:
                checked(option)
            except Invalid as error:
                raise Invalid(f"option {number}: {error}", "options") from None

    def _option(self, value: Any, more: More | None) -> str:
        text = text_of(value)
        if text in self._known:
            return text
        added: Sequence[str] = ()
        if self.dynamic and more is not None:
            if more is any_option:
                return text
            added = more()
            if text in added:
                return text
        possible = list(dict.fromkeys((*self.options, *added)))[:_MOST_COMPARED]
        raise Invalid(unknown("option", shown(text).strip('"'), possible))

    def _of_default(self) -> More | None:
        """Take any default where options come from a command, which isn't run for that."""
        return any_option

    def _details(self) -> dict[str, Any]:
        return {"options": list(self.options), "dynamic": self.dynamic}

    def _item(self) -> dict[str, Any]:
        return dict(_TEXT_SCHEMA) if self.dynamic else {"enum": list(self.options)}


def any_option() -> Sequence[str]:
    """Stand for options that are not known here: everything is taken."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Choice(_Listed):
    """Exactly one of the options."""

    type: ClassVar[str] = "choice"

    def read(self, value: Any, more: More | None = None) -> str:
        """Return the option."""
        return self._option(value, more)

    def _schema(self) -> dict[str, Any]:
        return self._item()


@dataclass(frozen=True, kw_only=True)
class Some(_Listed):
    """Any of the options, in the order given; each once if `no_duplicates`."""

    type: ClassVar[str] = "some"
    no_duplicates: bool = False

    def _check_definition(self) -> None:
        _Listed._check_definition(self)  # noqa: SLF001 (the class is its own base)
        for option in self.options:
            if "," in option or not option:
                raise Invalid(
                    f"the option {shown(option)} can't be told apart when values are joined by"
                    " commas; options without a comma, and not empty, can",
                    "options",
                )

    def read(self, value: Any, more: More | None = None) -> list[str]:
        """Return the options chosen, from a list or from a text with commas."""
        if isinstance(value, str):
            value = value.split(",") if value else []
        items = value if isinstance(value, list | tuple) else [value]
        if len(items) > MAX_VALUE_BYTES:
            raise Invalid(f"{len(items):,} values; the most is {MAX_VALUE_BYTES:,}")
        chosen = [self._option(item, more) for item in items]
        for text in chosen:
            if "," in text or not text:
                raise Invalid(f"the option {shown(text)} can't be joined by commas")
        if self.no_duplicates and len(set(chosen)) < len(chosen):
            twice = next(text for text in chosen if chosen.count(text) > 1)
            raise Invalid(f"{shown(twice)} is chosen more than once; each may be once")
        checked(",".join(chosen))
        return chosen

    def text(self, value: Any) -> str:
        """Return the options joined by commas."""
        return ",".join(value)

    def _details(self) -> dict[str, Any]:
        return {**_Listed._details(self), "no_duplicates": self.no_duplicates}  # noqa: SLF001

    def _item(self) -> dict[str, Any]:
        item = _Listed._item(self)  # noqa: SLF001
        return {**item, "minLength": 1, "pattern": r"^[^,\u0000]*$"} if self.dynamic else item

    def _schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self._item(), "uniqueItems": self.no_duplicates}


@dataclass(frozen=True, kw_only=True)
class Integer(Parameter):
    """An integer between `min` and `max`, both included, and within ±2^53."""

    type: ClassVar[str] = "integer"
    min: int | None = None
    max: int | None = None

    def _check_definition(self) -> None:
        _check_bounds(self.min, self.max)

    def read(self, value: Any, more: More | None = None) -> int:
        """Return the integer; it may be written as text, or as a double without a fraction."""
        del more
        number = _integer(value)
        if not -LARGEST <= number <= LARGEST:
            raise Invalid(f"{shown(value)} is beyond ±2^53, where integers are not exact any more")
        _check_within(number, self.min, self.max)
        return number

    def _details(self) -> dict[str, Any]:
        return _given(min=self.min, max=self.max)

    def _schema(self) -> dict[str, Any]:
        low = -LARGEST if self.min is None else max(self.min, -LARGEST)
        high = LARGEST if self.max is None else min(self.max, LARGEST)
        return {"type": "integer", "minimum": low, "maximum": high}


@dataclass(frozen=True, kw_only=True)
class Nat(Parameter):
    """An integer from 0 to 2^53."""

    type: ClassVar[str] = "nat"

    def read(self, value: Any, more: More | None = None) -> int:
        """Return the integer."""
        del more
        number = _integer(value)
        if not 0 <= number <= LARGEST:
            limit = "less than 0" if number < 0 else "more than 2^53"
            raise Invalid(f"{shown(value)} is {limit}")
        return number

    def _schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": 0, "maximum": LARGEST}


@dataclass(frozen=True, kw_only=True)
class Real(Parameter):
    """An IEEE 754 double between `min` and `max`, both included; neither NaN nor infinite."""

    type: ClassVar[str] = "real"
    min: float | None = None
    max: float | None = None

    def _check_definition(self) -> None:
        _check_bounds(self.min, self.max)

    def read(self, value: Any, more: More | None = None) -> float:
        """Return the double; it may be written as text."""
        del more
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise Invalid(f"{shown(value)} is not a number")
        if isinstance(value, str) and not _REAL.match(value):
            raise Invalid(f"{shown(value)} is not a number")
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 (NaN)
            raise Invalid(f"{shown(value)} is not a finite number within the range of a double")
        _check_within(number, self.min, self.max)
        return number

    def text(self, value: Any) -> str:
        """Return the shortest text that reads back as the same double."""
        return number_text(value)

    def _details(self) -> dict[str, Any]:
        return _given(min=self.min, max=self.max)

    def _schema(self) -> dict[str, Any]:
        return {"type": "number", **_given(minimum=self.min, maximum=self.max)}


@dataclass(frozen=True, kw_only=True)
class Date(Parameter):
    """A day of the calendar, `yyyy-MM-dd`."""

    type: ClassVar[str] = "date"

    def read(self, value: Any, more: More | None = None) -> str:
        """Return the day as it is written."""
        del more
        if not isinstance(value, str) or not _DATE.match(value):
            raise Invalid(f"{shown(value)} is not a day written as yyyy-MM-dd")
        try:
            dt.date.fromisoformat(value)
        except ValueError:
            raise Invalid(f"{shown(value)} is not a day of the calendar") from None
        return value

    def _schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


TYPES: Mapping[str, type[Parameter]] = {
    kind.type: kind for kind in (Boolean, String, Text, Choice, Integer, Nat, Real, Some, Date)
}
"""The classes by what a spec calls them."""


def from_description(said: Mapping[str, Any]) -> Parameter:
    """Return the parameter that `describe` described, perhaps on another machine."""
    kind = TYPES[said["type"]]
    keys = {key: said[key] for key in ("min", "max", "no_duplicates", "default") if key in said}
    if "options" in said:
        keys["options"] = tuple(said["options"])
        keys["shell"] = "" if said.get("dynamic") else None
    return kind(name=said["name"], doc=said["doc"], optional=not said["required"], **keys)


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and _INTEGER.match(value):
        return int(value) if len(value) <= _MOST_DIGITS else 10**_MOST_DIGITS
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Invalid(f"{shown(value)} is not an integer")


def _check_within(number: float, low: float | None, high: float | None) -> None:
    if low is not None and number < low:
        raise Invalid(f"{number_text(number)} is less than {low}, the least")
    if high is not None and number > high:
        raise Invalid(f"{number_text(number)} is more than {high}, the most")


def _check_bounds(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise Invalid(f"max {high} is less than min {low}: no number fits", "max")


def _given(**keys: Any) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}
