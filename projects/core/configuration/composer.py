"""YAML events turned into nodes: values with the place of each."""

from __future__ import annotations

from typing import Any

from projects.core.errors import ConfigurationError, Mark, unknown

MAX_DEPTH = 100
MAX_DIGITS = 1000
MAX_ALIASED = 100_000
"""How many values aliases may add to those that are written out."""

_MAX_QUOTED = 100
_TEXT_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:value", "!")
_INT_TAG = "tag:yaml.org,2002:int"
_MERGE_TAG = "tag:yaml.org,2002:merge"
_MAPPING_TAG = "tag:yaml.org,2002:map"
_SEQUENCE_TAG = "tag:yaml.org,2002:seq"


class Node:
    """A value of the text: its place, and its scalar or its children."""

    __slots__ = ("children", "column", "line", "scalar")

    def __init__(self, mark: Any, scalar: Any = None) -> None:
        self.line: int = mark.line
        self.column: int = mark.column
        self.scalar = scalar
        self.children: dict[Any, tuple[Node, Node]] | list[Node] | None = None


class Composer:
    """Turns the events of libyaml's parser into nodes.

    PyYAML's own composer is not used: its C recursion ends the process on a text of 100,000
    opening brackets, and it lets the last of two equal keys win in silence.
    """

    def __init__(self, text: str, name: str) -> None:
        import yaml

        self.yaml = yaml
        self.text = text
        self.name = name
        self.anchors: dict[str, Node | None] = {}
        self.budget = MAX_ALIASED
        self.types = yaml.constructor.SafeConstructor()

    def root(self) -> Node | None:
        """Return the node of the only document; None when there is none."""
        yaml = self.yaml
        try:
            loader = yaml.CSafeLoader(self.text)
            try:
                self.next = loader.get_event
                self.resolve = loader.resolve
                return self._document()
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            context = error.context
            if context and mark and error.context_mark and error.context_mark.line < mark.line:
                context += f" that begins in line {error.context_mark.line + 1}"
            said = " ".join(part for part in (context, error.problem) if part)
            raise self.error(said, mark.line if mark else 0, mark.column if mark else 0) from error
        except (yaml.YAMLError, UnicodeEncodeError) as error:
            raise self._unprintable() from error

    def _document(self) -> Node | None:
        yaml = self.yaml
        self.next()
        event = self.next()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        root = self._node(self.next(), 0)
        self.next()
        more = self.next()
        if not isinstance(more, yaml.StreamEndEvent):
            mark = more.start_mark
            raise self.error("a second document begins; one is expected", mark.line, mark.column)
        return root

    def error(self, said: str, line: int, column: int) -> ConfigurationError:
        """Return the error for a place counted from 0, with the text of its line."""
        lines = self.text.split("\n")
        shown = lines[line].strip() if line < len(lines) else ""
        shown = "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown
        )
        if len(shown) > _MAX_QUOTED:
            shown = shown[:_MAX_QUOTED] + "…"
        quoted = f', in "{shown}"' if shown else ""
        return ConfigurationError(f"{said}{quoted}", where=Mark(self.name, line + 1, column + 1))

    def _unprintable(self) -> ConfigurationError:
        found = self.yaml.reader.Reader.NON_PRINTABLE.search(self.text)
        offset = found.start() if found else 0
        before = self.text[:offset]
        character = f"U+{ord(self.text[offset]):04X}" if self.text else "nothing"
        return self.error(
            f"the character {character} is not allowed in YAML",
            before.count("\n"),
            offset - (before.rfind("\n") + 1),
        )

    def _node(self, event: Any, depth: int) -> Node:
        yaml = self.yaml
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event)
        self.budget += 1
        anchor: str | None = event.anchor
        if anchor is not None:
            self.anchors[anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = Node(mark, self._scalar(event))
        elif depth >= MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH} levels", mark.line, mark.column)
        elif isinstance(event, yaml.MappingStartEvent):
            self._check_tag(event, _MAPPING_TAG)
            node = self._mapping(Node(mark), depth)
        else:
            self._check_tag(event, _SEQUENCE_TAG)
            node = self._sequence(Node(mark), depth)
        if anchor is not None:
            self.anchors[anchor] = node
        return node

    def _aliased(self, event: Any) -> Node:
        mark = event.start_mark
        if event.anchor not in self.anchors:
            said = unknown("alias", event.anchor, self.anchors)
            raise self.error(said, mark.line, mark.column)
        node = self.anchors[event.anchor]
        if node is None:
            said = f'the alias "{event.anchor}" stands inside of what it names'
            raise self.error(said, mark.line, mark.column)
        return node

    def _check_tag(self, event: Any, expected: str) -> None:
        if event.tag not in (None, "!", expected):
            mark = event.start_mark
            raise self.error(f"the tag {event.tag} is not supported", mark.line, mark.column)

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag is None:
            if not event.implicit[0]:
                return event.value
            tag = self.resolve(self.yaml.ScalarNode, event.value, event.implicit)
        if tag in _TEXT_TAGS:
            return event.value
        mark = event.start_mark
        construct = self.types.yaml_constructors.get(tag)
        node = self.yaml.ScalarNode(tag, event.value, mark)
        if tag == _MERGE_TAG:
            return node
        if construct is None:
            raise self.error(f"the tag {tag} is not supported", mark.line, mark.column)
        if tag == _INT_TAG and len(event.value) > MAX_DIGITS:  # Python doesn't print longer ones
            said = f"an integer has more than {MAX_DIGITS} digits"
            raise self.error(said, mark.line, mark.column)
        try:
            return construct(self.types, node)
        except Exception as error:  # PyYAML lets whatever int(), date() and lookups raise through
            said = f'"{event.value[:40]}" is not a {tag.rpartition(":")[2]} ({error})'
            raise self.error(said, mark.line, mark.column) from error

    def _sequence(self, node: Node, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(event := self.next(), self.yaml.SequenceEndEvent):
            items.append(self._value(event, depth))
        node.children = items
        return node

    def _value(self, event: Any, depth: int) -> Node:
        node = self._node(event, depth + 1)
        if isinstance(node.scalar, self.yaml.ScalarNode):  # a `<<` that is not a key is a text
            node.scalar = node.scalar.value
        return node

    def _mapping(self, node: Node, depth: int) -> Node:
        own: dict[Any, tuple[Node, Node]] = {}
        merged: dict[Any, tuple[Node, Node]] = {}
        while not isinstance(event := self.next(), self.yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._value(self.next(), depth)
            if isinstance(key.scalar, self.yaml.ScalarNode):
                merged = {**self._merge_sources(value), **merged}
            else:
                self._check_key(key, own)
                own[key.scalar] = (key, value)
        node.children = {**merged, **own} if merged else own
        return node

    def _check_key(self, key: Node, own: dict[Any, tuple[Node, Node]]) -> None:
        if key.children is not None:
            raise self.error("a key has to be a scalar", key.line, key.column)
        if key.scalar in own:
            first = own[key.scalar][0]
            said = f'the key "{key.scalar}" is already in line {first.line + 1}'
            raise self.error(said, key.line, key.column)

    def _merge_sources(self, value: Node) -> dict[Any, tuple[Node, Node]]:
        sources = value.children if isinstance(value.children, list) else [value]
        merged: dict[Any, tuple[Node, Node]] = {}
        for source in reversed(sources):  # of several, the first that has a key gives it
            if not isinstance(source.children, dict):
                said = "<< merges a mapping or a list of mappings"
                raise self.error(said, value.line, value.column)
            merged.update(source.children)
        return merged

    def plain(self, node: Node, depth: int = 0) -> Any:
        """Return the value of `node` without places; whatever is aliased is copied."""
        self.budget -= 1
        if self.budget < 0 or depth > 2 * MAX_DEPTH:
            said = f"aliases expand to more than {MAX_ALIASED} further values"
            raise self.error(said, node.line, node.column)
        children = node.children
        if children is None:
            return node.scalar
        depth += 1
        if isinstance(children, dict):
            return {key: self.plain(value, depth) for key, (_, value) in children.items()}
        return [self.plain(item, depth) for item in children]
