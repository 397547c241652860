"""Where the token of a server on this machine is found, so that nobody types one."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from projects.core.errors import unreadable


def path_for(host: str, port: int, environ: Mapping[str, str] | None = None) -> Path:
    """Return the file with the token for the server at `host`:`port`.

    `$XDG_STATE_HOME/topgallant/tokens/HOST_PORT`, `~/.local/state` by default.
    """
    environ = os.environ if environ is None else environ
    state = environ.get("XDG_STATE_HOME") or os.path.join(
        environ.get("HOME") or os.path.expanduser("~"), ".local", "state"
    )
    return Path(state) / "topgallant" / "tokens" / f"{host.strip('[]').lower()}_{port}"


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
