"""Where the token of a server on this machine is found, so that nobody types one."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from projects.core.errors import unreadable

USER_VARIABLE = "TOPGALLANT_USER"
"""As whom of those who logged in the command line calls."""


def path_for(
    host: str, port: int, environ: Mapping[str, str] | None = None, user: str = ""
) -> Path:
    """Return the file with the token for the server at `host`:`port`.

    `$XDG_STATE_HOME/topgallant/tokens/HOST_PORT`, `~/.local/state` by default, is what a server
    on this machine leaves; `HOST_PORT@USER` is of a `user` who logged in.
    """
    environ = os.environ if environ is None else environ
    state = environ.get("XDG_STATE_HOME") or os.path.join(
        environ.get("HOME") or os.path.expanduser("~"), ".local", "state"
    )
    name = f"{host.strip('[]').lower()}_{port}" + (f"@{quote(user, safe='')}" if user else "")
    return Path(state) / "topgallant" / "tokens" / name


def find(host: str, port: int, environ: Mapping[str, str] | None = None) -> Path:
    """Return the file whose token is used; it may not be there.

    That of `$TOPGALLANT_USER` if that is set; else what a server on this machine has left; else
    that of whoever logged in last.
    """
    environ = os.environ if environ is None else environ
    if user := environ.get(USER_VARIABLE, ""):
        return path_for(host, port, environ, user)
    own = path_for(host, port, environ)
    if own.exists():
        return own
    try:
        of_users = [one for one in own.parent.iterdir() if one.name.startswith(f"{own.name}@")]
        return max(of_users, key=lambda one: one.stat().st_mtime, default=own)
    except OSError:
        return own


def read(path: Path) -> str | None:
    """Return the token in a file, or None where there is none."""
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def write(path: Path, token: str) -> None:
    """Write a token for its owner's eyes only: complete or not at all.

    Raises
    ------
    InfrastructureError
        The file can't be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(beside, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(f"{token}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise unreadable(path, error) from error


def remove(path: Path, token: str) -> None:
    """Remove a file that still has this token: not that of the server that came after."""
    if read(path) == token:
        with contextlib.suppress(OSError):
            path.unlink()
