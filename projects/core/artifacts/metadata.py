"""What a directory says about itself: `_meta/metadata.yaml` and `_meta/restart.sh`."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from projects import core
from projects.core import errors
from projects.core.artifacts.complaints import complain
from projects.core.artifacts.journal import utc_now
from projects.core.artifacts.plain import plain
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_PARAMETER_TEXT = 1024 * 1024
"""A longer text among the parameters, in characters, is cut and says so."""


@dataclass(slots=True)
class Metadata:
    """A `_meta/metadata.yaml` whose end is still to come."""

    path: str
    text: str
    began: float


def write_metadata(
    directory: str | os.PathLike[str],
    name: str,
    parameters: Mapping[str, Any],
    *,
    group: str | None = None,
    command: str | None = None,
    **more: Any,
) -> Metadata:
    """Write `directory/_meta/metadata.yaml` as far as it is known at the start, masked.

    `more` is added as it is (such as `presets`). Give the result to `finish_metadata`. A disk
    that refuses is said once on stderr.
    """
    facts: dict[str, Any] = {"name": name}
    if group is not None:
        facts["group"] = group
    if command is not None:
        facts["command"] = command
    facts.update(more)
    facts["parameters"] = dict(parameters)
    text = _dump(plain(facts, most_text=MOST_PARAMETER_TEXT)) + _process_facts(os.getpid())
    text += f"start: '{utc_now()}'\n"
    metadata = Metadata(f"{os.fspath(directory)}/_meta/metadata.yaml", text, time.perf_counter())
    try:
        os.makedirs(os.path.dirname(metadata.path), exist_ok=True)
        _write(metadata.path, text.encode())
    except OSError as error:
        complain(f"cannot write {metadata.path}", error)
    return metadata


def finish_metadata(
    metadata: Metadata, outcome: str, *, exit_status: int | None = None, **more: Any
) -> None:
    """Complete the file with end, seconds, outcome and exit status, replacing it in one move."""
    facts = {
        "end": utc_now(),
        "seconds": round(time.perf_counter() - metadata.began, 6),
        "outcome": outcome,
    }
    if exit_status is not None:
        facts["exit_status"] = exit_status
    facts.update(more)
    new = f"{metadata.path}.{os.getpid()}.new"
    try:
        text = _masked(metadata.text) + _dump(plain(facts, most_text=MOST_PARAMETER_TEXT))
        _write(new, text.encode())
        os.replace(new, metadata.path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(new)
        complain(f"cannot write {metadata.path}", error)


def write_restart(
    directory: str | os.PathLike[str],
    argv: Sequence[str],
    environment: Mapping[str, str],
    cwd: str | os.PathLike[str],
    secrets: Mapping[str, str] | None = None,
) -> None:
    """Write `directory/_meta/restart.sh`: in `cwd`, with `environment` added, run `argv` again.

    `secrets` are variables that name a directory of secrets, with what they were: that is used
    unless whoever restarts has them set; an empty one is asked for.

    Secrets are masked, so a call that was given one as a plain word cannot be repeated as it is;
    the script then says so and stops.
    """
    exports = "".join(f"export {name}={shlex.quote(environment[name])}\n" for name in environment)
    exports += "".join(_passed_on(name, value) for name, value in (secrets or {}).items())
    plainly = f"cd {shlex.quote(os.fspath(cwd))}\n{exports}exec {shlex.join(argv)}\n"
    body = masking.mask(plainly)
    if body != plainly:
        body = (
            'echo "a secret was masked in this file (***): fill it in, then remove this line" >&2;'
            f" exit {errors.UNJUDGED}\n{body}"
        )
    path = f"{os.fspath(directory)}/_meta/restart.sh"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _write(
            path,
            f"#!/usr/bin/env bash\n# Does exactly this again.\nset -eu\n{body}".encode(
                "utf-8", "surrogateescape"
            ),
            mode=0o777,
        )
    except OSError as error:
        complain(f"cannot write {path}", error)


def _passed_on(name: str, value: str) -> str:
    """Return the line of bash for a variable that names a directory of secrets."""
    if value:
        return f"export {name}=${{{name}:-{shlex.quote(value)}}}\n"
    said = f"{name} is not set, as it was not then: secrets are looked for in what it names"
    return f'[ -n "${{{name}:-}}" ] || echo {shlex.quote(said)} >&2\n'


def git_commit(directory: str | os.PathLike[str]) -> str | None:
    """Return the commit that is checked out in `directory`, or None; reads files, starts nothing.

    Source: gitrepository-layout(5); worktrees and packed references are understood.
    """
    try:
        return _head(os.path.join(os.fspath(directory), ".git"))
    except (OSError, ValueError):
        return None


def _head(dot_git: str) -> str | None:
    if os.path.isfile(dot_git):  # a worktree: "gitdir: PATH"
        folder = _read(dot_git).partition(":")[2].strip()
        dot_git = os.path.join(os.path.dirname(dot_git), folder)
    head = _read(f"{dot_git}/HEAD").strip()
    if not head.startswith("ref: "):
        return head
    reference = head[len("ref: ") :]
    common = dot_git
    if os.path.exists(f"{dot_git}/commondir"):
        common = os.path.join(dot_git, _read(f"{dot_git}/commondir").strip())
    if os.path.exists(f"{common}/{reference}"):
        return _read(f"{common}/{reference}").strip()
    for line in _read(f"{common}/packed-refs").splitlines():
        if line.endswith(f" {reference}"):
            return line.partition(" ")[0]
    return None


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read(4 * 1024 * 1024)


@functools.lru_cache(maxsize=1)
def _process_facts(pid: int) -> str:
    """Return the lines that are the same for every command of this process."""
    import platform

    checkout = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(core.__file__))))
    versions = {"topgallant": core.__version__, "python": platform.python_version()}
    commit = git_commit(checkout)
    if commit:
        versions["git"] = commit
    facts = {"versions": versions, "host": platform.node(), "user": user_of_process(), "pid": pid}
    return _dump(plain(facts))


def user_of_process() -> str:
    """Return the name of the user whom this process belongs to, or the number without a name."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container runs with any number
        return str(os.getuid())


def _masked(text: str) -> str:
    """Mask what was written before all secrets were known, and leave it YAML."""
    if masking.mask(text) == text:
        return text
    return _dump(masking.mask_values(yaml.load(text, Loader=yaml.CSafeLoader)))


def _dump(facts: Mapping[str, Any]) -> str:
    text: str = yaml.dump(
        facts, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000
    )
    return text


def _write(path: str, data: bytes, mode: int = 0o666) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)
