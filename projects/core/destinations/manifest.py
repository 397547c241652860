"""The manifest of an export: what is in it, as `manifest.json`; pure functions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from projects.core.errors import ExportRefused

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from datetime import datetime

NAME = "manifest.json"
"""The file of an export that says what the others are; it comes last."""

SCHEMA = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class File:
    """A file of an export.

    `path` is relative and has slashes; bytes of a name that are no UTF-8 are lone surrogates
    (PEP 383), which JSON writes as escapes. `size` is in bytes, `sha256` in hexadecimal, `mtime`
    in ISO 8601, UTC. `parts` are the hashes of the pieces that a large file is sent in, while it
    is exported; they are not written.
    """

    path: str
    size: int
    sha256: str
    mtime: str
    parts: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one export holds: `files` in the order of their paths."""

    run_id: str
    created: str
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Paths by what became of them from one manifest to the next."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    same: tuple[str, ...]
    gone: tuple[str, ...]


def utc(moment: datetime) -> str:
    """Return an aware moment as ISO 8601 in UTC, to the microsecond."""
    from datetime import UTC

    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def mtime_of(status: os.stat_result) -> str:
    """Return the modification time of a file as manifests write it."""
    from datetime import UTC, datetime

    return utc(datetime.fromtimestamp(status.st_mtime, UTC))


def build(run_id: str, created: datetime, files: Iterable[File]) -> Manifest:
    """Return the manifest of `files`, made at the aware moment `created`."""
    return Manifest(run_id, utc(created), tuple(sorted(files, key=lambda file: file.path)))


def dumps(manifest: Manifest) -> str:
    """Return the text of `manifest.json`: ASCII, one line per file."""
    head = {"schema": SCHEMA, "run_id": manifest.run_id, "created": manifest.created}
    lines = ",\n".join("    " + json.dumps(_written(file)) for file in manifest.files)
    files = f"[\n{lines}\n  ]" if lines else "[]"
    return json.dumps(head, indent=2)[:-2] + f',\n  "files": {files}\n}}\n'


def _written(file: File) -> dict[str, Any]:
    return {"path": file.path, "size": file.size, "sha256": file.sha256, "mtime": file.mtime}


def loads(text: str | bytes, name: str) -> Manifest:
    """Return the manifest that `text` holds; `name` is what messages call it.

    Errors
    ------
    ExportRefused
        It isn't one: no JSON, another schema, a field missing or of another type, or a path that
        is absolute, leads upwards or comes twice.
    """
    try:
        return _manifest(json.loads(text))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ExportRefused(f"{name} is no manifest of an export: {said}") from None


def _manifest(data: Any) -> Manifest:
    if not isinstance(data, dict):
        raise TypeError("it is no mapping")
    if data["schema"] != SCHEMA:
        raise ValueError(f"its schema is {data['schema']!r}, this program knows {SCHEMA}")
    files = tuple(_file(one) for one in data["files"])
    if len({file.path for file in files}) != len(files):
        raise ValueError("a path comes twice")
    return Manifest(_text(data, "run_id"), _text(data, "created"), files)


def _file(data: Any) -> File:
    if not isinstance(data, dict):
        raise TypeError("a file is no mapping")
    path, size, sha256 = _text(data, "path"), data["size"], _text(data, "sha256")
    if not is_inside(path):
        raise ValueError(f"the path {path!r} is absolute or leads upwards")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError(f"the size of {path!r} is {size!r}")
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"the sha256 of {path!r} is {sha256!r}")
    return File(path, size, sha256, _text(data, "mtime"))


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is {value!r}, no text")
    return value


def is_inside(path: str) -> bool:
    """Tell whether a path stays below the directory that it is relative to."""
    return "\0" not in path and not {"", ".", ".."}.intersection(path.split("/"))


def compare(old: Manifest | None, new: Manifest) -> Difference:
    """Return what changed in content from `old` to `new`; modification times don't count."""
    before = {} if old is None else {file.path: file.sha256 for file in old.files}
    after = {file.path: file.sha256 for file in new.files}
    return Difference(
        added=tuple(path for path in after if path not in before),
        changed=tuple(p for p, sha256 in after.items() if before.get(p, sha256) != sha256),
        same=tuple(p for p, sha256 in after.items() if before.get(p) == sha256),
        gone=tuple(path for path in before if path not in after),
    )


def verify(manifest: Manifest, sizes: Mapping[str, int]) -> list[str]:
    """Return a sentence for each file of `manifest` that isn't there or has another size."""
    problems = []
    for file in manifest.files:
        size = sizes.get(file.path)
        if size is None:
            problems.append(f"{file.path!r} is missing")
        elif size != file.size:
            problems.append(f"{file.path!r} has {size} bytes instead of {file.size}")
    return problems
