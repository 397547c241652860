"""Errors as answers: one form for all, nothing of ours shown that isn't meant to be."""

from __future__ import annotations

import json
import logging
import secrets
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from projects.core.errors import TopgallantError, nearest
from projects.core.secrets.masking import mask, mask_traceback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Form = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_logger = logging.getLogger(__name__)

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "impossible",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    421: "misdirected_request",
    422: "invalid",
    429: "too_many_requests",
    500: "internal",
    503: "unavailable",
    504: "timeout",
}
"""The code of each HTTP status that is answered."""

LOGGED = "topgallant.logged"
"""Key in the scope of a call whose mistake of ours has been logged and answered."""

RETRY_AFTER = "2"
"""Seconds after which to come again when the server can't take something now."""

_BUG = 500
_NOT_NOW = 503
_FIELD_MISSING = "missing"
_FIELD_UNKNOWN = "extra_forbidden"


def install(app: FastAPI, forms: Mapping[str, Form] | None = None) -> None:
    """Make every error of `app` an answer `{"error": {"code", "message", "fields"?}}`.

    Parameters
    ----------
    forms
        For paths below a prefix: what is made of that value, where a façade has its own form.
    """
    app.state.error_forms = dict(forms or {})
    app.add_exception_handler(TopgallantError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


def answer(
    forms: Mapping[str, Form],
    path: str,
    status: int,
    message: str,
    *,
    fields: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer for an error in the form that belongs to `path`."""
    error: dict[str, Any] = {"code": CODES.get(status, f"http_{status}"), "message": mask(message)}
    if fields:
        error["fields"] = {name: mask(said) for name, said in fields.items()}
    value: Mapping[str, Any] = {"error": error}
    for prefix, form in forms.items():
        if path == prefix or path.startswith(prefix + "/"):
            value = form(value)
    text = json.dumps(value, ensure_ascii=False)
    return Response(
        text.encode("utf-8", "backslashreplace"),
        status,
        headers=dict(headers or {}),
        media_type="application/json",
    )


def _answer(request: Request, status: int, message: str, **more: Any) -> Response:
    return answer(request.app.state.error_forms, request.url.path, status, message, **more)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, TopgallantError)  # noqa: S101  (registered for this class)
    if error.http_status == _BUG:
        return await _bug(request, error)
    if error.http_status > _BUG:
        _logger.warning("%s %s: %s", request.method, request.url.path, mask(str(error)))
    headers = dict(getattr(error, "headers", None) or {})
    if error.http_status == _NOT_NOW:
        headers.setdefault("Retry-After", RETRY_AFTER)
    fields = getattr(error, "fields", None)
    return _answer(request, error.http_status, error.message, fields=fields, headers=headers)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  (registered for this class)
    fields = dict(_field(one, ()) for one in error.errors()[:20])
    message = "; ".join(f"{name}: {said}" for name, said in fields.items())
    return _answer(request, 422, message, fields=fields)


def _field(error: Mapping[str, Any], possible: tuple[str, ...]) -> tuple[str, str]:
    """Return where a value is wrong, without `query` and the like in front, and how."""
    where = [str(part) for part in error["loc"]]
    name = ".".join(where[1:] or where)
    if error["type"] == _FIELD_UNKNOWN:
        close = nearest(name, possible)
        return name, f'unknown; did you mean "{close}"?' if close else "unknown"
    if error["type"] == _FIELD_MISSING:
        return name, "is missing"
    return name, f"{error['msg']}, not {str(error.get('input'))[:60]!r}"


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for this class)
    said = {404: "there is nothing at this address", 405: "the address is right, the method isn't"}
    message = said.get(error.status_code, str(error.detail))
    return _answer(request, error.status_code, message, headers=error.headers)


async def _bug(request: Request, error: Exception) -> Response:
    request.scope[LOGGED] = True
    number = secrets.token_hex(4)
    _logger.error("%s %s failed (%s)\n%s", request.method, request.url.path, number, traced(error))
    return _answer(
        request, 500, f"the server made a mistake; its log has the details under {number}"
    )


def traced(error: BaseException) -> str:
    """Return the traceback of `error` for a log, secrets masked."""
    return mask_traceback(error)
