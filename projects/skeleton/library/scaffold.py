"""Copy the skeleton under another name: all of it, or nothing."""

from __future__ import annotations

import keyword
import os
import re
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.errors import UsageError, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

SKELETON = Path(__file__).resolve().parents[1]
"""The project that is copied; this very file is no part of the copy."""

ONLY_HERE = frozenset({"library", "toolbox/skeleton.py"})
"""What makes new projects, and so does not belong into them."""

NAME_LENGTH_LIMIT = 50

RESERVED = frozenset({"project", "core"})
"""`project` stands for the selected project on the command line."""

_SPELLINGS = re.compile(r"skeleton-|skeleton|Skeleton|SKELETON")


def create(name: str, projects: Path, skeleton: Path = SKELETON) -> Path:
    """Make `projects/name` out of the skeleton and return it.

    The copy is made beside its place and moved there in one step: when anything fails, or when
    two do it at once, there is a whole project or none. Raises `UsageError` for a name that is
    not possible, `InfrastructureError` where the system refuses to write.
    """
    check_name(name, projects)
    made = projects / f".{name}.{uuid.uuid4().hex}"
    target = projects / name
    try:
        for source in files(skeleton):
            _copy(source, made / renamed(source.relative_to(skeleton).as_posix(), name), name)
        if target.exists():  # a rename would replace an empty directory
            raise UsageError(f"{target} exists already")
        made.rename(target)
    except OSError as error:
        raise unreadable(target, error) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def files(skeleton: Path) -> Iterator[Path]:
    """Yield the files of the skeleton that belong into a copy, in a stable order."""
    for path in sorted(skeleton.rglob("*")):
        relative = path.relative_to(skeleton)
        places = {relative.as_posix(), *(parent.as_posix() for parent in relative.parents)}
        if path.is_file() and "__pycache__" not in relative.parts and not places & ONLY_HERE:
            yield path


def _copy(source: Path, target: Path, name: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(renamed(source.read_text(encoding="utf-8"), name), encoding="utf-8")
    target.chmod(target.stat().st_mode | (source.stat().st_mode & 0o111))


def renamed(text: str, name: str) -> str:
    """Return `text` with every spelling of "skeleton" replaced by that of `name`."""
    spellings = {
        "skeleton": name,
        "skeleton-": name.replace("_", "-") + "-",
        "Skeleton": name.capitalize(),
        "SKELETON": name.upper(),
    }
    return _SPELLINGS.sub(lambda found: spellings[found.group()], text)


def check_name(name: str, projects: Path) -> None:
    """Raise `UsageError` unless a project can have this name, with the nearest valid spelling."""
    valid = valid_spelling(name)
    if name != valid:
        raise UsageError(
            f'"{name}" cannot be the name of a project: it becomes a Python package, so small '
            f"letters, digits and _ are possible, a letter first, at most {NAME_LENGTH_LIMIT} "
            f'characters, and no word of the language. Try "{valid}"'
        )
    if name in RESERVED:
        raise UsageError(f'"{name}" has a meaning on the command line: take another name')
    taken = names_in_use(projects)
    for each in (name, renamed("skeleton_target", name)):
        if each in taken:
            raise UsageError(f'the name "{each}" is taken by {taken[each]}: take another one')


def valid_spelling(name: str) -> str:
    """Return the nearest possible name of a project: `name` itself where it is possible."""
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) and len(name) <= NAME_LENGTH_LIMIT:
        return f"{name}_test" if keyword.iskeyword(name) else name
    spelled = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not spelled[:1].isalpha():
        spelled = f"test_{spelled}"
    return valid_spelling(spelled[:NAME_LENGTH_LIMIT].rstrip("_"))


def names_in_use(projects: Path) -> dict[str, str]:
    """Return the names that the command line knows already, and where each is from."""
    taken = {
        path.stem: os.path.relpath(path, projects.parent)
        for path in projects.glob("*/toolbox/*.py")
        if path.stem != "__init__"
    }
    for path in projects.iterdir():
        taken.setdefault(path.name, os.path.relpath(path, projects.parent))
    return taken
