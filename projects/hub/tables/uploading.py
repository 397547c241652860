"""An upload as it comes in over HTTP: what it says of itself, and its rows."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.hub.tables.batch import Batch, read_csv, read_json
from projects.hub.tables.values import Answer, Origin, ResultTable
from projects.jobs.http.body import parse
from projects.jobs.http.refusals import Absent, Forbidden, Invalid, WrongMedia

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.hub.tables.schemas import UploadQuery
    from projects.hub.tables.store import Tables
    from projects.jobs.http.access import Principal
    from projects.jobs.http.services import Sharing

_MOST_KEY = 255
MOST_ID = 200
_CSV = "text/csv"


@dataclass(frozen=True, slots=True)
class Upload:
    """What came: names of the table, media type, bytes, key, where the rows come from."""

    names: tuple[str, str]
    media: str
    data: bytes
    key: str | None
    origin: Origin
    groups: Sequence[str] | None
    """That a new table belongs to as well; None: those that the submitter always names."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was sent, and to where."""
        found = hashlib.sha256(repr((self.names, self.media)).encode())
        found.update(self.data)
        return found.digest()

    def rows(self) -> Batch:
        """Return the rows; raises what says why they can't be read."""
        if self.media == _CSV:
            return read_csv(self.data)
        return read_json(parse(self.data.removeprefix(BOM_UTF8), allow_nan=True))


def append(
    tables: Tables, who: Principal, upload: Upload, sharing: Sharing | None = None
) -> Answer:
    """Append the rows of an upload, or find that they are there already.

    `sharing` knows which groups a submitter may name, and always names.

    Raises
    ------
    Absent
        The table is somebody else's.
    Conflict, Invalid, Forbidden, BadRows
        The upload can't be taken as it is.
    """
    digest = upload.digest
    known = tables.done(upload.origin, upload.key, digest)
    if known is not None:
        return known

    def may_append(table: ResultTable) -> None:
        if not who.may_see(table.owner, table.groups):
            raise absent(upload.names)

    found = tables.find(*upload.names)
    groups = tuple(upload.groups or ())
    if found is not None:
        may_append(found)
    elif sharing is not None:
        groups = tuple(sharing.to_share_with(who, upload.groups))
    else:
        check_groups(who, groups)
    return tables.append(
        upload.names, upload.rows(), upload.origin, upload.key, digest, may_append, groups
    )


def media_of(header: str) -> str:
    """Return the media type of a `Content-Type`.

    Raises
    ------
    WrongMedia
        It is neither JSON nor CSV.
    """
    media = header.partition(";")[0].strip().lower()
    if media == _CSV:
        return media
    if media == "application/json" or media.endswith("+json"):
        return "application/json"
    raise WrongMedia(f"send application/json or {_CSV} as Content-Type, not {media[:60] or '-'}")


def key_of(header: str | None) -> str | None:
    """Return the `Idempotency-Key`.

    Raises
    ------
    Invalid
        It is empty, too long or not ASCII.
    """
    if header is None:
        return None
    key = header.strip()
    if not key or len(key) > _MOST_KEY or not (key.isascii() and key.isprintable()):
        raise Invalid(f"Idempotency-Key: 1 to {_MOST_KEY} printable characters of ASCII are one")
    return key


def origin_of(who: Principal, query: UploadQuery, job: str | None) -> Origin:
    """Return where rows come from; `job` is the header `Topgallant-Job` that satellites send.

    Raises
    ------
    Invalid
        The header is no id.
    """
    if job is not None and not (0 < len(job) <= MOST_ID and job.isascii() and job.isprintable()):
        raise Invalid(f"Topgallant-Job: 1 to {MOST_ID} printable characters of ASCII are an id")
    satellite = query.satellite
    if satellite is None and "satellite" in who.scopes:
        satellite = who.owner
    return Origin(who.owner, satellite or None, query.job or job, query.artifact or None)


def check_groups(who: Principal, groups: Sequence[str]) -> None:
    """Refuse groups that the caller isn't in, unless they are an admin.

    Raises
    ------
    Forbidden
        They aren't in one.
    """
    foreign = sorted(set(groups) - set(who.groups))
    if foreign and not who.is_admin:
        raise Forbidden(f"you are not in the group {foreign[0][:100]!r}")


def absent(names: tuple[str, str], near: str | None = None) -> Absent:
    """Return the answer for a table that isn't there, or is somebody else's."""
    hint = f'; did you mean "{near}"?' if near else ""
    return Absent(f"there is no table {names[0][:100]}/{names[1][:100]}{hint}")
