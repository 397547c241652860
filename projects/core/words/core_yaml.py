"""YAML 1.2 core reading of single words, and flow text written so that it reads back the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import yaml

_WORDS: dict[str, bool | None] = (
    dict.fromkeys(("null", "Null", "NULL", "~", ""))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
)

# Numbers as https://yaml.org/spec/1.2.2/#1032-tag-resolution says, except that one with a leading
# zero ("01", "007") is text: it is an identifier far more often than a number. Patterns are
# compiled when the first word needs them: many calls have none.
_NUMBERS: tuple[tuple[str, Callable[[str], float]], ...] = (
    (r"[-+]?(0|[1-9][0-9]*)", int),
    (r"0o[0-7]+|0x[0-9a-fA-F]+", lambda text: int(text, 0)),
    (r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
    (
        r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        lambda text: float(text.replace(".", "", 1)),
    ),
)

# What may stand in a flow collection without quotes, and what a double-quoted text must escape.
_PLAIN = r"(?!.*: )-?[A-Za-z0-9_./]([A-Za-z0-9_./ +=@%:-]*[A-Za-z0-9_./+=@%-])?"
_ESCAPED = "[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"

MOST_LEVELS = 100
"""How deep a value on the command line may nest."""


class Mismatch(ValueError):
    """A text or value does not fit a type; the message says what is wrong, not where."""


def read_scalar(text: str) -> Any:
    """Return null, a bool, an int, a float, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    for pattern, read in _NUMBERS:
        if re.fullmatch(pattern, text):
            try:
                return read(text)
            except ValueError:  # more digits than sys.get_int_max_str_digits()
                return text
    return text


def write_scalar(value: float | None) -> str:
    """Return the text that read_scalar reads as this null, bool, int or float."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(text, text)


def is_plain(text: str) -> bool:
    """Say whether a text needs no quotes inside a flow collection."""
    return re.fullmatch(_PLAIN, text) is not None


def quote(text: str) -> str:
    """Return the text double-quoted, right in JSON and in YAML."""
    import json

    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(_ESCAPED, lambda found: f"\\u{ord(found[0]):04x}", quoted)


def compose(text: str) -> yaml.Node:
    """Return the node of one YAML document; Mismatch for bad YAML, an alias, or a tag."""
    import yaml

    try:
        _check_depth(text)
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        problem = getattr(error, "problem", None) or "it cannot be encoded"
        mark = getattr(error, "problem_mark", None)
        at = f" at column {mark.column + 1}" if mark else ""
        raise Mismatch(f'"{text}" is not YAML: {problem}{at}') from error
    if node is None:
        raise Mismatch(f'"{text}" is empty YAML')
    _refuse_aliases(node, text, set())
    return node


def _check_depth(text: str) -> None:
    """Refuse deep nesting before libyaml's composer, whose recursion would end the process."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_LEVELS:
                raise Mismatch(f"a value nested deeper than {MOST_LEVELS} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _refuse_aliases(node: yaml.Node, text: str, seen: set[int]) -> None:
    """Aliases can make a short text endless, tags can name Python objects; neither is needed."""
    if id(node) in seen:
        raise Mismatch(f'"{text}" has an alias (*name), which a word may not have')
    if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
        raise Mismatch(f'"{text}" has the tag {node.tag}, which a word may not have')
    seen.add(id(node))
    children = node.value if isinstance(node.value, list) else []
    for child in children:
        for each in child if isinstance(child, tuple) else (child,):
            _refuse_aliases(each, text, seen)


def read_like_configuration(text: str) -> Any:
    """Return what `key: text` would be in config.yaml, where YAML 1.1 says what `on` means.

    Raises Mismatch for what is not YAML.
    """
    import yaml

    compose(text or "null")
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        problem = getattr(error, "problem", None) or error
        raise Mismatch(f'"{text}" is not YAML: {problem}') from error
