"""Secrets hidden wherever text or bytes leave the program.

Everything that is written for people or kept goes through `mask`, `mask_bytes` or a
`StreamMasker`; what was never registered comes through unchanged.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from projects.core.secrets.needles import CONTEXT, Needles

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from projects.core.secrets.needles import Hit

STARS = "***"
_STARS = b"***"
_NOT_OPEN = -1

_lock = Lock()
_needles = Needles()
_values: set[str] = set()


def register(value: str, name: str) -> None:
    """Hide `value` from now on, in all its forms (see forms.needles); `name` says whose it is.

    White space around the value isn't part of it. A value of less than forms.SHORTEST characters
    is not hidden, with a warning: that would hide half of every text.
    """
    from projects.core.secrets import forms

    value = value.strip()
    if len(value) < forms.SHORTEST:
        import logging

        logging.getLogger(__name__).warning(
            "The secret %s is shorter than %d characters: it is not masked.",
            name or "without a name",
            forms.SHORTEST,
        )
        return
    with _lock:
        if value in _values:
            return
        for needle, form in forms.needles(value).items():
            _needles.add(needle, name, form)
        _values.add(value)


def registered() -> Needles:
    """Return what is searched for."""
    return _needles


def forget_all() -> None:
    """Forget all secrets; only tests do that."""
    global _needles  # noqa: PLW0603  the one registry of the process
    with _lock:
        _needles = Needles()
        _values.clear()


def mask(text: str) -> str:
    """Return `text` with `***` where a secret was."""
    if not _needles.origin:
        return text
    data = text.encode("utf-8", "surrogatepass")
    hits = _needles.find(data)
    if not hits:
        return text
    masked = _written(data, _merged(hits))
    try:
        return masked.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # a secret of bytes that are no text was cut out of a character
        return masked.decode("utf-8", "replace")


def mask_values(value: Any) -> Any:
    """Return `value` with `***` for secrets in every text of its lists and mappings.

    For what is still to be written as YAML or JSON: stars in the written text could break it.
    """
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask_values(key): mask_values(each) for key, each in value.items()}
    if isinstance(value, list):
        return [mask_values(each) for each in value]
    return value


def mask_bytes(data: bytes) -> bytes:
    """Return `data` with `***` where a secret was."""
    if not _needles.origin:
        return data
    hits = _needles.find(data)
    return _written(data, _merged(hits)) if hits else data


def mask_traceback(error: BaseException) -> str:
    """Return the traceback of `error`, with its causes and the members of groups, masked."""
    import traceback

    return mask("".join(traceback.format_exception(error)))


def _merged(hits: Iterable[Hit]) -> list[tuple[int, int]]:
    """Return the covered places in order; those that overlap or touch are one."""
    merged: list[tuple[int, int]] = []
    for start, end, _ in sorted(hits):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _written(data: bytes, covered: list[tuple[int, int]]) -> bytes:
    kept: list[bytes] = []
    position = 0
    for start, end in covered:
        kept += (data[position:start], _STARS)
        position = end
    kept.append(data[position:])
    return b"".join(kept)


class StreamMasker:
    """Bytes that come in chunks, masked as if they had come as one.

    Only what may be the beginning of a secret is held back, at most forms.PIECE - 1 bytes (of
    base64 with line breaks: and these), until the next chunk or `close` decides.
    """

    def __init__(self) -> None:
        self._context = b""
        self._held = b""
        # How far into the held bytes a secret reaches whose stars were written already.
        self._open = _NOT_OPEN

    def feed(self, chunk: bytes) -> bytes:
        """Return what can be shown, now that `chunk` has come."""
        if not _needles.origin:
            # A secret that gets registered later may still need what was before it.
            shown = self._held + chunk
            self._context, self._held = (self._context + shown)[-CONTEXT:], b""
            return shown
        return self._show(chunk, last=False)

    def close(self) -> bytes:
        """Return what was held back; the stream has ended."""
        return self._show(b"", last=True)

    def _show(self, chunk: bytes, *, last: bool) -> bytes:
        before = len(self._context)
        data = self._context + self._held + chunk
        cut = len(data) if last else max(before, _needles.undecided(data))
        shown: list[bytes] = []
        reached = before + self._open  # the end of the last secret whose stars were written
        position = max(before, reached)
        is_open = self._open != _NOT_OPEN
        for start, end in _merged(hit for hit in _needles.find(data) if hit.end > before):
            if start >= cut:
                break
            if not is_open or start > reached:
                shown += (data[position:start], _STARS)
            is_open = True
            position = reached = max(reached, end)
        shown.append(data[position:cut])
        self._open = reached - cut if is_open and reached >= cut else _NOT_OPEN
        self._context, self._held = data[:cut][-CONTEXT:], data[cut:]
        return b"".join(shown)
