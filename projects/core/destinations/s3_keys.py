"""How an export is laid out in a bucket: addresses, keys and content types; pure functions."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from projects.core.destinations import manifest as manifests
from projects.core.destinations.folder import PARTIAL
from projects.core.errors import UsageError

LONGEST_KEY = 1024
"""Bytes (Amazon S3 user guide, "Naming Amazon S3 objects")."""

PAGE = "index.html"
"""The page at the top of the bucket that shows any export of it, by the address behind its #."""

LOCK = f"{PARTIAL}/lock"
_BYTES = f"{PARTIAL}/bytes/"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_AMAZON = re.compile(r"s3[.-]([a-z0-9-]+\.)?amazonaws\.com(\.cn)?")
_AMAZON_BUCKET = re.compile(r"(.+)\.s3[.-]([a-z0-9-]+\.)?amazonaws\.com(\.cn)?")
_UNQUOTED = "/=+@:,~"

_TEXT = "text/plain; charset=utf-8"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".xml": "application/xml",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".gz": "application/gzip",
    ".pdf": "application/pdf",
}
_TEXTS = {"", ".csv", ".j2", ".jsonl", ".log", ".md", ".py", ".sh", ".txt", ".yaml", ".yml"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which bucket: `prefix` has no slash at its ends."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def folder(self) -> str:
        """What every key of the export begins with."""
        return f"{self.prefix}/" if self.prefix else ""

    def key_of(self, path: str) -> str:
        """Return the key of a file by its path.

        Keys are UTF-8. A path that isn't is written with percent signs, below a folder that no
        exported directory has.
        """
        try:
            path.encode()
        except UnicodeEncodeError:
            path = _BYTES + quote(os.fsencode(path))
        return self.folder + path

    def path_of(self, key: str) -> str | None:
        """Return the path that has `key`; None for what is no file of an export here."""
        if not key.startswith(self.folder):
            return None
        path = key.removeprefix(self.folder)
        if path.startswith(_BYTES):
            return unquote(path.removeprefix(_BYTES), errors="surrogateescape")
        if path.startswith(f"{PARTIAL}/") or path in {"", manifests.NAME}:
            return None
        return path


def parse(address: str) -> Place:
    """Return the place that `s3://bucket/prefix` names.

    Errors
    ------
    UsageError
        Another scheme, no bucket, a name that no bucket has, a prefix that leads upwards.
    """
    form = "write s3://bucket/prefix"
    scheme, separator, rest = address.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme.lower() != "s3" or not separator or not bucket:
        raise UsageError(f"{address} is no place in S3: {form}")
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(
            f'{address}: "{bucket}" is no name of a bucket (3 to 63 of a-z, 0-9, ".", "-"): {form}'
        )
    prefix = prefix.strip("/")
    if prefix and not manifests.is_inside(prefix):
        raise UsageError(f"{address}: the prefix has an empty part or leads upwards: {form}")
    return Place(bucket, prefix)


def is_amazon(endpoint: str) -> bool:
    """Tell whether an endpoint is one of Amazon S3, where buckets have names of their own."""
    return bool(_AMAZON.fullmatch(urlsplit(endpoint).hostname or ""))


def browse_address(endpoint: str, place: Place) -> str:
    """Return the address of the page that shows an export: `…/index.html#prefix/`."""
    fragment = quote(place.folder, safe=_UNQUOTED)
    if is_amazon(endpoint):
        return f"https://{place.bucket}.s3.amazonaws.com/{PAGE}#{fragment}"
    return f"{endpoint.rstrip('/')}/{place.bucket}/{PAGE}#{fragment}"


def parse_browse(address: str) -> tuple[Place, str | None] | None:
    """Return the place whose page `address` is, and its endpoint; None if it is no such page.

    Known are what `browse_address` writes and, for Amazon, the forms with a region. The endpoint
    of Amazon is None. What follows the prefix in the address, down to a slash, belongs to it.
    """
    try:
        url = urlsplit(address)
    except ValueError:
        return None
    host = (url.hostname or "").lower()
    if url.scheme not in {"http", "https"} or not url.path.endswith(f"/{PAGE}") or url.query:
        return None
    fragment = unquote(url.fragment, errors="surrogateescape")
    if found := _AMAZON_BUCKET.fullmatch(host):
        return (parse(f"s3://{found[1]}/{fragment}"), None) if url.path == f"/{PAGE}" else None
    base, _, bucket = url.path.removesuffix(f"/{PAGE}").rpartition("/")
    if not bucket:
        return None
    endpoint = None if is_amazon(address) else f"{url.scheme}://{url.netloc}{base}"
    return parse(f"s3://{unquote(bucket)}/{fragment}"), endpoint


def content_type(path: str) -> str:
    """Return the media type that lets a browser show a file: logs and settings as text."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in _TEXTS:
        return _TEXT
    return _TYPES.get(suffix, "application/octet-stream")
