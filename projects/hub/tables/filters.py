"""The words by which rows are chosen: `latency > 5 and tool = "my tool" and @by in (ada, bob)`.

A condition is COLUMN OP VALUE; conditions have `and` between. Operators: `=` `!=` `<` `<=` `>`
`>=`, `~` (contains, case counts), `!~` (doesn't), `in (…, …)`. A name or value with spaces or
operators in it is quoted, with a doubled quote for a quote. `null`, unquoted, is the missing value:
`x = null`, `x != null`. Rows without a value fit nothing else.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.errors import ConfigurationError, unknown
from projects.hub.tables.columns import LARGEST, MARK, SMALLEST, Column, Type
from projects.hub.tables.kinds import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_CONDITIONS = 20
MOST_TEXT = 4000
MOST_VALUES = 100

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"]|"")*"|'(?:[^']|'')*')"""
    r"""|(?P<op>!=|<=|>=|!~|[=<>~(),])"""
    r"""|(?P<word>[^\s"'=<>!~(),]+))"""
)
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_TEXT_ONLY = ("~", "!~")
_OPERATORS = (*_COMPARISONS, *_TEXT_ONLY, "in")

OWN: dict[str, tuple[str, Type]] = {
    "@row": ("r.seq", Type.INTEGER),
    "@at": ("r.at", Type.DATE_TIME),
    "@by": ("u.submitter", Type.TEXT),
    "@satellite": ("u.satellite", Type.TEXT),
    "@job": ("u.job", Type.TEXT),
    "@artifact": ("u.artifact", Type.TEXT),
    "@errors": ("(CASE WHEN r.errors IS NULL THEN 0 ELSE 1 END)", Type.BOOLEAN),
}
"""What the hub itself knows of a row: its place in SQL and its type."""


class BadWords(ConfigurationError):
    """A filter, or the name of a column, isn't understood; the message says where."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something of a row that can be asked for: a column, or what the hub itself knows."""

    name: str
    sql: str
    type: Type

    @property
    def of_upload(self) -> bool:
        """Whether it is kept with the upload instead of the row."""
        return self.sql.startswith("u.")


@dataclass(frozen=True, slots=True)
class Test:
    """A condition that rows have to pass; `values` are as the field stores them."""

    __test__ = False

    field: Field
    op: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    kind: str
    at: int

    def is_bare(self, text: str) -> bool:
        return self.kind == "word" and self.text.lower() == text


def parse(text: str | None, columns: Sequence[Column]) -> tuple[Test, ...]:
    """Return the conditions that `text` writes about a table with `columns`.

    Raises
    ------
    BadWords
        It isn't understood, there is no such column, or a value is of another type.
    """
    if text is None or not text.strip():
        return ()
    words = _words(text)
    tests: list[Test] = []
    at = 0
    while True:
        test, at = _condition(words, at, columns)
        tests.append(test)
        if len(tests) > MOST_CONDITIONS:
            raise BadWords(f"the filter has more than {MOST_CONDITIONS} conditions")
        if at == len(words):
            return tuple(tests)
        if not words[at].is_bare("and"):
            raise _unexpected(words, at, "and")
        at += 1


def field_of(name: str, columns: Iterable[Column]) -> Field:
    """Return the field of a name.

    Raises
    ------
    BadWords
        There is none; the message has the nearest.
    """
    if name.startswith(MARK) and name in OWN:
        return Field(name, *OWN[name])
    known = {column.name: column for column in columns}
    if name in known:
        return Field(name, f"r.{known[name].sql}", known[name].type)
    raise BadWords(unknown("column", name[:200], [*known, *OWN]))


def names_of(text: str) -> list[str]:
    """Return the names that `text` lists, with commas between, quoted where they need it."""
    words = _words(text)
    names = []
    for place, word in enumerate(words):
        if place % 2 == 0 and word.kind != "op":
            names.append(word.text)
        elif place % 2 == 0 or word.text != ",":
            raise _unexpected(words, place, "," if place % 2 else "a name")
    if len(words) % 2 == 0:
        raise _unexpected(words, len(words), "a name")
    return names


