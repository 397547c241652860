"""What artifacts are made of: runs, files, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass

MOST_FILES = 100_000
LONGEST_PATH = 4096
"""Bytes."""

LARGEST_FILE = 1 << 40
SMALL = 64 << 10
"""Contents up to so many bytes may be sent many at a time."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a run: `path` in bytes, `size` in bytes, `mtime` in µs."""

    path: bytes
    size: int
    sha256: bytes
    mtime: int

    @property
    def name(self) -> str:
        """The path as text; bytes that are no UTF-8 are lone surrogates (PEP 383)."""
        return self.path.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Run:
    """A run: moments in µs; `published` is None as long as only its owner knows of it."""

    number: int
    id: str
    owner: str
    place: str
    run_id: str
    project: str
    name: str
    outcome: str
    created: int
    touched: int
    published: int | None
    made: int | None
    tree: int | None
    draft: int | None
    files: int
    bytes: int
    draft_bytes: int
    holder: str
    held_until: int
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """A content that has to be sent: how many of its bytes are here already."""

    sha256: bytes
    size: int
    offset: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which runs are asked for; empty and None: all."""

    project: str = ""
    owner: str = ""
    group: str = ""
    outcome: str = ""
    place: str = ""
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export asks for: the run at a place, for some groups, kept from others."""

    place: str
    project: str = ""
    groups: tuple[str, ...] = ()
    holder: str = ""
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """The bytes that a user keeps, and may keep; None: as many as they like."""

    user: str
    bytes: int
    quota: int | None


@dataclass(frozen=True, slots=True)
class Retention:
    """When runs go: after so many days, but never the last ones of a project."""

    days: float | None = None
    keep_last: int = 10
    session_days: float = 7.0
    """What was begun and not touched for so long is given up."""
