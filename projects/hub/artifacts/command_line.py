"""What the command line shows and fetches of runs in a hub."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from projects.core.errors import unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from projects.jobs.library.client import Client


def show(client: Client, address: str, below: str, limit: int) -> dict[str, Any]:
    """Return a run, and what is in a folder of it."""
    found: dict[str, Any] = client.get_json(address)
    found["entries"] = client.get_json(f"{address}/files", below=below or None, limit=limit)[
        "items"
    ]
    return found


def get(client: Client, address: str, path: str, to: Path) -> dict[str, Any]:
    """Fetch a file of a run, or all of them as .tar.gz, into the folder `to`.

    Raises
    ------
    InfrastructureError
        It can't be written; what came is removed then.
    """
    name = path.rpartition("/")[2] or f"{address.rpartition('/')[2]}.tar.gz"
    whole = f"{address}/archive?{urlencode({'format': 'tar.gz'})}"
    source = f"{address}/files/{quote(os.fsencode(path))}" if path else whole
    target = to / name
    part = target.with_name(f".{name}.part")
    size = 0
    try:
        to.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            for piece in client.stream(source):
                size += file.write(piece)
        part.replace(target)
    except OSError as error:
        raise unreadable(target, error) from None
    finally:
        part.unlink(missing_ok=True)
    return {"file": str(target), "bytes": size}
