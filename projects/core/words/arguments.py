"""Words of a call bound to the parameters of a function, with the types these have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from projects.core.errors import UsageError, nearest
from projects.core.words import parameters
from projects.core.words.core_yaml import Mismatch, read_like_configuration
from projects.core.words.signature import (
    KEYWORD,
    KEYWORD_REST,
    POSITIONAL,
    POSITIONAL_ONLY,
    REST,
    Parameter,
    Signature,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_EVERY_CALL = ("debug", "help", "output")
"""Flags that every call has beside its own."""


@dataclass(slots=True)
class Bound:
    """Typed values for a call: `function(*args, **kwargs)`."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Override(NamedTuple):
    """A word `key.path=value`."""

    key: str
    value: Any
    word: str


@dataclass(slots=True)
class _Scan:
    """Words told apart: flags with their texts (None: given bare), and the plain words."""

    flags: dict[str, str | bool] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def bind(argv: Sequence[str], signature: Signature) -> Bound:
    """Bind `--name=value`, `--name value`, `--flag`, `--no-flag` and plain words; `--` ends flags.

    In names `-` and `_` are the same. Raises UsageError for an unknown flag (with the nearest), a
    value of another type, a parameter given twice, one word too many, and missing parameters.
    """
    scan = _scan(argv, signature)
    return _bind(scan.flags, scan.words, signature)


class UnknownFlag(UsageError):
    """A flag that the verb does not have: its `name`, and the nearest that it has, if any."""

    def __init__(self, message: str, name: str, close: str | None) -> None:
        super().__init__(message)
        self.name = name
        self.close = close


def bind_entrypoint(
    argv: Sequence[str], signature: Signature, presets_of: Callable[[], Sequence[str]] = tuple
) -> tuple[Bound, list[str], list[Override]]:
    """Bind the words of an entrypoint: required parameters first, then presets and overrides.

    Returns the bound parameters, the presets and the overrides in the order given. `presets_of` is
    asked for those that there are when a flag is unknown, as it may be meant for one.
    """
    try:
        scan = _scan(argv, signature)
    except UnknownFlag as error:
        preset = nearest(error.name, presets_of())
        if preset is None or (error.close and preset != error.name):
            raise
        said = f'unknown flag "--{error.name}"; did you mean the preset "{preset}", without --?'
        raise UsageError(said) from None
    if signature.rest(REST):
        return _bind(scan.flags, scan.words, signature), [], []
    wanted = [p for p in _positional(signature) if p.required and p.name not in scan.flags]
    mine, others = scan.words[: len(wanted)], scan.words[len(wanted) :]
    flags = scan.flags | {p.name: word for p, word in zip(wanted, mine, strict=False)}
    presets, overrides = split_entrypoint_words(others)
    return _bind(flags, [], signature), presets, overrides


def split_entrypoint_words(words: Sequence[str]) -> tuple[list[str], list[Override]]:
    """Split plain words into presets and overrides (`key.path=value`, the value read as YAML).

    Raises UsageError for an empty word or key, and for a value that is not YAML.
    """
    presets: list[str] = []
    overrides: list[Override] = []
    for word in words:
        key, equals, text = _partition_at_equals(word)
        if not key:
            raise UsageError(f'"{word}" is neither a preset nor key=value')
        if not equals:
            presets.append(word)
            continue
        try:
            overrides.append(Override(key, read_like_configuration(text), word))
        except Mismatch as error:
            raise UsageError(f"{key}: {error}") from None
    return presets, overrides


def _partition_at_equals(word: str) -> tuple[str, str, str]:
    """Split at the first `=` outside of brackets and quotes: a JSONPath filter may contain one."""
    depth, quote = 0, ""
    for position, character in enumerate(word):
        if quote:
            quote = "" if character == quote else quote
        elif depth and character in "'\"":
            quote = character
        elif character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
        elif character == "=" and depth <= 0:
            return word[:position], "=", word[position + 1 :]
    return word, "", ""


def is_flag(word: str) -> bool:
    """Say whether a word is a flag: it begins with `-` and is neither `-` nor a number."""
    return word.startswith("-") and len(word) > 1 and not (word[1].isdigit() or word[1] == ".")


