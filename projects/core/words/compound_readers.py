"""Readers of unions, untyped words, collections and mappings, made of other readers."""
# ruff: noqa: D102 - Reader says once what every reader does

from __future__ import annotations

import collections.abc
import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from projects.core.words.core_yaml import (
    Mismatch,
    compose,
    is_plain,
    quote,
    read_scalar,
    write_scalar,
)
from projects.core.words.readers import (
    Boolean,
    Choice,
    Integer,
    Made,
    Null,
    Number,
    Reader,
    StrictBoolean,
    Text,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import yaml


class Union(Reader):
    """`A | B`: the first that reads the word, text last. Quotes make a text of "5" in int | str."""

    def __init__(self, members: list[Reader]) -> None:
        beside = [StrictBoolean() if type(m) is Boolean else m for m in members]
        self.declared, self.members = beside, sorted(beside, key=_rank)
        self.text = next((m for m in members if isinstance(m, Text)), None)
        self.is_scalar = all(m.is_scalar for m in members)
        self.kind = " or ".join(m.kind for m in members)

    def parse(self, text: str) -> Any:
        if self.text and len(text) > 1 and text[0] == text[-1] == '"':
            inner = text[1:-1]
            if not self._reads_as_text(inner):
                return inner
        return self._first(lambda member: member.parse(text), text)

    def _reads_as_text(self, text: str) -> bool:
        try:
            value = self.parse(text)
        except Mismatch:
            return False
        return type(value) is str and value == text

    def _first(self, read: Callable[[Reader], Any], given: Any) -> Any:
        problems = []
        for member in self.members:
            if self.text and isinstance(member, Integer | Number) and _is_text(given):
                continue  # "01" beside text is text
            try:
                return read(member)
            except Mismatch as error:
                problems.append(str(error))
        telling = [m for m in self.members if not isinstance(m, Null)]
        if len(telling) == 1:
            raise Mismatch(problems[self.members.index(telling[0])])
        raise Mismatch(f"{show(given)} is not {self.kind}")

    def accepts(self, value: Any) -> bool:
        return any(member.accepts(value) for member in self.members)

    def convert(self, value: Any) -> Any:
        for member in self.members:
            if member.accepts(value):
                return member.convert(value)
        return self._first(lambda member: member.convert(value), value)

    def format(self, value: Any) -> str:
        for member in self.members:
            if member.accepts(value):
                text = member.format(value)
                if member is self.text and not self._reads_as_text(text):
                    return f'"{text}"'
                return text
        raise Mismatch(f"{show(value)} is not {self.kind}")

    def describe(self) -> str:
        return " | ".join(m.describe() or "any" for m in self.declared)

    def choices(self) -> Sequence[str]:
        return [choice for member in self.members for choice in member.choices()]

    def from_node(self, node: yaml.Node) -> Any:
        if self.text and getattr(node, "style", None) in ("'", '"'):
            return node.value
        return self._first(lambda member: member.from_node(node), node.value)

    def flow(self, value: Any) -> str:
        for member in self.members:
            if member.accepts(value):
                if member is self.text:
                    return quote(value)
                return member.flow(value)
        raise Mismatch(f"{show(value)} is not {self.kind}")


class Untyped(Reader):
    """No annotation: YAML 1.2 core; what begins with [, {, or a quote is a YAML value."""

    kind = "a value"

    def parse(self, text: str) -> Any:
        if text[:1] in ("[", "{", '"', "'"):
            return self.from_node(compose(text))
        return read_scalar(text)

    def accepts(self, value: Any) -> bool:  # noqa: ARG002
        return True

    def format(self, value: Any) -> str:
        if isinstance(value, str):
            try:
                same = self.parse(value)
            except Mismatch:
                same = None
            return value if type(same) is str and same == value else quote(value)
        return self.flow(value)

    def describe(self) -> str:
        return ""

    def from_node(self, node: yaml.Node) -> Any:
        if isinstance(node.value, str):
            plain = not getattr(node, "style", None)  # libyaml says "" where PyYAML says None
            return read_scalar(node.value) if plain else node.value
        import yaml

        if isinstance(node, yaml.MappingNode):
            return Mapping(self, self).from_node(node)
        return Collection(list, self).from_node(node)

    def flow(self, value: Any) -> str:
        if value is None or isinstance(value, bool | int | float):
            return write_scalar(value)
        if isinstance(value, collections.abc.Mapping):
            return Mapping(self, self).flow(value)
        if isinstance(value, list | tuple | collections.abc.Set):
            return Collection(list, self).flow(value)
        text = os.fspath(value) if isinstance(value, PurePath) else str(value)
        plain = is_plain(text) and read_scalar(text) == text
        return text if plain else quote(text)


class Collection(Reader):
    """`list`, `tuple`, `set`, `frozenset`: `a,b,c` of scalars, or a YAML list."""

    is_scalar = False

    def __init__(self, made: type[Any], item: Reader) -> None:
        self.made, self.item = made, item
        self.kind = f"a {made.__name__}"

    def items(self, count: int) -> Iterable[Reader]:
        """Return the readers of `count` items."""
        return [self.item] * count

    def splits(self) -> bool:
        """Say whether commas separate the items of a word."""
        return self.item.is_scalar

    def parse(self, text: str) -> Any:
        if text.startswith("["):
            return self.from_node(compose(text))
        if not self.splits():
            raise Mismatch(f'"{text}" is not {self.kind}; write it as YAML: [item, item]')
        texts = [part.strip() for part in text.split(",")] if text else []
        return self._make(r.parse(t) for r, t in zip(self.items(len(texts)), texts, strict=True))

    def _make(self, values: Iterable[Any]) -> Any:
        try:
            return self.made(values)
        except TypeError as error:  # an unhashable item of a set
            raise Mismatch(f"{error} in {self.kind}") from None

    def accepts(self, value: Any) -> bool:
        if not isinstance(value, self.made):
            return False
        items: list[Any] = [*value]
        return all(r.accepts(i) for r, i in zip(self.items(len(items)), items, strict=True))

    def convert(self, value: Any) -> Any:
        if isinstance(value, list | tuple | collections.abc.Set):
            readers = self.items(len(value))
            return self._make(r.convert(v) for r, v in zip(readers, value, strict=True))
        return super().convert(value)

    def from_node(self, node: yaml.Node) -> Any:
        import yaml

        if not isinstance(node, yaml.SequenceNode):
            raise Mismatch(f"{show(node.value)} is not {self.kind}")
        readers = self.items(len(node.value))
        return self._make(r.from_node(n) for r, n in zip(readers, node.value, strict=True))

    def format(self, value: Any) -> str:
        values = list(value)
        if self.splits():
            readers = self.items(len(value))
            word = ",".join(r.format(v) for r, v in zip(readers, values, strict=True))
            try:
                if list(self.parse(word)) == values:
                    return word
            except Mismatch:
                pass
        return self.flow(value)

    def describe(self) -> str:
        inner = self.item.describe()
        return f"{self.made.__name__}[{inner}]" if inner else self.made.__name__

    def flow(self, value: Any) -> str:
        pairs = zip(self.items(len(value)), value, strict=True)
        return "[" + ", ".join(r.flow(v) for r, v in pairs) + "]"


class FixedTuple(Collection):
    """`tuple[int, str]`: each item has its own type."""

    def __init__(self, readers: list[Reader]) -> None:
        super().__init__(tuple, Untyped())
        self.readers = readers

    def items(self, count: int) -> Iterable[Reader]:
        if count != len(self.readers):
            raise Mismatch(f"{count} given for {self.describe()}, which has {len(self.readers)}")
        return self.readers

    def splits(self) -> bool:
        return all(r.is_scalar for r in self.readers)

    def accepts(self, value: Any) -> bool:
        same = isinstance(value, tuple) and len(value) == len(self.readers)
        return same and super().accepts(value)

    def describe(self) -> str:
        return f"tuple[{', '.join(r.describe() for r in self.readers)}]"


class Mapping(Reader):
    """`dict`: a YAML mapping, whose keys are unique."""

    is_scalar = False
    kind = "a mapping"

    def __init__(self, key: Reader, value: Reader) -> None:
        self.key, self.value = key, value

    def parse(self, text: str) -> Any:
        return self.from_node(compose(text))

    def accepts(self, value: Any) -> bool:
        return isinstance(value, collections.abc.Mapping) and all(
            self.key.accepts(k) and self.value.accepts(v) for k, v in value.items()
        )

    def convert(self, value: Any) -> Any:
        if isinstance(value, collections.abc.Mapping):
            return {self.key.convert(k): self.value.convert(v) for k, v in value.items()}
        return super().convert(value)

    def from_node(self, node: yaml.Node) -> Any:
        import yaml

        if not isinstance(node, yaml.MappingNode):
            raise Mismatch(f"{show(node.value)} is not {self.kind}; write it as {{key: value}}")
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.key.from_node(key_node)
            try:
                if key in found:
                    raise Mismatch(f"the key {show(key)} is given twice")
            except TypeError:
                raise Mismatch(f"{show(key)} cannot be a key") from None
            found[key] = self.value.from_node(value_node)
        return found

    def format(self, value: Any) -> str:
        return self.flow(value)

    def describe(self) -> str:
        inner = f"{self.key.describe() or 'any'}, {self.value.describe() or 'any'}"
        return f"dict[{inner}]" if inner != "any, any" else "dict"

    def flow(self, value: Any) -> str:
        pairs = (f"{self.key.flow(k)}: {self.value.flow(v)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"


def _is_text(given: Any) -> bool:
    return isinstance(given, str) and isinstance(read_scalar(given), str)


def _rank(reader: Reader) -> int:
    """Order of the members of a union: what reads fewest words first, text last."""
    order = (Null, StrictBoolean, Choice, Integer, Number, Made, Collection, Mapping)
    place = next((n for n, kind in enumerate(order) if isinstance(reader, kind)), len(order))
    if isinstance(reader, Made) and issubclass(reader.made, PurePath | str):
        return len(order)
    return len(order) + 1 if isinstance(reader, Text | Untyped) else place
