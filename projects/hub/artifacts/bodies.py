"""What is sent to the routes of artifacts: bounded, and read as strictly as it can be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from projects.core.errors import unknown
from projects.hub.artifacts import rules
from projects.hub.artifacts.values import Wanted
from projects.jobs.http.body import read_bytes
from projects.jobs.http.refusals import Invalid, WrongMedia

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request

    from projects.hub.artifacts.values import File

MOST_BYTES = 64 << 20
BATCH = "application/x-topgallant-batch"
_KEYS = ("place", "project", "groups", "holder", "instead_of", "files")


async def read_body(request: Request, media: str, most: int) -> bytes:
    """Return a body of a media type, of at most `most` bytes."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found != media:
        raise WrongMedia(f"send {media}, not {found[:60] or '-'}")
    return await read_bytes(request, most)


def parse_object(body: bytes, keys: Sequence[str]) -> dict[str, Any]:
    """Return the mapping that a body is; unlike elsewhere half characters are kept, in paths.

    Raises
    ------
    Invalid
        It is no JSON, no mapping, or has a key that isn't known.
    """
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the body is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise Invalid("the body is no mapping")
    for key in values:
        if key not in keys:
            said = unknown("field", key[:100].encode("utf-8", "replace").decode(), keys)
            raise Invalid(said, fields={"body": said})
    return values


def wanted_of(body: bytes) -> tuple[Wanted, list[File] | None]:
    """Return what an export asks for, and the files that it announces."""
    values = parse_object(body, _KEYS)
    wanted = Wanted(
        place=rules.place_of(values.get("place")),
        project=text_of(values, "project"),
        groups=tuple(texts_of(values, "groups")),
        holder=text_of(values, "holder"),
        instead_of=text_of(values, "instead_of"),
    )
    files = values.get("files")
    return wanted, None if files is None else rules.files_of(files)


def text_of(values: dict[str, Any], key: str) -> str:
    """Return a text, empty where it isn't given."""
    value = values.get(key) or ""
    if not isinstance(value, str) or "\0" in value or not _is_text(value):
        raise Invalid(f"{key}: a text is wanted", fields={key: "a text is wanted"})
    return value


def texts_of(values: dict[str, Any], key: str) -> list[str]:
    """Return a list of texts, empty where it isn't given."""
    value = values.get(key) or []
    if not isinstance(value, list) or any(
        not isinstance(one, str) or "\0" in one or not _is_text(one) for one in value
    ):
        raise Invalid(f"{key}: a list of texts is wanted", fields={key: "a list of texts"})
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
