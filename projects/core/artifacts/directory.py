"""Numbered artifact directories: claimed once, current in the context that entered them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core import errors
from projects.core.artifacts import failures
from projects.core.artifacts.ambient import Ambient
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from projects.core.artifacts.ambient import Entry

COUNTER = ".next"
"""Name of the hidden file that holds a directory's next number."""

MOST_CHARACTERS, MOST_BYTES = 120, 240
"""Bounds of a name; file systems take 255 bytes with the number before it."""

_WIDTH = 20  # of the counter's text: a fixed width is overwritten whole by one write

_current: Ambient[Path] = Ambient("artifact_directory")
_run_root: Path | None = None


def set_run_root(path: Path | None) -> Path | None:
    """Set the run's top directory, what `current` falls back to; return the one before."""
    global _run_root
    before, _run_root = _run_root, path
    return before


def run_root() -> Path | None:
    """Return the run's top directory, or None outside of a run."""
    return _run_root


def current() -> Path:
    """Return the artifact directory of this context.

    It is the innermost one entered in this thread, task or copied context; in a thread started
    without a copy of the context, the innermost that the main thread entered outside of an event
    loop; else the run's top directory.

    Errors
    ------
    UsageError
        Nothing has been entered and no run has begun.
    """
    path = _current.get() or _run_root
    if path is None:
        raise errors.UsageError("there is no artifact directory yet; call env.init() first")
    return path


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of `environ` for a child: `ARTIFACT_DIR` of this context, `TOPGALLANT_RUN`."""
    environment = dict(environ)
    path = _current.get() or _run_root
    if path is not None:
        environment["ARTIFACT_DIR"] = os.fspath(path)
    if _run_root is not None:
        environment["TOPGALLANT_RUN"] = os.fspath(_run_root)
    return environment


class TempArtifactDir:
    """The given directory, made if missing, is the artifact directory of the `with` block.

    An exception that leaves the block is recorded in `FAILURE` and goes on. Works with `with`
    and `async with`, in threads and tasks at once.

    Errors
    ------
    InfrastructureError
        The directory cannot be made.
    """

    def __init__(self, dirname: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.abspath(dirname))
        self._entry: Entry[Path] | None = None

    def __enter__(self) -> Path:
        self.path = self._made()
        self._entry = _current.enter(self.path)
        return self.path

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._entry is not None:
            _current.leave(self._entry)
        if error is not None:
            failures.record(self.path, error)

    async def __aenter__(self) -> Path:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    def _made(self) -> Path:
        try:
            os.makedirs(self.path, exist_ok=True)
        except OSError as error:
            raise _cannot_make(self.path, error) from error
        return self.path


class NextArtifactDir(TempArtifactDir):
    """The next numbered directory `NNN__name` below the current one; see `TempArtifactDir`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._entry = None

    def _made(self) -> Path:
        return claim(current(), self._name)


def claim(parent: str | os.PathLike[str], name: str) -> Path:
    """Make and return the directory `parent/NNN__name` with the next free number.

    No number is given out twice among threads and processes of machines that see the same file
    locks (`flock(2)`). Numbers only grow: one whose directory was removed stays unused. `parent`
    must exist. The cost does not depend on how many directories there are.

    Errors
    ------
    InfrastructureError
        `parent` is missing or not writable, or the disk is full.
    """
    above, safe = os.fspath(parent), safe_name(name)
    try:
        while True:
            path = f"{above}/{_next_number(above):03d}__{safe}"
            try:
                os.mkdir(path)
            except FileExistsError:  # made by hand, past our counter
                continue
            return Path(path)
    except OSError as error:
        raise _cannot_make(f"{above}/NNN__{safe}", error) from error


def safe_name(name: str) -> str:
    """Return `name` as one path component: masked, printable, bounded, without a slash."""
    name = masking.mask(name)
    if not name.isprintable() or "/" in name:
        name = "".join(c if c.isprintable() and c != "/" else "_" for c in name)
    name = name[:MOST_CHARACTERS]
    if not name.isascii():
        # isprintable() has taken the lone surrogates, so this encodes; a cut character is dropped.
        name = name.encode()[:MOST_BYTES].decode(errors="ignore")
    return name.strip() or "unnamed"


def _next_number(parent: str) -> int:
    descriptor = os.open(f"{parent}/{COUNTER}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        # flock belongs to the open file, not to the process: it keeps threads apart as well.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        text = os.pread(descriptor, _WIDTH, 0).strip()
        number = int(text) if text.isdigit() else _first_free(parent)
        os.pwrite(descriptor, f"{number + 1:<{_WIDTH - 1}}\n".encode(), 0)
        return number
    finally:
        # Unlocked by hand: a child forked in between still holds the open file.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _first_free(parent: str) -> int:
    with os.scandir(parent) as entries:
        numbers = (entry.name.partition("__")[0] for entry in entries if "__" in entry.name)
        return max((int(n) + 1 for n in numbers if n.isascii() and n.isdigit()), default=0)


def _cannot_make(path: str | os.PathLike[str], error: OSError) -> errors.InfrastructureError:
    reason = error.strerror or str(error)
    return errors.InfrastructureError(f"cannot make the artifact directory {path}: {reason}")
