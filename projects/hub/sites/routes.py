"""`/api/v1/satellites`: heartbeats come in, what is known of the satellites goes out."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.hub.sites.satellites import Announcement, Satellite
from projects.jobs.http import access, schemas
from projects.jobs.http.answers import answer
from projects.jobs.http.body import read_json
from projects.jobs.http.refusals import Absent, Invalid
from projects.jobs.model import moment

if TYPE_CHECKING:
    from projects.hub.sites.sites import Sites

router = APIRouter(
    prefix="/api/v1/satellites", responses=schemas.COMMON_ERRORS, tags=["satellites"]
)

EVERY = 15.0
"""Seconds between two heartbeats that a satellite is asked for."""

MOST_BODY = 1 << 20
MOST_TOOLS = 10_000
_MOST_TEXT = 200
_MOST_ADDRESS = 1000
_KEYS = ("nickname", "url", "version", "tools", "token")
_NICKNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_SECRET = re.compile(r"[!-~]*\Z")
_TOOL = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")


@router.post("", response_model=None, responses={201: {"description": "It was not known before"}})
async def heartbeat(request: Request, who: access.Satellite) -> Response:
    """Say that a satellite is there: `{"nickname", "url", "version", "tools", "token"?}`."""
    said = read(await read_json(request, MOST_BODY))
    sites = _sites(request)
    before = {one.nickname: one.url for one in await sites.known()}.get(said.nickname)
    found = await sites.note(said, who.owner, admin=who.is_admin)
    if found.url != before:  # what is new is noted in the audit log
        request.scope[access.DONE_TO] = f"{found.nickname} at {found.url}"
    return answer(shown(found) | {"every": EVERY}, 201 if found.created == found.seen else 200)


@router.get("", response_model=None, dependencies=[access.READ])
async def satellites(request: Request) -> Response:
    """List the satellites, with online or offline since when."""
    return answer({"items": [shown(one) for one in await _sites(request).known()]})


@router.delete("/{satellite}", status_code=204, response_class=Response)
async def remove(request: Request, who: access.Admin, satellite: str) -> Response:
    """Forget a satellite and its credential; its next heartbeat registers it anew."""
    del who
    kept = _sites(request).satellites
    if kept is None or not await run_in_threadpool(kept.remove, satellite):
        raise Absent(f"there is no satellite {satellite[:100]}")
    return Response(status_code=204)


def shown(one: Satellite) -> dict[str, Any]:
    """Return what may be shown of a satellite."""
    now = moment.now()
    return {
        "nickname": one.nickname,
        "url": one.url,
        "version": one.version,
        "tools": list(one.tools),
        "owner": one.owner,
        "online": one.is_online(now),
        "since": moment.iso(one.since(now)),
        "seen": moment.iso(one.seen),
    }


def read(said: Any) -> Announcement:
    """Return the announcement that a body is.

    Raises
    ------
    Invalid
        With a sentence for each field that is wrong.
    """
    if not isinstance(said, dict):
        raise Invalid("a heartbeat is an object: nickname, url, version, tools")
    wrong = {str(key)[:100]: "unknown" for key in said if key not in _KEYS}
    nickname, tools = said.get("nickname"), said.get("tools")
    if not isinstance(nickname, str) or not _NICKNAME.match(nickname):
        wrong["nickname"] = "letters a-z and A-Z, digits, . _ and -, at most 100, no mark first"
    if not _is_address(said.get("url")):
        wrong["url"] = "an address looks like http://satellite.example.com:8001"
    for key in ("version", "token"):
        if not isinstance(value := said.get(key) or "", str) or len(value) > _MOST_TEXT:
            wrong[key] = f"a text of at most {_MOST_TEXT} characters"
    if "token" not in wrong and not _SECRET.match(said.get("token") or ""):
        wrong["token"] = "printable characters of ASCII: it goes into a header"  # noqa: S105
    if not isinstance(tools, list) or len(tools) > MOST_TOOLS or not all(map(_is_tool, tools)):
        wrong["tools"] = f"a list of at most {MOST_TOOLS:,} names of tools"
    if wrong:
        message = "; ".join(f"{name}: {what}" for name, what in wrong.items())
        raise Invalid(message, fields=wrong)
    return Announcement(
        str(nickname),
        said["url"],
        said.get("version") or "",
        said["tools"],
        said.get("token") or "",
    )


def _is_tool(value: Any) -> bool:
    return isinstance(value, str) and bool(_TOOL.match(value))


def _is_address(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > _MOST_ADDRESS:
        return False
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    whole = value.isascii() and value.isprintable() and " " not in value and "\\" not in value
    named = bool(parts.hostname) and not _is_forbidden(parts.hostname or "")
    return parts.scheme in ("http", "https") and named and plain and whole


def _is_forbidden(host: str) -> bool:
    """Return whether a host is no place for a satellite.

    Private addresses are where satellites are. Link-local ones are where clouds tell the secrets
    of a machine to whoever is on it.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.replace(".", "").isdecimal() or host.lower().startswith("0x")
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_link_local or address.is_multicast or address.is_unspecified


def _sites(request: Request) -> Sites:
    sites: Sites | None = getattr(request.app.state, "sites", None)
    if sites is None:
        raise Absent("this server keeps no satellites")
    return sites
