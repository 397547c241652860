"""The marker `FAILURE` of a directory, and `FAILURES`, which gathers them for a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core import errors
from projects.core.artifacts.complaints import complain
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_TEXT = 256 * 1024
"""A FAILURE entry longer than this, in characters, loses its middle."""

MOST_GATHERED = 10_000
"""At most so many FAILURE files are read into FAILURES."""

_RECORDED = "__topgallant_recorded__"


def record(directory: Path, error: BaseException) -> None:
    """Append `error` to `directory/FAILURE`: `Type: message`, then where to read on.

    The directory that sees the exception first gets the traceback, those further out a line
    that points there. The same exception is written at most once per directory. What is not a
    failure (`sys.exit(0)`, a closed generator) is not written. Never raises an ordinary
    exception: a disk that refuses is said once on stderr, so that `error` is what the user sees.
    """
    try:
        if isinstance(error, GeneratorExit) or errors.exit_status_of(error) == errors.PASSED:
            return
        here = os.fspath(directory)
        recorded = _recorded_in(error)
        if here in recorded:
            return
        text = masking.mask(_entry(here, error))
        _append(f"{here}/FAILURE", _bounded(text))
        recorded.append(here)
    except OSError as problem:
        complain(f"cannot write {directory}/FAILURE", problem)
    except Exception as problem:  # such as an exception without a __dict__
        complain(f"cannot describe a failure in {directory}", problem)


def _recorded_in(error: BaseException) -> list[str]:
    # Through __dict__: a frozen dataclass may be an exception, and refuses setattr.
    recorded: list[str] = error.__dict__.setdefault(_RECORDED, [])
    return recorded


def _entry(here: str, error: BaseException) -> str:
    told = _recorded_in(error)
    if told:
        return f"{_headline(error)}\n  see {_pointer(here, told[0])}\n"
    if isinstance(error, BaseExceptionGroup | errors.ParallelFailed):
        parts = list(errors.leaves(error))
        if all(_recorded_in(part) for part in parts):
            pointers = [
                f"  {errors.one_line(part)}\n    see {_pointer(here, _recorded_in(part)[0])}"
                for part in parts
            ]
            return "\n".join([_headline(error), *pointers, ""])
    if isinstance(error, errors.Cancelled | errors.Interrupted):
        return _headline(error) + "\n"  # where it stood then is chance, not cause

    import traceback

    return f"{_headline(error)}\n\n{''.join(traceback.format_exception(error))}"


def _headline(error: BaseException) -> str:
    message = errors.text_of(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _pointer(here: str, there: str) -> str:
    return os.path.relpath(f"{there}/FAILURE", here)


def _bounded(text: str) -> str:
    if len(text) <= MOST_TEXT:
        return text
    half = MOST_TEXT // 2
    return f"{text[:half]}\n… {len(text) - MOST_TEXT} characters left out …\n{text[-half:]}"


def _append(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        # A second exception in one directory stands apart from the first.
        separator = "\n" if os.fstat(descriptor).st_size else ""
        os.write(descriptor, (separator + text).encode("utf-8", "backslashreplace"))
    finally:
        os.close(descriptor)


def gather(root: Path) -> list[tuple[str, str]]:
    """Return (path relative to `root`, first line) of every FAILURE below it, in order of path.

    Those that only point further in are left out: each failure is listed where it happened. So
    are those of siblings that were cancelled, where something else is to blame.
    """
    found: list[tuple[str, str]] = []
    for path in _failure_files(root):
        if len(found) == MOST_GATHERED:
            break
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                head, below, next_below = file.readline().strip(), file.readline(), file.readline()
        except OSError:
            continue
        if not (below.startswith("  see ") or next_below.startswith("    see ")):
            found.append((os.path.relpath(path, root), head))
    return [(path, head) for path, head in found if not head.startswith("Cancelled")] or found


def _failure_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders.sort()
        if "FAILURE" in files:
            yield Path(folder, "FAILURE")


def write_failures(root: Path) -> int:
    """Write `root/FAILURES`, lines `path | first line of it`, if anything failed; return how many.

    Errors
    ------
    InfrastructureError
        The file cannot be written.
    """
    found = gather(root)
    if not found:
        return 0
    lines = "".join(f"{path} | {head}\n" for path, head in found)
    try:
        with open(f"{root}/FAILURES", "w", encoding="utf-8") as file:
            file.write(lines)
    except OSError as error:
        raise errors.unreadable(f"{root}/FAILURES", error) from error
    return len(found)
