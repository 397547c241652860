"""`/api/v1/tokens`: made, listed and revoked by admins."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.core.errors import unknown
from projects.jobs.http import render, schemas, tokens
from projects.jobs.http.access import ADMIN
from projects.jobs.http.answers import answer
from projects.jobs.http.body import read_json
from projects.jobs.http.refusals import Absent, Invalid
from projects.jobs.http.services import services_of
from projects.jobs.model import moment

router = APIRouter(prefix="/api/v1/tokens", responses=schemas.COMMON_ERRORS, tags=["tokens"])

_MOST_BODY = 64 << 10


@router.post(
    "",
    status_code=201,
    response_model=schemas.NewToken,
    openapi_extra=schemas.body_schema(schemas.TokenRequest),
    dependencies=[ADMIN],
)
async def create_token(request: Request) -> Response:
    """Make a token. Its text is in this answer and nowhere else."""
    wanted = _checked(await read_json(request, _MOST_BODY))
    text, token = tokens.issue(
        wanted.owner, wanted.scopes, label=wanted.label, lifetime=wanted.lifetime
    )
    await run_in_threadpool(services_of(request).store.add_token, token)
    return answer(render.token(token) | {"token": text}, 201)


@router.get("", response_model=schemas.TokenList, dependencies=[ADMIN])
async def list_tokens(request: Request) -> Response:
    """List all tokens, also those that open nothing any more."""
    found = await run_in_threadpool(services_of(request).store.tokens)
    return answer({"items": [render.token(one) for one in found]})


@router.delete("/{token}", status_code=204, response_class=Response, dependencies=[ADMIN])
async def revoke_token(request: Request, token: str) -> Response:
    """Revoke a token: from now on it opens nothing."""
    store = services_of(request).store
    known = {one.id for one in await run_in_threadpool(store.tokens)}
    if token not in known:
        raise Absent(f"there is no token with the id {token[:60]}")
    await run_in_threadpool(_revoke, store, token)
    request.app.state.authenticator.forget()
    return Response(status_code=204)


def _revoke(store: Any, token: str) -> None:
    store.revoke_token(token, at=moment.now())


def _checked(value: Any) -> schemas.TokenRequest:
    try:
        return schemas.TokenRequest.model_validate(value, strict=True)
    except ValidationError as error:
        fields = {}
        for one in error.errors(include_url=False)[:20]:
            name = ".".join(map(str, one["loc"])) or "body"
            said = str(one["msg"])
            if one["type"] == "extra_forbidden":
                said = unknown("field", name[:100], schemas.TokenRequest.model_fields)
            fields[name[:100]] = said
        message = "; ".join(f"{name}: {said}" for name, said in fields.items())
        raise Invalid(message, fields=fields) from None
