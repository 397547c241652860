"""The ways in which a secret may be written: which byte strings stand for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 4
"""Characters; a shorter value is no secret that could be masked without masking half the text."""

SHORTEST_PART = 8
"""Characters; parts of a value (a line, the value of a key) count as secret from this length on."""

PIECE = 128
"""Bytes; a longer form is searched in pieces of this length, which bounds what a stream holds."""

MOST_ENCODED = 64 * 1024
"""Characters; of a longer value only the whole is searched in its encodings, not each part."""

_ASSIGNMENT = re.compile(r"""^[-\s]*["']?([\w.\-/ ]{1,80}?)["']?\s*[:=]\s*(.*)$""")
_ARMOUR = re.compile(r"^-----(BEGIN|END) [A-Z0-9 ]+-----$")
_ADDRESS = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@?#]*/?$")
_WORDS = re.compile(r"^[A-Za-z]+([ _.\-/][A-Za-z]+)*$")
_TELLING_KEY = re.compile(r"pass|pwd|secret|token|key|auth|cred|private|data", re.IGNORECASE)
_PERCENT = re.compile(r"%[0-9A-F]{2}")


def parts(value: str) -> Iterator[tuple[str, str]]:
    """Yield (form, text) of `value` and of what is secret in it by itself.

    These are each line of a text of several lines and the value of `key = value` and
    `key: value` lines (properties, YAML, JSON), all of at least SHORTEST_PART characters. Not
    secret by themselves: the armour of PEM files, an address without path or user
    (`https://host:6443`), and plain words whose key doesn't sound like a secret (`kind: Config`).
    """
    yield "plain", value
    lines = value.splitlines()
    for line in lines:
        text = line.strip()
        if len(text) < SHORTEST_PART or _ARMOUR.match(text):
            continue
        assignment = _ASSIGNMENT.match(text)
        if assignment is None:
            if len(lines) > 1:
                yield "line", text
            continue
        key, given = assignment[1], assignment[2].strip().rstrip(",").strip()
        for text in {given, given.strip("\"'")}:
            if len(text) >= SHORTEST_PART and not _is_common(key, text):
                yield "value", text


def _is_common(key: str, text: str) -> bool:
    if _ADDRESS.match(text):
        return True
    return bool(_WORDS.match(text)) and not _TELLING_KEY.search(key)


def needles(value: str) -> dict[bytes, str]:
    """Return every byte string to look for, at most PIECE bytes each, and the form that it is."""
    found: dict[bytes, str] = {}
    for form, text in parts(value):
        for encoding, data in _encodings(text, all_of_them=form == "plain" or _short(value)):
            for piece in _pieces(data):
                found.setdefault(piece, form if encoding == "plain" else encoding)
    return {needle: form for needle, form in found.items() if len(needle) >= SHORTEST}


def _short(value: str) -> bool:
    return len(value) <= MOST_ENCODED


def _pieces(data: bytes) -> Iterator[bytes]:
    """Cut into PIECE bytes; the last piece reaches back, so that each is a full one."""
    if len(data) <= PIECE:
        yield data
        return
    for start in range(0, len(data) - PIECE, PIECE):
        yield data[start : start + PIECE]
    yield data[-PIECE:]


def _encodings(text: str, *, all_of_them: bool) -> Iterator[tuple[str, bytes]]:
    yield "plain", text.encode("utf-8", "surrogatepass")
    raw = text.encode("utf-8", "replace" if _has_wide_surrogates(text) else "surrogateescape")
    yield "plain", raw
    if not all_of_them:
        return
    for form, write in (
        ("json", _json),
        ("url", _url),
        ("html", _html),
        ("quoted", _quoted),
    ):
        for written in write(text):
            yield form, written.encode("utf-8", "surrogatepass")
    for written_bytes in _base64(raw):
        yield "base64", written_bytes


def _has_wide_surrogates(text: str) -> bool:
    """Tell whether `text` has surrogates that stand for no byte (PEP 383)."""
    return any("\ud800" <= c <= "\udfff" and not "\udc80" <= c <= "\udcff" for c in text)


def _json(text: str) -> Iterator[str]:
    import json

    for ascii_only in (True, False):
        escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")


def _url(text: str) -> Iterator[str]:
    """RFC 3986 percent-encoding as Python, forms, and JavaScript's two functions write it."""
    from urllib.parse import quote, quote_plus

    data = text.encode("utf-8", "surrogatepass")
    written = {quote(data, safe=safe) for safe in ("", "/", "!'()*", "!#$&'()*+,/:;=?@")}
    written.add(quote_plus(data))
    for one in written:
        yield one
        yield _PERCENT.sub(lambda match: match[0].lower(), one)


def _html(text: str) -> Iterator[str]:
    import html

    yield html.escape(text, quote=False)
    yield html.escape(text)
    yield html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    yield html.escape(text).replace("&#x27;", "'")


def _quoted(text: str) -> Iterator[str]:
    """As shells, SQL and YAML, and Python's repr write it between quotes.

    JSON and reprs are often passed to a shell, which then writes their quotes in its way as well.
    """
    written = {text, repr(text)[1:-1], repr(text + "'")[1:-2], *_json(text)}
    yield from written
    if "'" in text:
        for one in written:
            yield one.replace("'", "'\"'\"'")
            yield one.replace("'", "'\\''")
        yield text.replace("'", "''")


def _base64(data: bytes) -> Iterator[bytes]:
    """Return the characters that `data` alone decides, at each of the three alignments.

    RFC 4648 §4, §5. Up to four bits of the first and of the last byte share a character with
    their neighbours; these characters aren't among them, except where the data ends.
    """
    from base64 import b64encode, urlsafe_b64encode

    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            written = encode(bytes(before) + data)
            first = -(-before * 8 // 6)
            decided = (before + len(data)) * 8 // 6
            yield written[first:decided]
            yield written[first:].rstrip(b"=")
