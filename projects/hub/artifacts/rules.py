"""Which files may be sent: paths that stay inside, sizes and hashes that make sense; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from projects.hub.artifacts.values import LARGEST_FILE, LONGEST_PATH, MOST_FILES, File
from projects.jobs.http.refusals import Invalid
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_SHOWN = 5
LONGEST_PLACE = 1000
LONGEST_WORD = 200
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LATEST = 253_402_300_800 * moment.SECOND  # the year 10000


def files_of(values: Any) -> list[File]:
    """Return the files that a manifest lists, by path.

    Raises
    ------
    Invalid
        It is no list of files; a path leads out, comes twice, or is below a file; a size or a hash
        is none, or one content is said to have two sizes. With the place of each mistake.
    """
    if not isinstance(values, list):
        raise Invalid("files: a list is wanted", fields={"files": "a list is wanted"})
    if len(values) > MOST_FILES:
        said = f"{len(values)} files, of at most {MOST_FILES}"
        raise Invalid(said, fields={"files": said})
    files: list[File] = []
    wrong: dict[str, str] = {}
    for number, value in enumerate(values):
        try:
            files.append(_file(value))
        except _WrongError as error:
            wrong[f"files.{number}.{error.key}" if error.key else f"files.{number}"] = str(error)
            if len(wrong) == MOST_SHOWN:
                break
    if not wrong:
        files.sort(key=lambda file: file.path)
        wrong = _conflicts(files)
    if wrong:
        message = "; ".join(f"{where}: {said}" for where, said in wrong.items())
        raise Invalid(message, fields=wrong)
    return files


class _WrongError(ValueError):
    def __init__(self, key: str, said: str) -> None:
        self.key = key
        super().__init__(said)


def _file(value: Any) -> File:
    if not isinstance(value, dict):
        raise _WrongError("", "a mapping with path, size, sha256 and mtime is wanted")
    size, sha256 = value.get("size"), value.get("sha256")
    if type(size) is not int or not 0 <= size <= LARGEST_FILE:
        raise _WrongError("size", f"{str(size)[:40]!r} is no number of bytes up to {LARGEST_FILE}")
    return File(_path(value.get("path")), size, _hash(sha256), _mtime(value.get("mtime")))


def _path(value: Any) -> bytes:
    if not isinstance(value, str):
        raise _WrongError("path", "a text is wanted")
    try:
        path = path_of(value)
    except ValueError as error:
        raise _WrongError("path", f"{value[:80]!r} {error}") from None
    return path


def path_of(text: str) -> bytes:
    """Return the bytes of a path that stays inside; ValueError says how it doesn't."""
    try:
        path = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ValueError("holds half a character") from None
    if not path:
        raise ValueError("is empty")
    if len(path) > LONGEST_PATH:
        raise ValueError(f"has {len(path)} bytes, of at most {LONGEST_PATH}")
    if b"\0" in path:
        raise ValueError("holds a NUL character")
    if path.startswith(b"/"):
        raise ValueError("is absolute")
    if not {b"", b".", b".."}.isdisjoint(path.split(b"/")):
        raise ValueError("has a part that is empty, . or ..")
    return path


def hash_of(text: str) -> bytes:
    """Return the 32 bytes of a SHA-256.

    Raises
    ------
    Invalid
        It isn't 64 hexadecimal digits in lower case.
    """
    try:
        return _hash(text)
    except _WrongError as error:
        raise Invalid(str(error), fields={"sha256": str(error)}) from None


def _hash(value: Any) -> bytes:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise _WrongError("sha256", f"{str(value)[:70]!r} is not 64 hexadecimal digits")
    return bytes.fromhex(value)


def _mtime(value: Any) -> int:
    if value in (None, ""):
        return 0
    try:
        found = moment.parse_iso(value)
    except (TypeError, ValueError, OverflowError):
        raise _WrongError("mtime", f"{str(value)[:40]!r} is no moment in ISO 8601") from None
    return max(-_LATEST, min(found, _LATEST - 1))


def _conflicts(files: Iterable[File]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    sizes: dict[bytes, int] = {}
    seen: set[bytes] = set()
    folders: set[bytes] = set()
    for file in files:
        if len(wrong) == MOST_SHOWN:
            break
        if file.path in seen:
            wrong[f"files: {file.name!r}"] = "comes twice"
        if sizes.setdefault(file.sha256, file.size) != file.size:
            wrong[f"files: {file.name!r}"] = "has the content of another file, but not its size"
        seen.add(file.path)
        above = file.path
        while (above := above.rpartition(b"/")[0]) and above not in folders:
            folders.add(above)
    for path in sorted(seen & folders)[:MOST_SHOWN]:
        wrong[f"files: {path.decode('utf-8', 'surrogateescape')!r}"] = "is a file and a folder"
    return wrong


def place_of(text: Any) -> str:
    """Return the place of a run, as an export names it.

    Raises
    ------
    Invalid
        It is empty, too long, or leads out.
    """
    said = ""
    if not isinstance(text, str):
        said = "a text is wanted"
    elif len(text) > LONGEST_PLACE:
        said = f"has more than {LONGEST_PLACE} characters"
    else:
        try:
            text.encode("utf-8")
            path_of(text)
        except ValueError as error:
            said = "is not text" if isinstance(error, UnicodeEncodeError) else str(error)
    if said:
        raise Invalid(f"place: {said}", fields={"place": said})
    return str(text)


def word_of(text: str) -> str:
    """Return what a run says of itself so that every database keeps it and every page shows it."""
    plain = text[:LONGEST_WORD].encode("utf-8", "replace").decode()
    return plain if plain.isprintable() else "".join(c if c.isprintable() else " " for c in plain)
