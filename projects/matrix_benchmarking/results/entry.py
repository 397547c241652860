"""What is known of one result by itself: its files, its own settings, what its parser returned."""

from __future__ import annotations

import hashlib
import os
import sys
import time
import traceback
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.core.errors import one_line
from projects.matrix_benchmarking.results import settings as settings_of
from projects.matrix_benchmarking.results.files import METADATA, expected_files, file_facts, refresh
from projects.matrix_benchmarking.results.reading import LARGEST_SMALL, Unreadable, read_text
from projects.matrix_benchmarking.results.surroundings import read_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projects.matrix_benchmarking.results.files import FileFacts
    from projects.matrix_benchmarking.results.parser import Parser

_NAMESPACE = uuid.UUID("6d7f6b0e-3a55-4d0c-9a53-5d0f4c1f6f0a")


@dataclass(slots=True)
class Entry:
    """One result: `own` are facts of its small files, `parsed` what `parse_once` returned.

    `at` is when the files were looked at, ns since the epoch. A result with a `problem` is not
    kept.
    """

    files: list[FileFacts]
    own: dict[str, Any]
    parsed: Any = None
    at: int = 0
    problem: str | None = None


def make(directory: str, names: Iterable[str], parser: Parser) -> Entry:
    """Read and parse one result; what is wrong with it becomes its `problem`."""
    entry = Entry(files=[], own={}, at=time.time_ns())
    try:
        entry.files = [
            file_facts(directory, path)
            for path in expected_files(directory, names, parser.important_files)
        ]
        entry.own = read_own(directory, names, entry.files)
    except Unreadable as error:
        entry.problem = str(error)
        return entry
    try:
        entry.parsed = parser.parse_once(Path(directory))
    except Exception as error:  # a foreign parser; the other results count
        entry.problem = said(error, entry.own.get("exit_code"))
    return entry


def read_own(directory: str, names: Iterable[str], files: list[FileFacts]) -> dict[str, Any]:
    """Return settings, exit code, times and id of one result, as its small files say them."""
    own: dict[str, Any] = {"settings": settings_of.read_settings(directory, names)}
    if "exit_code" not in names:
        raise Unreadable(f"{directory}: no exit_code: it never ended, or is still running")
    text = read_text(f"{directory}/exit_code", LARGEST_SMALL).strip()
    try:
        own["exit_code"] = int(text)
    except ValueError:
        what = f'"{text:.40}" is no number' if text else "it is empty"
        raise Unreadable(f"{directory}/exit_code: {what}") from None
    own |= read_metadata(directory)
    own["test_uuid"] = _given_uuid(directory, names) or _uuid(files)
    if "end" not in own:
        own["mtime_ns"] = _exit_code_mtime(files)
    return own


def _given_uuid(directory: str, names: Iterable[str]) -> str | None:
    if "test_uuid" not in names:
        return None
    text = read_text(f"{directory}/test_uuid", LARGEST_SMALL).strip()
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise Unreadable(f'{directory}/test_uuid: "{text:.40}" is no UUID') from None


def _uuid(files: list[FileFacts]) -> str:
    """Return an id made of the content: what is downloaded from elsewhere keeps it.

    The metadata hold when and by which process it was measured, which is enough; without them
    all important files count.
    """
    with_metadata = any(facts[0] == METADATA for facts in files)
    content = [
        f"{facts[4]}  {facts[0]}"
        for facts in files
        if not facts[0].startswith("settings.from_")
        and (not with_metadata or facts[0] in (*settings_of.MAIN, "exit_code", METADATA))
    ]
    return str(uuid.uuid5(_NAMESPACE, "\n".join(content)))


def said(error: BaseException, exit_code: int | None = None) -> str:
    """Return why a result could not be parsed: the error, and the line of the parser it is from."""
    why = f"exit code {exit_code}; " if exit_code else ""
    if isinstance(error, Unreadable):  # it names the file, which is to blame, not the parser
        return f"{why}{error}"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{why}{one_line(error)}{where}"


def is_current(directory: str, expected: Sequence[str], entry: Entry, *, trust: bool) -> bool:
    """Tell whether the files are those that an entry was made of; it remembers what it looked at.

    With `trust`, files that are not here count as unchanged.
    """
    recorded = [facts[0] for facts in entry.files]
    if expected != recorded and not (trust and set(expected) <= set(recorded)):
        return False
    now = time.time_ns()
    looked = False
    for facts in entry.files:
        same = refresh(directory, facts, entry.at, trust=trust)
        if same is False:
            return False
        looked = looked or same is True
    if looked:
        entry.at = now
        if "mtime_ns" in entry.own:
            entry.own["mtime_ns"] = _exit_code_mtime(entry.files)
    return True


def _exit_code_mtime(files: Sequence[FileFacts]) -> int:
    return next(int(facts[2]) for facts in files if facts[0] == "exit_code")


def parser_id(parser: Parser) -> str:
    """Return what names a parser in the cache: class, version, and the hash of its module."""
    kind = type(parser)
    source = getattr(sys.modules.get(kind.__module__), "__file__", None)
    digest = ""
    if source and os.path.isfile(source):
        with open(source, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return f"{kind.__module__}.{kind.__qualname__}:{parser.version}:{digest}"
