"""Files of jobs on their way to a browser, which never runs them as the hub's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from projects.jobs.http.files import attached

if TYPE_CHECKING:
    from fastapi import Request

    from projects.hub.sites.site import Site
    from projects.jobs.http.access import Principal

_HEADERS = ("content-length", "content-range", "accept-ranges")
"""What the hub hands on of a satellite's; what kind of file it is, and its name, it says itself."""


async def sent(
    request: Request, site: Site, who: Principal, job: str, path: str, *, inline: bool = False
) -> Response:
    """Return the answer with a file of a job: a download, or `inline` as text."""
    download = await site.artifact(who, job, path, request.headers.get("range"))
    headers = {k: v for k, v in download.headers.items() if k.lower() in _HEADERS}
    headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    if inline:
        headers["content-type"] = "text/plain; charset=utf-8"
    else:
        headers |= attached(path)
    return StreamingResponse(download.body, download.status, headers=headers)
