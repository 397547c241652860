"""Answers in JSON, written fast: what is rendered isn't validated a second time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from fastapi import Request

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def json_bytes(value: Any) -> bytes:
    """Return `value` as JSON; half a character, which UTF-8 doesn't have, is escaped."""
    return _encode(value).encode("utf-8", "backslashreplace")


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer with `value` as JSON."""
    return Response(json_bytes(value), status, headers, media_type="application/json")


def page_answer(request: Request, items: list[Any], cursor: str | None) -> Response:
    """Return a page; the address of the next one is also in the header `Link` (RFC 8288)."""
    return answer({"items": items, "next": cursor}, headers=link_to_next(request, cursor))


def link_to_next(request: Request, cursor: str | None) -> dict[str, str]:
    """Return the header that leads to the next page, relative to this server."""
    if cursor is None:
        return {}
    url = request.url.include_query_params(cursor=cursor)
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}
