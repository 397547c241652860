"""Style sheets, scripts and icons: read once, named by their content so that browsers keep them."""

from __future__ import annotations

import functools
import hashlib
import mimetypes
import re
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from projects.jobs.http.refusals import Absent

router = APIRouter(include_in_schema=False)

_ROOT = Path(__file__).with_name("static")
_NAME = re.compile(r"(?:vendor/)?[a-z0-9-]+(?:\.min)?\.(?:css|js|svg)\Z")
_YEAR = 365 * 86400


@functools.cache
def _file(name: str) -> tuple[bytes, str]:
    data = (_ROOT / name).read_bytes()
    return data, hashlib.sha256(data).hexdigest()[:12]


def address(name: str) -> str:
    """Return the address of a file; another content is another address."""
    return f"/static/{name}?v={_file(name)[1]}"


@router.get("/static/{name:path}")
async def static(name: str) -> Response:
    """Send a file of the pages; nothing of anybody's is in it."""
    if not _NAME.match(name) or not (_ROOT / name).is_file():
        raise Absent(f"there is no file {name[:100]}")
    media = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {"Cache-Control": f"public, max-age={_YEAR}, immutable"}
    return Response(_file(name)[0], headers=headers, media_type=media)