def _words(text: str) -> list[_Word]:
    if len(text) > MOST_TEXT:
        raise BadWords(f"{len(text):,} characters: the most is {MOST_TEXT:,}")
    found: list[_Word] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].strip()[:20]
            raise BadWords(f"character {at + 1}: {rest!r} isn't understood: is a quote missing?")
        kind = match.lastgroup or ""
        word = match[kind]
        if kind == "quoted":
            word = word[1:-1].replace(word[0] * 2, word[0])
        found.append(_Word(word, kind, match.start(kind)))
        at = match.end()
    return found


def _condition(words: list[_Word], at: int, columns: Sequence[Column]) -> tuple[Test, int]:
    name = _take(words, at, "the name of a column")
    field = field_of(name.text, columns)
    op = words[at + 1] if at + 1 < len(words) else None
    if op is not None and op.is_bare("in"):
        values, at = _several(words, at + 2, field)
        return Test(field, "in", values), at
    if op is None or op.kind != "op" or op.text not in _OPERATORS:
        raise _unexpected(words, at + 1, " ".join(_OPERATORS))
    value = _take(words, at + 2, "a value")
    return Test(field, op.text, (_typed(value, op.text, field),)), at + 3


def _several(words: list[_Word], at: int, field: Field) -> tuple[tuple[Any, ...], int]:
    if at >= len(words) or words[at].text != "(":
        raise _unexpected(words, at, "(")
    values = []
    while True:
        values.append(_typed(_take(words, at + 1, "a value"), "in", field))
        at += 2
        if len(values) > MOST_VALUES:
            raise BadWords(f"more than {MOST_VALUES} values after in")
        if at < len(words) and words[at].kind == "op" and words[at].text == ",":
            continue
        if at < len(words) and words[at].kind == "op" and words[at].text == ")":
            return tuple(values), at + 1
        raise _unexpected(words, at, ", or )")


def _take(words: list[_Word], at: int, wanted: str) -> _Word:
    if at >= len(words) or words[at].kind == "op":
        raise _unexpected(words, at, wanted)
    return words[at]


def _unexpected(words: list[_Word], at: int, wanted: str) -> BadWords:
    if at >= len(words):
        return BadWords(f"the filter ends where {wanted} is missing")
    word = words[at]
    return BadWords(f"character {word.at + 1}: {word.text[:40]!r} where {wanted} is expected")


def _typed(word: _Word, op: str, field: Field) -> Any:
    """Return a value as the field stores it; None is null."""
    if word.is_bare("null"):
        if op in ("=", "!="):
            return None
        raise BadWords(f"character {word.at + 1}: null goes with = and != only")
    if op in _TEXT_ONLY:
        if field.type in (Type.TEXT, Type.JSON):
            return word.text
        raise BadWords(f"{op} is for text: {field.name!r} is {field.type}")
    value = _value(word.text, field.type)
    if value is None:
        raise BadWords(
            f"character {word.at + 1}: {word.text[:60]!r} is no {field.type},"
            f" which {field.name!r} is"
        )
    return value


def _value(text: str, kind: Type) -> Any:
    if kind in (Type.TEXT, Type.JSON):
        return text
    if kind is Type.BOOLEAN:
        return {"true": 1, "false": 0}.get(text.lower())
    if kind is Type.DATE_TIME:
        return moment_of(text)
    return _number(text)


def _number(text: str) -> int | float | None:
    if re.fullmatch(r"[+-]?[0-9]{1,19}", text, re.ASCII):
        whole = int(text)
        if SMALLEST <= whole <= LARGEST:
            return whole
    if not re.fullmatch(r"[+-]?[0-9.]+([eE][+-]?[0-9]{1,4})?", text, re.ASCII):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
