"""Uploads and downloads of the command line: files sent once, files written whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError, unknown, unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.jobs.library.client import Client

_MEDIA = {".csv": "text/csv", ".json": "application/json"}
_DOWNLOADS = {".csv": "rows.csv", ".jsonl": "rows.jsonl", ".parquet": "rows.parquet"}


def upload(
    client: Client, path: str, file: str, groups: Sequence[str] | None, *, again: bool
) -> Any:
    """Upload a file to the table at `path`; return what became of it.

    The key of the upload is made of its content: the same file adds nothing, unless `again`; then
    what became of it the first time is returned, and stderr says so.

    Raises
    ------
    UsageError, InfrastructureError
        No file is named, or one of another kind; it can't be read.
    """
    media = _by_ending(file, _MEDIA)
    try:
        with open(file, "rb") as source:
            data = source.read()
    except OSError as error:
        raise unreadable(file, error) from None
    digest = hashlib.sha256(path.encode() + b"\0" + data).hexdigest()
    key = f"again-{os.urandom(16).hex()}" if again else f"file-{digest}"
    headers = {"Content-Type": media, "Idempotency-Key": key}
    named = ",".join(groups) if groups is not None else None
    answer, heard = client.send_and_hear("POST", f"{path}/rows", data, headers, groups=named)
    done = json.loads(answer)
    if heard.get("Idempotent-Replayed"):
        said = f"nothing was added: {file} was uploaded {done['at']}; --again adds it again"
        print(said, file=sys.stderr)  # noqa: T201
    return done


def download(client: Client, path: str, file: str, where: str) -> Any:
    """Write the rows of the table at `path` that fit to `file`; return where, and how much.

    Without a file they go to stdout, as CSV, and None is returned.

    Raises
    ------
    UsageError, InfrastructureError
        The file is to be of another kind; it can't be written.
    """
    source = _by_ending(file, _DOWNLOADS) if file else "rows.csv"
    pieces = client.stream(f"{path}/{source}", where=where or None)
    if not file:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return None
    part = f"{file}.{os.getpid()}.part"
    try:
        with open(part, "wb") as target:
            for piece in pieces:
                target.write(piece)
            size = target.tell()
        os.replace(part, file)
    except OSError as error:
        raise unreadable(file, error) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
    return {"file": file, "bytes": size}


def change(  # noqa: PLR0917  (the words of a command line)
    client: Client,
    path: str,
    column: str,
    better: str | None,
    unit: str | None,
    groups: Sequence[str] | None,
) -> Any:
    """Say what is good in a column of the table at `path`, its unit, who sees the table.

    Raises
    ------
    UsageError
        Nothing is to be changed, or it isn't said of which column.
    """
    said: dict[str, Any] = {} if unit is None else {"unit": unit}
    if better:
        said["better"] = None if better == "none" else better
    if said and not column:
        raise UsageError("of which column? give it as --column=…")
    if not said and groups is None:
        raise UsageError("what is changed? give --column and --better or --unit, or --groups")
    wanted: dict[str, Any] = {"columns": {column: said}} if said else {}
    if groups is not None:
        wanted["groups"] = [group for group in groups if group]
    return client.send_json("PATCH", path, wanted)


def _by_ending(file: str, kinds: dict[str, str]) -> str:
    if not file:
        raise UsageError("which file? give it after the names of the table, or as --file=…")
    ending = os.path.splitext(file)[1].lower()
    if ending not in kinds:
        raise UsageError(f"{file}: {unknown('ending', ending, kinds)}")
    return kinds[ending]