def _scan(argv: Sequence[str], signature: Signature) -> _Scan:
    scan = _Scan()
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            scan.words += words
            break
        if not is_flag(word):
            scan.words.append(word)
            continue
        name, equals, text = word.partition("=")
        parameter, negated = _flag_named(name, signature)
        if parameter.name in scan.flags:
            raise UsageError(f"{_flag(parameter)} is given twice")
        if equals and negated:
            raise UsageError(f"{name} takes no value; write {_flag(parameter)}={text}")
        if equals:
            scan.flags[parameter.name] = text
        elif negated or parameter.is_flag:
            scan.flags[parameter.name] = not negated
        elif words and not is_flag(words[0]):
            scan.flags[parameter.name] = words.pop(0)
        elif _may_be_bool(parameter):
            scan.flags[parameter.name] = True
        else:
            raise UsageError(f"{name} needs a value: {name}={_type_hint(parameter)}")
    return scan


def _flag_named(flag: str, signature: Signature) -> tuple[Parameter, bool]:
    """Return the parameter that a flag names and whether it was `--no-…`."""
    name = flag.lstrip("-").replace("-", "_")
    named = {
        p.name: p for p in signature.parameters if p.kind not in (POSITIONAL_ONLY, KEYWORD_REST)
    }
    if flag.startswith("--"):
        if name in named:
            return named[name], False
        negated = named.get(name.removeprefix("no_"))
        if name.startswith("no_") and negated and _may_be_bool(negated):
            return negated, True
        rest = signature.rest(KEYWORD_REST)
        if rest and name.isidentifier():
            return Parameter(name, rest.annotation, None, KEYWORD, rest.help), False
    given = flag.lstrip("-")
    close = nearest(given, [*named, *_EVERY_CALL])
    hint = f'; did you mean "--{close}"?' if close else "."
    flags = ", ".join(f"--{each}" for each in named) or "none"
    raise UnknownFlag(f'unknown flag "{flag}"{hint} Possible: {flags}.', given, close)


def _may_be_bool(parameter: Parameter) -> bool:
    return parameter.is_flag or "true" in parameters.choices(parameter.annotation)


def _flag(parameter: Parameter) -> str:
    return f"--{parameter.name}"


def _type_hint(parameter: Parameter) -> str:
    return f"<{parameters.describe(parameter.annotation) or 'value'}>"


def _positional(signature: Signature) -> list[Parameter]:
    return [p for p in signature.parameters if p.kind in (POSITIONAL_ONLY, POSITIONAL)]


def _bind(flags: dict[str, str | bool], words: Sequence[str], signature: Signature) -> Bound:
    rest, more = signature.rest(REST), signature.rest(KEYWORD_REST)
    values: dict[str, Any] = {}
    tail: list[Any] = []
    for name, text in flags.items():
        parameter = signature.parameter(name)
        if rest and name == rest.name:  # `--rest=a,b` gives the words of *rest
            words_of_rest = parameters.parse(str(text), list[str], f"--{name}")
            tail += (parameters.parse(w, rest.annotation, f"--{name}") for w in words_of_rest)
        elif isinstance(text, bool):
            values[name] = text
        elif parameter or more:
            annotation = (parameter or more).annotation  # type: ignore[union-attr]
            values[name] = parameters.parse(text, annotation, f"--{name}")
    left = list(words)
    for parameter in _positional(signature):
        if left and parameter.name not in values:
            word = left.pop(0)
            values[parameter.name] = parameters.parse(word, parameter.annotation, parameter.name)
    if left and not rest:
        raise UsageError(_too_many(left, signature))
    if rest:
        tail += (parameters.parse(word, rest.annotation, rest.name) for word in left)
    missing = [p for p in signature.parameters if p.required and p.name not in values]
    if missing:
        raise UsageError(_missing(missing))
    return _as_call(values, tail, signature)


def _as_call(values: dict[str, Any], tail: Sequence[Any], signature: Signature) -> Bound:
    """Pass by name what can be; by place what is positional only or stands before `*rest`."""
    placed = [p for p in _positional(signature) if tail or p.kind == POSITIONAL_ONLY]
    args = [values.pop(parameter.name, parameter.default) for parameter in placed]
    return Bound((*args, *tail), values)


def _missing(missing: Sequence[Parameter]) -> str:
    what = "a parameter is missing" if len(missing) == 1 else "parameters are missing"
    return f"{what}: " + ", ".join(f"{_flag(p)}={_type_hint(p)}" for p in missing)


def _too_many(left: Sequence[str], signature: Signature) -> str:
    words = " ".join(f'"{word}"' for word in left)
    names = ", ".join(p.name for p in _positional(signature))
    takes = f"it takes {names}" if names else "it takes no plain words"
    return f"{words}: more words than {signature.name} takes; {takes}"
