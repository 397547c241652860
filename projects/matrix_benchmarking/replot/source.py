"""The address of artifacts: what people give, and what export and browsers write; pure."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from projects.core.destinations import hub_address, s3_keys
from projects.core.destinations.hub_address import HubRun
from projects.core.destinations.manifest import NAME as MANIFEST
from projects.core.destinations.s3_keys import Place
from projects.core.errors import UsageError

_AMAZON_HOST = re.compile(r"(?:(.+)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?")
_FORMS = """possible are:
  DIRECTORY or file:///DIRECTORY
  s3://BUCKET/PREFIX
  https://BUCKET.s3.amazonaws.com/index.html#PREFIX/, or without index.html#
  http://SERVER/BUCKET/index.html#PREFIX/, for a server other than Amazon's
  https://HUB/artifacts/ID"""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of this machine; `given` is what it was called."""

    given: str
    path: Path


@dataclass(frozen=True, slots=True)
class Bucket:
    """A place in S3; `endpoint` is None for the one that is set up, which may be Amazon's."""

    given: str
    place: Place
    endpoint: str | None


Source = Directory | Bucket | HubRun


def parse_source(given: str) -> Source:
    """Return the source that an address names; nothing is asked or opened.

    Errors
    ------
    UsageError
        None of the forms that we know, which the message lists.
    """
    address = given.strip()
    scheme, separator, _ = address.partition("://")
    scheme = scheme.lower() if separator and "/" not in scheme else ""
    if not address:
        raise UsageError(f"the address of the artifacts is empty; {_FORMS}")
    if not scheme:
        return Directory(given, Path(os.path.expanduser(address)))
    try:
        if scheme == "file":
            return _file(given, address)
        if scheme == "s3":
            return Bucket(given, _trimmed(s3_keys.parse(address)), None)
        if scheme in {"http", "https"}:
            return _web(given, address)
    except ValueError as error:  # of urllib
        raise UsageError(f"{given}: {error}; {_FORMS}") from None
    if scheme in hub_address.SCHEMES:
        raise UsageError(f"{given}: of a hub, give the address of the run's page; {_FORMS}")
    raise UsageError(f"{given}: unknown kind of address; {_FORMS}")


def _file(given: str, address: str) -> Directory:
    url = urlsplit(address)
    if url.netloc not in {"", "localhost"} or not url.path.startswith("/"):
        raise UsageError(f"{given}: write file:///DIRECTORY; {_FORMS}")
    if url.query or url.fragment:
        raise UsageError(f"{given}: write ? and # as %3F and %23; {_FORMS}")
    return Directory(given, Path(unquote(url.path, errors="surrogateescape")))


def _web(given: str, address: str) -> Bucket | HubRun:
    run = hub_address.parse_page(address)
    if run is not None:
        return HubRun(given, run.base, run.id)
    page = s3_keys.parse_browse(address)
    if page is not None:
        place, endpoint = page
        if not place.prefix:
            raise UsageError(f"{given}: the page of the whole bucket; add #PREFIX/ of a run")
        return Bucket(given, _trimmed(place), endpoint)
    url = urlsplit(address)
    host = _AMAZON_HOST.fullmatch((url.hostname or "").lower())
    if host is None or url.query or url.fragment:
        raise UsageError(f"{given}: no address of artifacts that is known; {_FORMS}")
    path = unquote(url.path, errors="surrogateescape").strip("/")
    bucket, prefix = (host[1], path) if host[1] else path.partition("/")[::2]
    return Bucket(given, _trimmed(s3_keys.parse(f"s3://{bucket}/{prefix}")), None)


def _trimmed(place: Place) -> Place:
    """Let the address of a manifest mean what it is the manifest of."""
    if place.prefix == MANIFEST:
        return Place(place.bucket, "")
    return Place(place.bucket, place.prefix.removesuffix(f"/{MANIFEST}"))
