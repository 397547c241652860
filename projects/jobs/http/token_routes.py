"""`/api/v1/tokens`: users make, list and revoke their own, admins those of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.jobs.http import render, schemas, tokens
from projects.jobs.http.access import Principal, Reader, Submitter
from projects.jobs.http.answers import answer
from projects.jobs.http.body import read_json, read_model
from projects.jobs.http.refusals import Absent, Forbidden
from projects.jobs.http.services import services_of
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

router = APIRouter(prefix="/api/v1/tokens", responses=schemas.COMMON_ERRORS, tags=["tokens"])

_MOST_BODY = 64 << 10


@router.post(
    "",
    status_code=201,
    response_model=schemas.NewToken,
    openapi_extra=schemas.body_schema(schemas.TokenRequest),
)
async def create_token(request: Request, who: Submitter) -> Response:
    """Make a token. Its text is in this answer and nowhere else.

    One's own opens no more than one may do oneself, and one that was made with a token that
    expires expires with it.
    """
    wanted = read_model(schemas.TokenRequest, await read_json(request, _MOST_BODY))
    owner = wanted.owner or who.owner
    _check_allowed(who, owner, wanted.scopes)
    lifetime = wanted.lifetime
    if who.expires is not None:
        left = (who.expires - moment.now()) / moment.SECOND
        lifetime = left if lifetime is None else min(left, lifetime)
    text, token = tokens.issue(owner, wanted.scopes, label=wanted.label, lifetime=lifetime)
    services = services_of(request)
    await services.write(services.store.add_token, token)
    where = {"Location": f"/api/v1/tokens/{token.id}"}
    return answer(render.token(token) | {"token": text}, 201, where)


@router.get("", response_model=schemas.TokenList)
async def list_tokens(request: Request, who: Reader) -> Response:
    """List one's tokens, for admins all; also those that open nothing any more."""
    found = await run_in_threadpool(services_of(request).store.tokens, who.sees)
    return answer({"items": [render.token(one) for one in found]})


@router.delete("/{token}", status_code=204, response_class=Response)
async def revoke_token(request: Request, who: Submitter, token: str) -> Response:
    """Revoke a token: from now on it opens nothing."""
    services = services_of(request)
    known = {one.id for one in await run_in_threadpool(services.store.tokens, who.sees)}
    if token not in known:
        raise Absent(f"there is no token with the id {token[:60]}")
    await services.write(_revoke, services.store, token)
    request.app.state.authenticator.forget()
    return Response(status_code=204)


def _revoke(store: Any, token: str) -> None:
    store.revoke_token(token, at=moment.now())


def _check_allowed(who: Principal, owner: str, scopes: Sequence[tokens.Scope]) -> None:
    if who.is_admin:
        return
    if owner != who.owner:
        raise Forbidden("only admins make tokens for others")
    for scope in scopes:
        # What only sends results opens less than what submits.
        if not tokens.includes(who.scopes, "upload" if scope == "satellite" else scope):
            raise Forbidden(f"you can't do yourself what a token with the scope {scope} opens")
