"""The words of one call of satctl: flags with their values, and what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from projects.core.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Kind = Literal["flag", "text", "count", "seconds"]

_ID_LENGTH = 22


def split(
    words: Sequence[str], flags: Mapping[str, Kind], *, until_plain: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """Return the values of the flags that are given, and the plain words.

    Parameters
    ----------
    until_plain
        Stop at the first plain word: what follows is somebody else's to read.

    Raises
    ------
    UsageError
        An unknown flag, one given twice, a value that is missing or doesn't fit.
    """
    given: dict[str, Any] = {}
    plain: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            return given, [*plain, *left]
        if not _is_flag(word):
            plain.append(word)
            if until_plain:
                return given, [*plain, *left]
            continue
        flag = word.partition("=")[0]
        name = flag.lstrip("-").replace("-", "_")
        if name not in flags or not flag.startswith("--"):
            raise UsageError(_unknown(flag, flags))
        if name in given:
            raise UsageError(f"{flag} is given twice")
        given[name] = _value(word, flags[name], left)
    return given, plain


def _value(word: str, kind: Kind, left: list[str]) -> Any:
    """Return the value of a flag; it may be the next word, which is then taken from `left`."""
    flag, equals, text = word.partition("=")
    if kind == "flag":
        if equals:
            raise UsageError(f"{flag} takes no value")
        return True
    if not equals:
        if not left or _is_flag(left[0]):
            raise UsageError(f"{flag} needs a value: {flag}=…")
        text = left.pop(0)
    return _read(flag, kind, text)


def is_id(word: str) -> bool:
    """Return whether a word is an id of 22 characters; some begin with - or --."""
    if len(word) != _ID_LENGTH:
        return False
    from projects.jobs.model import identity

    try:
        return identity.parse(word) == word
    except UsageError:
        return False


def _is_flag(word: str) -> bool:
    return word.startswith("-") and word != "-" and not is_id(word)


def _read(flag: str, kind: Kind, text: str) -> Any:
    if kind == "text":
        return text
    try:
        value = int(text) if kind == "count" else float(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        wanted = "a whole number" if kind == "count" else "a number of seconds"
        raise UsageError(f"{flag}: {text[:60]!r} is not {wanted}")
    return value


def _unknown(flag: str, flags: Mapping[str, Kind]) -> str:
    names = [*flags, "help"]
    close = nearest(flag.lstrip("-"), names)
    hint = f'; did you mean "--{close}"?' if close else "."
    possible = ", ".join(f"--{name}" for name in names)
    return f'unknown flag "{flag[:60]}"{hint} Possible: {possible}.'
