"""Routes of pages: who looks, errors as pages, and log-in for those who haven't."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from projects.core.errors import TopgallantError
from projects.core.secrets.masking import mask
from projects.hub.pages.rendering import page
from projects.jobs.http import access, tokens
from projects.jobs.http.failures import traced
from projects.jobs.http.refusals import Elsewhere, Forbidden

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_logger = logging.getLogger(__name__)

_BUG = 500
_TITLES = {
    400: "That doesn't fit",
    401: "Log in",
    403: "Not allowed",
    404: "Nothing here",
    405: "Not like this",
    409: "Not now",
    413: "Too large",
    422: "That doesn't fit",
    429: "Too many attempts",
    500: "The server made a mistake",
    503: "Not to be reached",
}


class PageRoute(APIRoute):
    """Shows errors as pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers, errors included."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except Exception as error:
                return _told(request, error)

        return handle


def _told(request: Request, error: Exception) -> Response:
    if isinstance(error, Elsewhere):
        return _onward(request, error.headers["Location"])
    if isinstance(error, TopgallantError) and error.http_status != _BUG:
        return failed(request, error.http_status, error.message)
    if isinstance(error, RequestValidationError):
        wrong = (f"{one['loc'][-1]}: {one['msg']}" for one in error.errors()[:5])
        return failed(request, 422, "; ".join(wrong))
    if isinstance(error, HTTPException):
        return failed(request, error.status_code, str(error.detail))
    return _bug(request, error)


def failed(request: Request, status: int, message: str) -> Response:
    """Return the page that tells an error."""
    who = request.scope.get(access.PRINCIPAL)
    title = _TITLES.get(status, "It didn't work")
    return page(request, "error.html", who, status=status, title=title, message=mask(message))


def _bug(request: Request, error: Exception) -> Response:
    number = secrets.token_hex(4)
    _logger.error("%s %s failed (%s)\n%s", request.method, request.url.path, number, traced(error))
    return failed(request, _BUG, f"Its log has the details under {number}.")


def _onward(request: Request, where: str) -> Response:
    if request.headers.get("hx-request") == "true":  # a part can't be a log-in: all of it is
        return Response(status_code=204, headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


async def _reader(request: Request) -> access.Principal:
    authenticator: access.Authenticator = request.app.state.authenticator
    who = await authenticator.principal(request)
    if not tokens.includes(who.scopes, "read"):
        raise Forbidden("pages are for users; this is a key for programs")
    return who


async def _submitter(request: Request) -> access.Principal:
    who = await _reader(request)
    if not tokens.includes(who.scopes, "submit"):
        raise Forbidden("this needs the right to submit; yours is to read")
    return who


Viewer = Annotated[access.Principal, Depends(_reader)]
"""Who looks at a page."""
Actor = Annotated[access.Principal, Depends(_submitter)]
"""Who does something on a page; that it is their page that asks, their session proves."""
