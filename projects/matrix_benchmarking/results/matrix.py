"""The matrix of results: filter, group and sort them by their settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.core.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from projects.matrix_benchmarking.results.result import Result, Scalar

Wanted = dict[str, list[str]]
"""Setting: the texts of the values that it may have."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Results as points of a space that their settings span.

    A setting that a result does not have counts as None.
    """

    results: tuple[Result, ...]

    @classmethod
    def of(cls, results: Iterable[Result]) -> Matrix:
        """Return the matrix of the results that have no problem."""
        return cls(tuple(result for result in results if result.problem is None))

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    @property
    def keys(self) -> list[str]:
        """The names of all settings, sorted."""
        return sorted({name for result in self.results for name in result.settings})

    def values(self, key: str) -> list[Scalar]:
        """Return the different values of a setting, sorted; UsageError if nobody has it."""
        self._check([key])
        seen = {_order(value): value for value in (_get(result, key) for result in self.results)}
        return [seen[order] for order in sorted(seen)]

    @property
    def axes(self) -> dict[str, list[Scalar]]:
        """The settings that vary, with their values."""
        return {key: found for key in self.keys if len(found := self.values(key)) > 1}

    @property
    def constants(self) -> dict[str, Scalar]:
        """The settings that are the same everywhere."""
        return {key: found[0] for key in self.keys if len(found := self.values(key)) == 1}

    def filter(self, text: str) -> Matrix:
        r"""Return the results that `k=v1:v2,k2=v` lets through.

        A number equals whatever is the same number (`1`, `1.0`); `true`, `false` and `null` mean
        the values; anything equals its own text. `\:`, `\,`, `\=` and `\\` are the characters.

        Errors
        ------
        UsageError
            The text is no filter, or no result has such a setting.
        """
        wanted = parse_filter(text)
        self._check(wanted)
        kept = tuple(result for result in self.results if _fits(result, wanted))
        return Matrix(kept)

    def group_by(self, keys: Sequence[str]) -> dict[tuple[Scalar, ...], Matrix]:
        """Return one matrix for each combination of values of `keys`, in their order."""
        self._check(keys)
        groups: dict[tuple[_Order, ...], list[Result]] = {}
        for result in self.results:
            groups.setdefault(_orders(result, keys), []).append(result)
        return {
            tuple(_get(groups[order][0], key) for key in keys): Matrix(tuple(groups[order]))
            for order in sorted(groups)
        }

    def sort(self, keys: Sequence[str] = ()) -> Matrix:
        """Return the results in the order of `keys`, then of all other settings.

        None comes first, then false and true, numbers by value, texts by letter.
        """
        self._check(keys)
        every = [*keys, *(key for key in self.keys if key not in keys)]
        return Matrix(tuple(sorted(self.results, key=lambda result: _orders(result, every))))

    def _check(self, keys: Iterable[str]) -> None:
        known = set(self.keys)
        for key in keys:
            if key not in known and self.results:
                raise UsageError(unknown("setting", key, known))


def parse_filter(text: str) -> Wanted:
    r"""Return what `k=v1:v2,k2=v` asks for; an empty text asks for nothing.

    Errors
    ------
    UsageError
        A part without `=` or without a name, a name given twice.
    """
    wanted: Wanted = {}
    for part in _split(text, ",") if text.strip() else []:
        key, *values = _split(part, "=")
        name = _unescaped(key).strip()
        if len(values) != 1 or not name:
            raise UsageError(rf'filter "{text}": "{part}" is no key=value; write \, \: \= for them')
        if name in wanted:
            raise UsageError(f'filter "{text}": {name} is there twice; write {name}=a:b')
        wanted[name] = [_unescaped(value).strip() for value in _split(values[0], ":")]
    return wanted


def _split(text: str, at: str) -> list[str]:
    """Split where `at` stands without a backslash before it; backslashes stay."""
    parts, part, escaped = [], "", False
    for character in text:
        if character == at and not escaped:
            parts.append(part)
            part = ""
        else:
            part += character
        escaped = character == "\\" and not escaped
    return [*parts, part]


def _unescaped(text: str) -> str:
    result, escaped = "", False
    for character in text:
        if escaped and character not in ",:=\\":
            result += "\\"
        if character != "\\" or escaped:
            result += character
            escaped = False
        else:
            escaped = True
    return result + "\\" * escaped


def _fits(result: Result, wanted: Wanted) -> bool:
    return all(
        any(_equals(_get(result, key), text) for text in texts) for key, texts in wanted.items()
    )


def _equals(value: Scalar, text: str) -> bool:
    if value is None:
        return text in {"", "null", "None"}
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, int | float):
        try:
            return float(text) == value
        except ValueError:
            return False
    return value == text


def _get(result: Result, key: str) -> Scalar:
    return result.settings.get(key)


_Order = tuple[int, float, str]


def _orders(result: Result, keys: Iterable[str]) -> tuple[_Order, ...]:
    return tuple(_order(_get(result, key)) for key in keys)


def _order(value: Scalar) -> _Order:
    if value is None:
        return (0, 0, "")
    if isinstance(value, bool):
        return (1, value, "")
    if isinstance(value, int | float):
        return (2, value, "")
    return (3, 0, value)
